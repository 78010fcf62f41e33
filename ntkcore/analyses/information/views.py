"""Answers about unique information from an influence result: any λ, any training time, at once (Unique-info; SCIENCE §6).

F-SI is a mean over the held-out images, whose labels it does not know.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, nan
from typing import get_args

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.one import alike_first
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import classes, times
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence.self_influence import held_out_residuals
from ntkcore.information import functional_information, training_information, training_loss_change, weight_information
from ntkcore.information.functions import reweighed
from ntkcore.specs.information import SAME, InformationView, Measure, Score

SHOWN = 10
"""Images at each end of the ranking that the gallery begins with, as in the paper's figures."""
COURSE = 12
"""Training times at which the scores are followed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The training images as the network at one λ and time has them.

    Attributes:
        outputs: (n, k).
        loss: (n,) ½‖f - y‖².
        margin: (n,) output for the own label less the largest other; of one output, twice the output in the label's direction.
        predicted: (n,) classes.
    """

    outputs: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True, slots=True)
class InformationLook(Look):
    """A look at what images tell: also by what they are ranked, and what a removal keeps.

    Attributes:
        score: one of SCORES.
        averaged: whether a removal keeps the averaged loss's rate and λ.
    """

    score: Score = "held-out"
    averaged: bool = False


def look_of(result: InfluenceResult, view: InformationView, ws: Workspace) -> InformationLook:
    """The view's look where the scores themselves are asked for; other questions take F-SI by the flow at the same τ."""
    if view.ask != "informative" and (view.ask, view.believe.show) not in (("believe", "times"), ("believe", "noise")):
        return InformationLook(result, view.ridge, inf if view.flow_time is None else view.flow_time, ws)
    time = inf if view.time is None else view.time
    return InformationLook(result, view.ridge, time, ws, view.descent, view.score, view.averaged)


@memoised()
def scores(look: Look) -> np.ndarray:
    """F-SI (n,) in nats, σ = 1, over the held-out images, or the look's score.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training, or the look's rate too large; says which would do.
    """
    score, averaged = (look.score, look.averaged) if isinstance(look, InformationLook) else ("held-out", False)
    if score == "training":
        return training_information(look.regression(), look.time, averaged=averaged)
    if score == "loss":
        return training_loss_change(look.regression(), look.time, averaged=averaged)
    if score == "residual":
        return residuals(look)
    return functional_information(look.regression(), look.result.k_test, look.time, averaged=averaged)


@memoised()
def unseen(look: Look) -> np.ndarray:
    """``r_i = f_τ^(without i)(x_i) - y_i`` (n, k), of a removal as the look has it; raises as :func:`scores`."""
    regression, time = look.regression(), look.time
    if isinstance(look, InformationLook) and look.averaged and regression.n > 1:
        other, weigh = reweighed(regression)
        return held_out_residuals(other, time * weigh)
    return held_out_residuals(regression, time)


def residuals(look: Look) -> np.ndarray:
    """‖r_i‖ (n,), in the targets' unit: how far off its label the network is that has not seen the image (SCIENCE §3)."""
    return np.asarray(np.linalg.norm(unseen(look), axis=1))


def taken_unseen(look: Look) -> np.ndarray:
    """(n,) class that each training image is taken for by the network that has not seen it."""
    return classes(look.regression().targets + unseen(look))


def axis(look: Look) -> tuple[float, ...]:
    """The axis of training times, or of steps."""
    return axis_of(look.result, look.descent)


def axis_of(result: InfluenceResult, descent: float | None) -> tuple[float, ...]:
    """The axis of training times; of the steps of a descent those that come to the same."""
    moments = times(result)
    return moments if descent is None else tuple(dict.fromkeys(float(max(1, round(moment / descent))) for moment in moments))


def stable_rate(result: InfluenceResult, ridge: float) -> float:
    """A rate of gradient descent at which no direction oscillates: below 1 over the steepest one's rate, a number of one digit."""
    steepest = float(result.regression.eigen[0][-1]) + ridge
    return float(f"{0.5 / steepest:.1g}")


