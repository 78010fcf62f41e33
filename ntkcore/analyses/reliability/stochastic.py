"""What stochastic estimation adds: estimates on a real network held against retraining, and where LiSSA's error comes from.

IF-NTK leaves it open: "explore the approximation error caused by stochastic estimation in IHVP" (its future work 1). From retraining to
one run of LiSSA there are six steps, in each of which one thing changes; this module measures them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.influence.views import missing_from
from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.analyses.verification.analysis import leading
from ntkcore.analyses.words import percent
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.influence.trust import centre
from ntkcore.learnability import spearman_interval
from ntkcore.learnability.pearson import pearson_interval
from ntkcore.specs.influence import InfluenceView
from ntkcore.specs.network_ihvp import NetworkIhvpSpec
from ntkcore.specs.reliability import ReliabilityView

LITTLE, MORE, SMALLER = 0.5, 0.125, 1.0
"""Shares of the formula's own error. Stochastic estimation adds little where it moves an influence by half of it at most and the error of
one run is an eighth more at most, which is what two independent errors of such sizes come to; it is the smaller of the two up to the whole.
The thresholds are ours."""
_UNFINISHED = 0.01  # of an influence: beyond it, stopping before the end of training is said


@dataclass(frozen=True, slots=True)
class Agreement:
    """One estimate beside retraining: its name for people, Pearson's r, Spearman's ρ and the mean of |Î - I| / |I|, NaN if not defined."""

    name: str
    title: str
    pearson: float
    spearman: float
    rate: float


@dataclass(frozen=True, slots=True)
class Gap:
    """One step from retraining to a run of LiSSA: what changes, and the mean of its size over the size of the true influence."""

    name: str
    title: str
    size: float


def to_compare(result: InfluenceResult, view: ReliabilityView, target: int, ws: Workspace) -> NetworkIhvpSpec:
    """The comparison for one held-out image: the images that influence it most at the view's λ and τ, as the influence page retrains.

    Raises:
        SpecError: there is no such network, or λ is 0; says what to choose.
    """
    if result.spec.kernel == "infinite":
        raise SpecError(
            "There is no real network to hold this kernel against.", "Choose the two-layer kernel, or the pseudo-NTK of a network."
        )
    if result.spec.training is not None:
        raise SpecError("Retraining begins where the kernel was taken.", "Choose the kernel at initialisation.")
    if view.ridge == 0:
        raise SpecError(
            "Without λ the Hessian of a network with more weights than images has no inverse.", "Choose λ above 0 to compare real networks."
        )
    look = InfluenceView(ridge=view.ridge, time=view.time, verify=view.verify, target=target, leading=view.leading)
    return NetworkIhvpSpec(
        verification=leading(result, look, target, ws),
        target=target,
        depth=view.steps,
        batch=view.minibatch,
        repeats=view.runs,
    )


def asked(result: InfluenceResult, view: ReliabilityView, ws: Workspace) -> NetworkIhvpSpec:
    """The comparison for the view's held-out image; None: the one of the largest loss.

    Raises:
        SpecError: as :func:`to_compare`, or there is no such image.
    """
    wanted = InfluenceView(ridge=view.ridge, time=view.time, target=view.target)
    if problem := missing_from(result, wanted):
        raise SpecError(problem, "Name one of those.")
    return to_compare(result, view, Subject.of(Look.of(result, view.ridge, view.time, ws), wanted).target, ws)


def view_of(spec: NetworkIhvpSpec) -> ReliabilityView:
    """The view of the reliability page in which a comparison stands."""
    of = spec.verification
    width = {"leading": len(of.removed)} | ({} if of.width is None else {"verify": of.width})
    values = {"ridge": of.ridge, "time": of.time, "target": spec.target, "steps": spec.depth, "minibatch": spec.batch, "runs": spec.repeats}
    return ReliabilityView.model_validate(values | width)


def agreements(found: NetworkIhvp) -> tuple[Agreement, ...]:
    """Every estimate beside retraining; of single runs of LiSSA the means over runs. Those that failed are left out."""
    both = found.spec.verification.width is None
    rows = [
        ("kernel", "I, kernel (14)", found.kernel[None]),
        ("regime", "Î, kernel (13)", found.regime[None]),
        ("hessian", "Î, network, Hessian (12)" if both else "Î, network (12)", found.hessian[None]),
        *([("gauss_newton", "Î, network, Gauss-Newton", found.gauss_newton[None])] if both else []),
        ("run", "LiSSA, one run", found.lissa),
        ("lissa", f"LiSSA, mean of {len(found.lissa)}", found.lissa_mean[None]),
    ]
    return tuple(_agreement(*row, found.actual) for row in rows if np.isfinite(row[2]).all())


def _agreement(name: str, title: str, estimates: np.ndarray, actual: np.ndarray) -> Agreement:
    pearson = [pearson_interval(one, actual).r for one in estimates]
    spearman = [spearman_interval(one, actual, replicates=0).rho for one in estimates]
    return Agreement(name, title, float(np.mean(pearson)), float(np.mean(spearman)), _relative(estimates - actual, actual))


def gaps(found: NetworkIhvp) -> tuple[Gap, ...]:
    """The steps from retraining to one run of LiSSA; without those of an estimate that failed."""
    batch = min(found.spec.batch, found.spec.verification.influence.dataset.n)
    steps = [
        ("kernel", "Kernel’s I instead of retraining", found.kernel - found.actual),
        ("time", f"End of training instead of τ = {found.spec.verification.time:g}", found.kernel_end - found.kernel),
        ("formula", "IHVP’s formula Î instead of I", found.regime - found.kernel_end),
        ("network", "Î on the network instead of the kernel", found.exact - found.regime),
        ("depth", f"Recursion ended after {found.depth or 0:,} steps", found.mean_run - found.exact),
        ("batches", f"Batches of {batch} images", found.lissa - found.mean_run),
    ]
    return tuple(Gap(name, title, _relative(change, found.actual)) for name, title, change in steps if np.isfinite(change).all())


def formula_error(found: NetworkIhvp) -> float:
    """Mean error rate of IHVP on this network, solved without chance."""
    return _relative(found.exact - found.actual, found.actual)


def estimation_error(found: NetworkIhvp) -> float:
    """How far one run of LiSSA is from what it estimates, in parts of the true influence, on average."""
    return _relative(found.lissa - found.exact, found.actual)


def answer(found: NetworkIhvp) -> tuple[str, ...]:
    """What stochastic estimation adds, in sentences; the first is the verdict."""
    if not np.isfinite(found.exact).all() or "lissa" in found.failures:
        return tuple(said.rstrip(".") + "." for said in dict.fromkeys(found.failures.values()))
    by = {row.name: row for row in agreements(found)}
    sizes = {gap.name: gap.size for gap in gaps(found)}
    own, moved = formula_error(found), estimation_error(found)
    if moved <= LITTLE * own and by["run"].rate <= (1 + MORE) * own:
        verdict = "Stochastic estimation adds little"
    elif moved <= SMALLER * own:
        verdict = "Stochastic estimation adds an error of its own, smaller than the formula’s"
    else:
        verdict = "Stochastic estimation is the larger error"
    mostly = "its batches" if sizes["batches"] >= sizes["depth"] else "ending its recursion early"
    said = [
        f"{verdict}: solved by conjugate gradients, IHVP on this network misses retraining by {_percent(own)} on average; one run of "
        f"LiSSA by {_percent(by['run'].rate)}, the mean of {len(found.lissa)} runs by {_percent(by['lissa'].rate)}.",
        f"One run is {_percent(moved)} of an influence away from what it estimates, mostly by {mostly}: chance moves it by "
        f"{_percent(sizes['batches'])}, ending after {found.depth or 0:,} steps by {_percent(sizes['depth'])}.",
        f"In the kernel regime the formula itself misses by {_percent(sizes['formula'])} (Î against I); that the network is finite moves "
        f"the true influence by {_percent(sizes['kernel'])} and the estimate by {_percent(sizes['network'])}.",
    ]
    if sizes["time"] > _UNFINISHED:
        said.append(
            f"Training ended at τ = {found.spec.verification.time:g}, before the minimum that the formula assumes: in the kernel regime "
            f"that moves an influence by {_percent(sizes['time'])}."
        )
    return tuple(said)


def network_table(found: NetworkIhvp) -> pd.DataFrame:
    """One row per training image left out: its influence by retraining and by every estimate."""
    return pd.DataFrame(
        {
            "image": found.images,
            "retraining": found.actual,
            "kernel": found.kernel,
            "kernel_end": found.kernel_end,
            "ihvp_kernel": found.regime,
            "cg_hessian": found.hessian,
            "cg_gauss_newton": found.gauss_newton,
            "lissa_mean": found.lissa_mean,
            "lissa_deviation": found.lissa_deviation,
            "lissa_all_images": found.mean_run,
        }
    )


def agreement_table(found: NetworkIhvp) -> pd.DataFrame:
    """One row per estimate: its agreement with retraining."""
    rows = [(row.title, row.pearson, row.spearman, row.rate) for row in agreements(found)]
    return pd.DataFrame(rows, columns=["estimate", "pearson", "spearman", "mean_error_rate"])


def gap_table(found: NetworkIhvp) -> pd.DataFrame:
    """One row per step from retraining to a run of LiSSA."""
    return pd.DataFrame([(gap.title, gap.size) for gap in gaps(found)], columns=["step", "mean_size"])


def _relative(change: np.ndarray, actual: np.ndarray) -> float:
    """Mean of |change| / |actual|, images without influence left out."""
    sizes = np.broadcast_to(np.abs(actual), change.shape)
    return float(centre(np.divide(np.abs(change), sizes, out=np.full(change.shape, np.nan), where=sizes > 0), "mean"))


def _percent(share: float) -> str:
    """To a tenth of a percent: what is less is rounding."""
    return percent(round(share, 3))
