"""The plain answer on top of the convergence page: how far, what it costs, whether predictions agree, and which kernel to use.

It speaks of the widest network at the epoch looked at, and of the cheap kernel chosen. Its rules, in their order:

1. Far or near: the mean over seeds of ‖Θ̂ ⊗ I - Θ‖_F / ‖Θ‖_F, with its standard error for two seeds or more. That it falls with the width
   is said only where the fitted exponent's 95 % interval lies below 0. The theory (at initialisation) lets it fall at least as the
   width to the -1/2: that it falls so is said only where the interval holds -1/2 and is narrower than 1/2; that it falls more slowly
   only where the whole interval lies above.
2. Cost: the ratio of the measured seconds of the training images' kernels (median over seeds), and of the numbers held, k².
3. Predictions: the mean share of held-out images given the same class, and the mean difference of the accuracies. Its 95 % margin is
   the larger of that over seeds (Student's t), and 1.96 √(d / m), from a bound on the standard error over the m held-out images when
   a share d of them is given different classes; of one network, the latter alone. Networks whose regression needed a jitter are left
   out, unless asked for: their kernel is singular to rounding, and their predictions are those of the jitter.
4. Which: nothing is advised where a regression that counts needed a jitter, or all did. Two accuracies differ only when more than the
   margin lies between them. If the full kernel is more accurate: the
   full kernel. If the cheap one is: the cheap one, which is then another kernel rather than a copy. If neither: the cheap one where
   at least 95 % of the classes agree, else the cheap one for accuracies and the full one for single predictions. In every case a
   kernel more than half its norm away is no copy of the full one, and its entries and eigenvalues should not be read as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
from scipy.stats import t as student_t

from ntkcore.analyses.convergence.comparison import Comparison
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.words import percent, signed
from ntkcore.convergence import THEORY, PowerLaw, power_law
from ntkcore.specs.convergence import ConvergenceView

NAMES = {"pseudo": "pseudo-NTK", "first": "first-logit kernel"}
SAME = 0.95  # share of equal classes from which on two regressions count as one
FAR = 0.5  # of the full kernel's norm
_NARROW = 0.5  # width of an interval from which an exponent is said to be the theory's
_NORMAL = 1.96  # standard errors in a 95 % margin


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
        margin: 95 % margin of their difference.
        singular: the kernels ("cheap", "full") whose regression needed a jitter in a network that counts, or in all.
        left_out: networks that do not count in rule 3, for their regressions rest on a jitter.
        failed: seeds of this width whose training diverged.
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
    margin: float
    singular: tuple[str, ...]
    left_out: int
    failed: int


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
    if found.failed:
        of = "a seed" if found.failed == 1 else f"{found.failed} seeds"
        said.insert(0, f"Training diverged for {of} of width {found.width:,}: this is about the others.")
    if result.ready < len(result.points):
        said.insert(0, f"So far {result.ready} of {len(result.points)} comparisons are computed; this is what they say.")
    return tuple(text for text in said if text)


def brief(result: ConvergenceResult, view: ConvergenceView) -> tuple[str, ...]:
    """What the answer rests on, in a few words each; () where there is no answer."""
    found = verdict(result, view)
    if found is None:
        return ()
    error = f" ± {_error(found.distance_error)}" if isfinite(found.distance_error) else ""
    said = [f"Width {found.width:,}, {_when(found)}", f"{percent(found.distance)}{error} from the full kernel"]
    if isfinite(found.times):
        said.append(f"{found.times:.2g} times as fast")
    if isfinite(found.agreement):
        said.append(f"{percent(found.agreement)} of the classes the same")
        said.append(f"accuracy {signed(100 * (found.cheap - found.full), 1)} ± {100 * found.margin:.1f} points")
    return tuple(said)


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
    solved = [point for point in points if form in point.agreement]
    sound = [point for point in solved if not any(point.jitter.get(held, 0.0) > 0 for held in (form, "full"))]
    fitted = solved if view.jittered or not sound else sound
    agreement = _mean([point.agreement[form] for point in fitted])[0]
    gap_error = _mean([point.accuracy[form] - point.accuracy["full"] for point in fitted])[1]
    images = _NORMAL * sqrt(max(0.0, 1 - agreement) / points[0].m) if fitted else nan
    seeds = float(student_t.ppf(0.975, len(fitted) - 1)) * gap_error if len(fitted) > 1 else nan
    needed = {"cheap": form, "full": "full"}
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
        margin=max(images, seeds) if isfinite(seeds) else images,
        singular=tuple(name for name, held in needed.items() if any(point.jitter.get(held, 0.0) > 0 for point in fitted)),
        left_out=len(solved) - len(fitted),
        failed=sum(p is not None and bool(p.diverged) and (p.epoch, p.width) == (epoch, width) for p in result.points),
    )


def _when(found: Verdict) -> str:
    return f"after epoch {found.epoch}" if found.epoch else "at initialisation"


def _distance(found: Verdict, name: str) -> str:
    far = percent(found.distance)
    if isfinite(found.distance_error):
        far += f" ± {_error(found.distance_error)} (mean of {found.seeds} seeds ± its standard error)"
    said = f"At width {found.width:,}, {_when(found)}, the {name} is {far} of the full kernel’s norm away from it"
    law = found.law
    if not law.defined or not isfinite(law.low):
        return f"{said}."
    interval = f"95 % interval {signed(law.low)} to {signed(law.high)}"
    if law.high >= 0:
        return f"{said}; no fall with the width can be made out (exponent {signed(law.slope)}, {interval})."
    theory = ""
    if found.epoch == 0:
        if law.low > THEORY:
            theory = ", more slowly than the −0.5 of the theory"
        elif law.high >= THEORY and law.high - law.low < _NARROW:
            theory = ", as the theory has it"
    return f"{said}; the difference falls as the width to the power {signed(law.slope)} ({interval}){theory}."


def _cost(found: Verdict, name: str) -> str:
    k = found.k
    memory = (
        f"the {name} holds one number for every pair of images instead of {k * k:,}, and its regression solves a system {k:,} times smaller"
    )
    if not isfinite(found.times):
        return f"What it costs: {memory}; the kernels’ times were not measured in one piece."
    if found.times >= 1:
        return f"What it costs: computing the full kernel took {found.times:.2g} times as long; {memory}."
    return f"What it costs: the {name} took {1 / found.times:.2g} times as long as the full kernel; {memory}."


def _predictions(found: Verdict, name: str) -> str:
    if not isfinite(found.agreement):
        return "Their predictions cannot be compared: a kernel regression had no answer."
    gap = 100 * (found.cheap - found.full)
    return (
        f"Regression with it gives {percent(found.agreement)} of the held-out images the same class as the full kernel does; "
        f"it is right on {percent(found.cheap)}, the full kernel on {percent(found.full)}: "
        f"a difference of {signed(gap, 1)} points, 95 % margin ± {100 * found.margin:.1f}"
        + (" over images, of this one network" if found.seeds - found.left_out == 1 else "")
        + (f"; {found.left_out} of {found.seeds} seeds left out, as they rest on a jitter." if found.left_out else ".")
    )


def _advice(found: Verdict, name: str) -> str:
    if not isfinite(found.agreement):
        return "Which to use: choose λ > 0, or compute in float64, so that both regressions have an answer."
    if found.singular:
        names = " and ".join({"cheap": f"the {name}", "full": "the full kernel"}[held] for held in found.singular)
        return (
            f"Which to use: that cannot be said here, as {names} could be solved with only after a jitter: singular to rounding, its "
            "predictions are the jitter’s. Choose λ > 0, or float64."
        )
    gap, far = found.cheap - found.full, found.distance > FAR
    copy = " It is no copy of the full kernel, though: do not read the full kernel’s entries or eigenvalues from it." if far else ""
    if gap < -found.margin:
        return "Which to use: the full kernel, where it fits: the cheap one is measurably less accurate here."
    if gap > found.margin:
        return f"Which to use: the {name}: it costs less and is the more accurate here, as a kernel of its own.{copy}"
    if found.agreement >= SAME:
        return f"Which to use: the {name}: its predictions are the full kernel’s to within {percent(1 - found.agreement)}.{copy}"
    return (
        f"Which to use: the {name} where accuracy is what counts, as no difference of accuracy can be made out; "
        f"the full kernel where single predictions count, as {percent(1 - found.agreement)} of them differ.{copy}"
    )


def _timed(point: Comparison, form: str) -> bool:
    return all(isfinite(point.seconds.get(name, nan)) and point.seconds[name] > 0 for name in ("full", form))


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error; NaN for none, and for the error of fewer than two."""
    if not values:
        return nan, nan
    return float(np.mean(values)), float(np.std(values, ddof=1) / sqrt(len(values))) if len(values) > 1 else nan


def _error(share: float) -> str:
    """An error in percent, with the one digit that it is known to."""
    return f"{float(f'{100 * share:.1g}'):g} %"