@memoised()
def _course(look: Look, *, progress: Callable[[int, int], None] | None = None) -> tuple[tuple[float, ...], np.ndarray]:
    moments = axis(look)
    chosen = tuple(moments[place] for place in np.unique(np.linspace(0, len(moments) - 1, COURSE).astype(int)))
    found = []
    for moment in chosen:  # too far apart to share nodes
        found.append(scores(replace(look, time=moment)))
        if progress is not None:
            progress(len(found), len(chosen))
    return chosen, np.stack(found)


def course(look: Look, *, progress: Callable[[int, int], None] | None = None) -> tuple[tuple[float, ...], np.ndarray]:
    """Training times (T,), or steps, and the scores (T, n) at each.

    Args:
        progress: called with (times done, all); may raise.
    """
    return _course(replace(look, time=inf), progress=progress)  # whatever the look's own time


@memoised()
def weights(look: Look) -> np.ndarray:
    """SI (n,) in nats, σ = 1 in the weights' unit."""
    averaged = isinstance(look, InformationLook) and look.averaged
    return weight_information(look.regression(), look.time, averaged=averaged)


@memoised()
def judged(look: Look) -> Judged:
    """The training images' outputs, and what follows from them."""
    return judgement(look.fitted(), look.result.labels)


def judgement(outputs: np.ndarray, labels: np.ndarray) -> Judged:
    """What follows from outputs (n, k) for images with these labels (n,)."""
    loss = np.square(outputs - targets_of(labels, outputs.shape[1])).sum(1) / 2
    if outputs.shape[1] == 1:
        margin = 2 * outputs[:, 0] * (2.0 * labels - 1)
    else:
        rows = np.arange(len(labels))
        others = outputs.copy()
        others[rows, labels] = -inf
        margin = outputs[rows, labels] - others.max(1)
    return Judged(outputs, loss, margin, classes(outputs))


def diagonal(result: InfluenceResult) -> np.ndarray:
    """k(x, x) (n,): the mean over outputs of the kernel's diagonal."""
    return result.regression.kernel_diagonal()


def influence(look: Look) -> np.ndarray:
    """(n,) how much the mean loss of all held-out images would rise without each training image; positive = helpful."""
    return look.mean(range(len(look.result.test_labels)))


def measured(look: Look, measure: Measure) -> np.ndarray:
    """One of the MEASURES of every training image (n,)."""
    if measure == "k_xx":
        return diagonal(look.result)
    if measure == "influence":
        return influence(look)
    if measure == "weights":
        return weights(look)
    if measure == "residual":
        return residuals(look)
    if measure == "information":
        return scores(replace(look, score="held-out") if isinstance(look, InformationLook) else look)
    found = judged(look)
    return found.loss if measure == "loss" else found.margin


def held_against(look: InformationLook, measure: Measure) -> Measure:
    """A measure; where that is the score itself, the other of these two."""
    if measure != SAME.get(look.score):
        return measure
    return "information" if measure == "residual" else "residual"


def ranking(
    result: InfluenceResult, view: InformationView, values: np.ndarray, passing: np.ndarray | None = None, by: np.ndarray | None = None
) -> np.ndarray:
    """Training images of the gallery in its order: of the classes shown, and of those selected in a chart where some are.

    Those most like an image come first where such are asked for.

    Args:
        passing: (n,) whether each passes the filters; None: there are none.
        by: (n,) another order; None: by ``values``.
    """
    if view.like is not None and view.like < len(values):
        order = alike_first(result, view.like)
    elif by is not None:
        order = by
    else:
        order = np.argsort(-values if view.show == "most" else values, kind="stable")
    kept = np.isin(result.labels, [place for place, name in enumerate(result.class_names) if name in view.only or not view.only])
    if picked := [image for image in view.picked if image < len(values)]:
        kept &= np.isin(np.arange(len(values)), picked)
    if passing is not None:
        kept &= passing
    return order[kept[order]]


def missing_from(result: InfluenceResult, view: InformationView) -> str:
    """What a link names that this result does not have, or ""."""
    n = len(result.labels)
    said = []
    said += [
        f"There is no training image {image:,}: they are 0 to {n - 1:,}."
        for image in dict.fromkeys((view.image, view.like))
        if image is not None and image >= n
    ]
    if unknown := [name for name in view.only if name not in result.class_names]:
        said.append(f"There is no class {unknown[0]}.")
    if any(image >= n for image in (*view.picked, *view.basket)):
        said.append("Some of the images selected do not exist here.")
    return " ".join(said)


