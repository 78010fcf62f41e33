"""Answers from an influence result: any λ, any training time, any held-out image, at once (SCIENCE §3-5).

Everything that takes more than a product is kept in memory by its λ and shared by all sessions; the kernel is never decomposed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.influence import group_complexity, kernel_influence
from ntkcore.regression import KernelRegression
from ntkcore.specs import InfluenceView, VerificationSpec

SHOWN = 60
"""Training images in a gallery."""
INFLUENTIAL = 40
"""Training images called the most influential of a held-out image."""
GROUPS = 10
PAPER_TIME = 5.0
"""τ of the paper's training, 5000 epochs at rate 0.001: where the end of training is shown, retraining goes so far."""
_STEPS = 40  # training times on the axis
_DECADES = 8.0
_NOISE_TESTS, _NOISE_STEPS = 100, 12


@dataclass(frozen=True, slots=True)
class Held:
    """The held-out images at one λ and time: outputs (m, k), loss ½‖f - y‖² (m,), predicted class (m,), whether right (m,)."""

    outputs: np.ndarray
    loss: np.ndarray
    predicted: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One held-out image through training: times (T,), the last ∞; outputs (T, k); loss (T,); influence (T, n)."""

    times: np.ndarray
    outputs: np.ndarray
    loss: np.ndarray
    influence: np.ndarray


@dataclass(frozen=True, slots=True)
class Effect:
    """What deleting or relabelling the basket would do.

    Attributes:
        accuracy, after: share of held-out images that are right, before and after.
        loss, loss_after: (m,).
        predicted: (m,) classes after.
        changed: held-out images whose predicted class changes.
    """

    accuracy: float
    after: float
    loss: np.ndarray
    loss_after: np.ndarray
    predicted: np.ndarray
    changed: int


def regression(result: InfluenceResult, ridge: float, ws: Workspace) -> KernelRegression:
    """The regression with this λ, hot: its inverse is made once, when the end of training is asked for."""
    key = ("influence.regression", result.key, result.created, ridge)
    size = 8 * len(result.regression.eigen[0]) ** 2
    return ws.hot.get(key, lambda: result.regression.with_ridge(ridge), lambda _: size)


def time_of(view: InfluenceView) -> float:
    """τ, ∞ where the view says the end of training."""
    return inf if view.time is None else view.time


def times(result: InfluenceResult) -> tuple[float, ...]:
    """The axis of training times: from where the fastest direction begins to move to where the slowest has been learned."""
    values = result.regression.eigen[0]
    slowest = max(float(values[0]), float(values[-1]) * 10**-_DECADES)
    return tuple(float(f"{time:.3g}") for time in np.geomspace(0.1 / values[-1], 5 / slowest, _STEPS))


def held(result: InfluenceResult, view: InfluenceView, ws: Workspace) -> Held:
    """The held-out images as the view's λ and time have them.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    chosen = regression(result, view.ridge, ws)
    key = ("influence.held", result.key, result.created, view.ridge, view.time)
    return ws.hot.get(key, lambda: judged(result, chosen.predict(result.k_test, result.f_test, time_of(view))), lambda h: h.outputs.nbytes)


def judged(result: InfluenceResult, outputs: np.ndarray) -> Held:
    """Outputs (m, k) of the held-out images, with what follows from them."""
    loss = np.square(outputs - targets_of(result.test_labels, outputs.shape[1])).sum(1) / 2
    predicted = classes(outputs)
    return Held(outputs, loss, predicted, predicted == result.test_labels)


def classes(outputs: np.ndarray) -> np.ndarray:
    """The class that outputs (m, k) speak for: by sign for one output, else the largest."""
    return (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)


def tests_shown(result: InfluenceResult, view: InfluenceView, now: Held) -> np.ndarray:
    """The held-out images of the gallery, in its order: the largest loss first, or as drawn."""
    order = np.arange(len(now.loss)) if view.tests == "all" else np.argsort(-now.loss, kind="stable")
    return order[~now.correct[order]] if view.tests == "wrong" else order


def target_of(result: InfluenceResult, view: InfluenceView, shown: np.ndarray, now: Held) -> int:
    """The held-out image chosen, or the first that is shown, or that of the largest loss."""
    if view.target is not None and view.target < len(now.loss):
        return view.target
    return int(shown[0]) if len(shown) else int(now.loss.argmax())


def influence(result: InfluenceResult, view: InfluenceView, target: int, ws: Workspace) -> np.ndarray:
    """(n,) how much the loss of one held-out image would rise without each training image, at the view's λ and time."""
    one = slice(target, target + 1)
    y = targets_of(result.test_labels[one], result.regression.k)
    chosen = regression(result, view.ridge, ws)
    return kernel_influence(chosen, result.k_test[one], y, time_of(view), result.f_test[one])[:, 0]


