"""The plain answer on top of the convergence page: how far, what it costs, whether predictions agree, and which kernel to use.

It speaks of the widest network at the epoch looked at, and of the cheap kernel chosen. Its rules, in their order:

1. Far or near: the mean over seeds of ‖Θ̂ ⊗ I - Θ‖_F / ‖Θ‖_F, with its standard error for two seeds or more. That it falls with the width
   is said only where the fitted exponent's 95 % interval lies below 0, and that it falls as the theory says only where the interval
   holds -1/2 (the theory speaks of initialisation).
2. Cost: the ratio of the measured seconds of the training images' kernels (median over seeds), and of the numbers held, k².
3. Predictions: the mean share of held-out images given the same class, and the mean difference of the accuracies. Its standard
   error is the larger of that over seeds, and √(d / m), a bound on that over the m held-out images when a share d of them is given
   different classes.
4. Which: two accuracies differ only when more than two standard errors lie between them. If the full kernel is more accurate: the
   full kernel. If the cheap one is: the cheap one, which is then another kernel rather than a copy. If neither: the cheap one where
   at least 95 % of the classes agree, else the cheap one for accuracies and the full one for single predictions. In every case a
   kernel more than half its norm away is no copy of the full one, and its entries and eigenvalues should not be read as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np

from ntkcore.analyses.comparison import Comparison
from ntkcore.analyses.convergence import ConvergenceResult
from ntkcore.convergence import PowerLaw, power_law
from ntkcore.specs import ConvergenceView

NAMES = {"pseudo": "pseudo-NTK", "first": "first-logit kernel"}
SAME = 0.95  # share of equal classes from which on two regressions count as one
FAR = 0.5  # of the full kernel's norm
SURE = 2.0  # standard errors
_THEORY = -0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """The numbers the answer is made of; NaN where unknown.

    Attributes:
        width, epoch: of the networks it speaks of; ``seeds`` of them.
        distance, distance_error: rule 1.
        law: the power law of the distance over the width at this epoch.
        times: how many times longer the full kernel took.
        k: outputs; the full kernel holds k² numbers a pair.
        agreement: rule 3.
        cheap, full: accuracies of the regressions.
        error: standard error of their difference.
    """

    width: int
    epoch: int
    seeds: int
    distance: float
    distance_error: float
    law: PowerLaw
    times: float
    k: int
    agreement: float
    cheap: float
    full: float
    error: float


def epoch_of(result: ConvergenceResult, view: ConvergenceView) -> int:
    """The epoch shown: the view's, if it was looked at, else the first look."""
    return view.epoch if view.epoch is not None and view.epoch in result.spec.looks else result.spec.looks[0]


def answer(result: ConvergenceResult, view: ConvergenceView) -> tuple[str, ...]:
    """The answer in sentences, the recommendation last; () until a comparison of this epoch is there."""
    found = verdict(result, view)
    if found is None:
        return ()
    name = NAMES[view.kernel]
    said = [_distance(found, name), _cost(found, name), _predictions(found, name), _advice(found, name)]
    if lost := sorted(
        {p.width for p in result.points if p is not None and p.diverged and p.epoch == found.epoch and p.width > found.width}
    ):
        said.insert(
            0, f"Training diverged at width {', '.join(f'{width:,}' for width in lost)}: this is about the widest network that did not."
        )
    if result.ready < len(result.points):
        said.insert(0, f"So far {result.ready} of {len(result.points)} comparisons are computed; this is what they say.")
    return tuple(text for text in said if text)