def table(look: Look) -> pd.DataFrame:
    """All training images with their information and what it is held against; those of the largest score first.

    The column ``information`` has the look's score, F-SI where that is the residual, which has a column of its own.
    """
    result, values, found = look.result, scores(look), judged(look)
    ranked_by = look.score if isinstance(look, InformationLook) else "held-out"
    information = measured(look, "information") if ranked_by == "residual" else values
    order = np.argsort(-values, kind="stable")
    columns = {
        "image": order,
        "id": [result.ids[i] for i in order],
        "label": [result.class_names[label] for label in result.labels[order]],
        "predicted": [result.class_names[label] for label in found.predicted[order]],
        "flipped": (result.labels != result.true_labels)[order],
        "information": information[order],
    }
    columns |= {name: measured(look, name)[order] for name in get_args(Measure) if name != "information"}
    return with_texts(pd.DataFrame(columns), result.pack, look.ws)


@dataclass(frozen=True, slots=True)
class Summary:
    """A ranking in a few numbers.

    Attributes:
        total, largest, median: F-SI in nats: its sum, its maximum, its median.
        leading: share of the total that the most informative tenth of the images has; NaN where the total is 0.
        wrong: share of that tenth which the network takes for another class than its label, and ``wrong_all`` of all images.
    """

    total: float
    largest: float
    median: float
    leading: float
    wrong: float
    wrong_all: float


def summary(values: np.ndarray, found: Judged, labels: np.ndarray) -> Summary:
    """Of scores (n,) and the images as the network has them."""
    first = np.argsort(-values, kind="stable")[: max(1, round(len(values) / 10))]
    total, wrong = float(values.sum()), found.predicted != labels
    share = float(values[first].sum()) / total if total > 0 else nan
    return Summary(total, float(values.max()), float(np.median(values)), share, float(wrong[first].mean()), float(wrong.mean()))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the scores at other training times go with those looked at: times (T,), Spearman's ρ (T,), F-SI (T, n)."""

    times: tuple[float, ...]
    rho: np.ndarray
    scores: np.ndarray


def through_training(look: Look, *, progress: Callable[[int, int], None] | None = None) -> Agreement:
    """The scores at several times beside those of the look's; ``progress`` as for :func:`course`."""
    moments, over = course(look, progress=progress)
    ranks = rankdata(scores(look))
    with np.errstate(invalid="ignore"):  # before anything is learned all scores may be alike
        rho = np.array([np.corrcoef(ranks, rankdata(row))[0, 1] for row in over])
    return Agreement(moments, rho, over)


def percentiles(values: np.ndarray) -> np.ndarray:
    """(n,) share of the images that carry less, in percent: 0 the least informative."""
    return np.asarray(100 * (rankdata(values, method="min") - 1) / max(1, len(values) - 1))


def spearman(values: np.ndarray, other: np.ndarray) -> float:
    """Spearman's ρ of two measures (n,); NaN where one of them does not vary."""
    if np.ptp(values) == 0 or np.ptp(other) == 0:
        return nan
    return float(np.corrcoef(rankdata(values), rankdata(other))[0, 1])


def course_table(result: InfluenceResult, over: Agreement) -> pd.DataFrame:
    """A row for each training image, a column for each time."""
    columns = {"image": np.arange(len(result.labels)), "label": [result.class_names[label] for label in result.labels]}
    return pd.DataFrame(columns | {f"tau_{time:g}": row for time, row in zip(over.times, over.scores, strict=True)})


def agreement_table(over: Agreement) -> pd.DataFrame:
    """A row for each time."""
    return pd.DataFrame({"tau": over.times, "spearman": over.rho, "median": np.median(over.scores, axis=1)})


def unseen_classes(result: InfluenceResult) -> tuple[str, ...]:
    """Classes that no held-out image has: F-SI, a mean over those, does not see what images tell about them."""
    return tuple(name for place, name in enumerate(result.class_names) if not (result.test_labels == place).any())