def ranking(values: np.ndarray, show: str) -> np.ndarray:
    """The training images of a gallery: the most helpful, the most harmful, or the least influential first."""
    order = {"helpful": -values, "harmful": values, "idle": np.abs(values)}[show]
    found = np.argsort(order, kind="stable")[:SHOWN]
    return found if show == "idle" else found[values[found] > 0 if show == "helpful" else values[found] < 0]


def without(result: InfluenceResult, view: InfluenceView, target: int, images: Sequence[int], ws: Workspace) -> np.ndarray:
    """(c, k) outputs of one held-out image without each of some training images."""
    one = slice(target, target + 1)
    chosen = regression(result, view.ridge, ws)
    shift = chosen.loo_shift(result.k_test[one], time_of(view))[0]
    return held(result, view, ws).outputs[target] + shift[list(images)]


def trajectory(result: InfluenceResult, ridge: float, target: int, ws: Workspace) -> Trajectory:
    """One held-out image through training; the end of training is left out where λ is too small for it."""
    key = ("influence.trajectory", result.key, result.created, ridge, target)
    return ws.hot.get(key, lambda: _trajectory(result, ridge, target, ws), lambda t: t.influence.nbytes)


def _trajectory(result: InfluenceResult, ridge: float, target: int, ws: Workspace) -> Trajectory:
    chosen, axis = regression(result, ridge, ws), times(result)
    one = slice(target, target + 1)
    y = targets_of(result.test_labels[one], chosen.k)
    outputs = np.stack([chosen.predict(result.k_test[one], result.f_test[one], time)[0] for time in axis])
    values = np.empty((len(axis), chosen.n))
    place = {time: at for at, time in enumerate(axis)}
    for time, _, shift in chosen.shifts(result.k_test[one], axis):
        error = outputs[place[time]] - y[0]
        values[place[time]] = shift[0] @ error + np.square(shift[0]).sum(1) / 2
    loss = np.square(outputs - y).sum(1) / 2
    return Trajectory(np.asarray(axis), outputs, loss, values)


def leading(path: Trajectory, now: np.ndarray, count: int = 8) -> np.ndarray:
    """The images whose ranks are followed: the most influential ones now, and at the beginning and the end of training."""
    found: dict[int, None] = {}
    for values in (now, path.influence[-1], path.influence[0]):
        found |= dict.fromkeys(
            int(i) for i in np.argsort(-np.abs(values), kind="stable")[: count // 2 + (count // 4 if values is now else 0)]
        )
    return np.asarray(list(found)[:count])


def ranks(path: Trajectory) -> np.ndarray:
    """(T, n) rank of every training image by |influence|, 1 the most influential."""
    order = np.argsort(-np.abs(path.influence), axis=1, kind="stable")
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(1, order.shape[1] + 1)[None, :], axis=1)
    return found


def to_verify(result: InfluenceResult, view: InfluenceView, values: np.ndarray) -> VerificationSpec:
    """Retraining without each of the most influential images of a held-out one, at the view's λ and τ.

    Args:
        values: (n,) influences on it.

    Raises:
        SpecError: there is no network to retrain for this kernel.
    """
    order = np.argsort(-np.abs(values), kind="stable")[: min(INFLUENTIAL, len(values) - 1)]
    asked = {
        "influence": result.spec,
        "removed": tuple(sorted(int(i) for i in order)),
        "ridge": view.ridge,
        "time": view.time or PAPER_TIME,
        "width": view.verify if result.spec.kernel == "two-layer" else None,
    }
    try:
        return VerificationSpec.model_validate(asked)
    except ValidationError as error:
        said = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise SpecError(
            f"This cannot be retrained: {said}.", "Choose the two-layer kernel, or a network's own at initialisation."
        ) from error


@dataclass(frozen=True, slots=True)
class NoiseShare:
    """Over training time (T,): the share of flipped images among the most influential ones, mean over held-out images; errors (T,)."""

    times: np.ndarray
    share: np.ndarray
    base: float
    train_error: np.ndarray
    test_error: np.ndarray


def noise_share(result: InfluenceResult, ridge: float, ws: Workspace) -> NoiseShare:
    """How the flipped labels become influential (IF-NTK Fig. 7), on at most 100 held-out images and 12 times."""
    key = ("influence.noise", result.key, result.created, ridge)
    return ws.hot.get(key, lambda: _noise_share(result, ridge, ws), lambda _: 1)