def verdict(result: ConvergenceResult, view: ConvergenceView) -> Verdict | None:
    """The numbers of the answer; None until a comparison of this epoch is there.

    It speaks of the widest network of which a comparison is there and did not diverge.
    """
    epoch, form = epoch_of(result, view), view.kernel
    there = [p for p in result.points if p is not None and p.epoch == epoch and not p.diverged]
    if not there:
        return None
    width = max(point.width for point in there)
    points = [point for point in there if point.width == width]
    distance, distance_error = _mean([point.frobenius[form] for point in points])
    ratios = [point.seconds["full"] / point.seconds[form] for point in points if _timed(point, form)]
    fitted = [point for point in points if form in point.agreement]
    agreement = _mean([point.agreement[form] for point in fitted])[0]
    gap_error = _mean([point.accuracy[form] - point.accuracy["full"] for point in fitted])[1]
    images = sqrt(max(0.0, 1 - agreement) / points[0].m) if fitted else nan
    return Verdict(
        width=width,
        epoch=epoch,
        seeds=len(points),
        distance=distance,
        distance_error=distance_error,
        law=power_law([point.width for point in there], [point.frobenius[form] for point in there]),
        times=float(np.median(ratios)) if ratios else nan,
        k=points[0].k,
        agreement=agreement,
        cheap=_mean([point.accuracy[form] for point in fitted])[0],
        full=_mean([point.accuracy["full"] for point in fitted])[0],
        error=max(images, gap_error) if isfinite(gap_error) else images,
    )


def _distance(found: Verdict, name: str) -> str:
    when = f"after epoch {found.epoch}" if found.epoch else "at initialisation"
    far = _percent(found.distance)
    if isfinite(found.distance_error):
        far += f" ± {_percent(found.distance_error)} (mean of {found.seeds} seeds ± its standard error)"
    said = f"At width {found.width:,}, {when}, the {name} is {far} of the full kernel’s norm away from it"
    law = found.law
    if not law.defined or not isfinite(law.low):
        return f"{said}."
    interval = f"95 % interval {_signed(law.low)} to {_signed(law.high)}"
    if law.high >= 0:
        return f"{said}; no fall with the width can be made out (exponent {_signed(law.slope)}, {interval})."
    theory = ""
    if found.epoch == 0:
        theory = ", as the theory has it" if law.low <= _THEORY <= law.high else ", while the theory has −0.5"
    return f"{said}; the difference falls as the width to the power {_signed(law.slope)} ({interval}){theory}."


def _cost(found: Verdict, name: str) -> str:
    k = found.k
    memory = f"it holds one number for every pair of images instead of {k * k:,}, and its regression solves systems {k:,} times smaller"
    if not isfinite(found.times):
        return f"What it costs: {memory}; the kernels’ times were not measured in one piece."
    if found.times >= 1:
        return f"What it costs: the full kernel took {found.times:.2g} times as long; {memory}."
    return f"What it costs: it took {1 / found.times:.2g} times as long as the full kernel; {memory}."


def _predictions(found: Verdict, name: str) -> str:
    if not isfinite(found.agreement):
        return "Their predictions cannot be compared: a kernel regression had no answer."
    gap = 100 * (found.cheap - found.full)
    return (
        f"Regression with it gives {_percent(found.agreement)} of the held-out images the same class as the full kernel does; "
        f"it is right on {_percent(found.cheap)}, the full kernel on {_percent(found.full)}: "
        f"a difference of {_signed(gap, 1)} points, standard error at most {100 * found.error:.1f}."
    )


def _advice(found: Verdict, name: str) -> str:
    if not isfinite(found.agreement):
        return "Which to use: choose λ > 0, or compute in float64, so that both regressions have an answer."
    gap, far = found.cheap - found.full, found.distance > FAR
    copy = " It is no copy of the full kernel, though: do not read the full kernel’s entries or eigenvalues from it." if far else ""
    if gap < -SURE * found.error:
        return "Which to use: the full kernel, where it fits: the cheap one is measurably less accurate here."
    if gap > SURE * found.error:
        return f"Which to use: the {name}: it costs less and is the more accurate here, as a kernel of its own.{copy}"
    if found.agreement >= SAME:
        return f"Which to use: the {name}: its predictions are the full kernel’s to within {_percent(1 - found.agreement)}.{copy}"
    return (
        f"Which to use: the {name} where accuracy is what counts, as no difference of accuracy can be made out; "
        f"the full kernel where single predictions count, as {_percent(1 - found.agreement)} of them differ.{copy}"
    )


def _timed(point: Comparison, form: str) -> bool:
    return all(isfinite(point.seconds.get(name, nan)) and point.seconds[name] > 0 for name in ("full", form))


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error; NaN for none, and for the error of fewer than two."""
    if not values:
        return nan, nan
    return float(np.mean(values)), float(np.std(values, ddof=1) / sqrt(len(values))) if len(values) > 1 else nan


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"


def _signed(value: float, decimals: int = 2) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")