def _noise_share(result: InfluenceResult, ridge: float, ws: Workspace) -> NoiseShare:
    chosen = regression(result, ridge, ws)
    axis = np.asarray(times(result))[np.linspace(0, _STEPS - 1, _NOISE_STEPS).round().astype(int)]
    few = slice(0, _NOISE_TESTS)
    kernel, start, labels = result.k_test[few], result.f_test[few], result.test_labels[few]
    y, flipped = targets_of(labels, chosen.k), result.labels != result.true_labels
    outputs = {float(time): chosen.predict(kernel, start, time) for time in axis}
    top = min(INFLUENTIAL, chosen.n)
    shares: dict[float, list[float]] = {time: [] for time in outputs}
    for time, rows, shift in chosen.shifts(kernel, list(outputs)):
        error = outputs[time][rows] - y[rows]
        values = np.abs(np.einsum("xik,xk->xi", shift, error) + np.square(shift).sum(2) / 2)
        shares[time] += list(flipped[np.argpartition(-values, top - 1, axis=1)[:, :top]].mean(1))
    return NoiseShare(
        axis,
        np.asarray([np.mean(shares[time]) for time in outputs]),
        float(flipped.mean()),
        np.asarray([(classes(chosen.fitted(time)) != result.labels).mean() for time in outputs]),
        np.asarray([(classes(values) != labels).mean() for values in outputs.values()]),
    )


def complexities(result: InfluenceResult, ridge: float, ws: Workspace) -> tuple[np.ndarray, list[np.ndarray]]:
    """Ten groups by mean influence over the held-out images, from the most harmful to the most helpful, and each one's complexity.

    Raises:
        ComputationError: λ is too small for this kernel.
    """
    key = ("influence.groups", result.key, result.created, ridge)

    def make() -> tuple[np.ndarray, list[np.ndarray]]:
        chosen = regression(result, ridge, ws)
        values = kernel_influence(chosen, result.k_test, targets_of(result.test_labels, chosen.k), inf, result.f_test).mean(1)
        groups = np.array_split(np.argsort(values, kind="stable"), min(GROUPS, chosen.n - 1))
        return group_complexity(chosen, [[int(i) for i in group] for group in groups]), groups

    return ws.hot.get(key, make, lambda _: 8 * len(result.labels))


def effect(result: InfluenceResult, view: InfluenceView, ws: Workspace) -> Effect:
    """What becomes of the held-out images at the end of training when the basket is deleted, or given a class.

    Raises:
        ComputationError: λ is too small for this kernel, or nothing would be left.
    """
    ended = view.model_copy(update={"time": None})
    now, chosen = held(result, ended, ws), regression(result, view.ridge, ws)
    basket = basket_of(result, view)
    if not basket:
        shift = np.zeros_like(now.outputs)
    elif view.deed == "delete":
        shift = chosen.group_shift(basket, result.k_test)
    else:
        label = min(view.label or 0, len(result.class_names) - 1)
        shift = chosen.relabel_shift(basket, targets_of(np.full(len(basket), label), chosen.k), result.k_test)
    after = judged(result, now.outputs + shift)
    changed = int((after.predicted != now.predicted).sum())
    return Effect(float(now.correct.mean()), float(after.correct.mean()), now.loss, after.loss, after.predicted, changed)


def basket_of(result: InfluenceResult, view: InfluenceView) -> list[int]:
    """The ticked images that exist."""
    return [image for image in view.basket if image < len(result.labels)]


def missing_from(result: InfluenceResult, view: InfluenceView) -> str:
    """What a link names that this result does not have, or ""."""
    said = []
    if view.target is not None and view.target >= len(result.test_labels):
        said.append(f"There is no held-out image {view.target:,}: they are 0 to {len(result.test_labels) - 1:,}.")
    if view.label is not None and view.label >= len(result.class_names):
        said.append(f"There is no class {view.label}.")
    if len(basket_of(result, view)) < len(view.basket):
        said.append("Some images of the basket do not exist here.")
    return " ".join(said)


def table(result: InfluenceResult, values: np.ndarray) -> pd.DataFrame:
    """All training images with their influence on one held-out image, the most helpful first."""
    order = np.argsort(-values, kind="stable")
    return pd.DataFrame(
        {
            "image": order,
            "id": [result.ids[i] for i in order],
            "label": [result.class_names[label] for label in result.labels[order]],
            "flipped": (result.labels != result.true_labels)[order],
            "influence": values[order],
        }
    )


def path_table(path: Trajectory, images: Sequence[int]) -> pd.DataFrame:
    """Loss and some images' influence over training time."""
    columns = {"tau": path.times, "loss": path.loss} | {f"influence_{image}": path.influence[:, image] for image in images}
    return pd.DataFrame(columns)


def noise_table(noise: NoiseShare) -> pd.DataFrame:
    """The numbers of the noise chart."""
    columns = {"tau": noise.times, "flipped_share": noise.share, "train_error": noise.train_error, "test_error": noise.test_error}
    return pd.DataFrame(columns)


def group_table(values: np.ndarray) -> pd.DataFrame:
    """The numbers of the groups' chart."""
    return pd.DataFrame({"group": np.arange(len(values)), "complexity": values})
