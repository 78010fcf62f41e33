"""What the retraining study will take here, from measured rates: trainings, a kernel, products with the Hessian."""

from math import ceil, log, sqrt

from ntkcore.analyses.forecast import Forecast, Needs, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence, influence_stages
from ntkcore.analyses.information.believe.plan import BATCH, CHUNK, DEPTH, FEWEST, MOST_ITERATIONS, TOLERANCE, damping
from ntkcore.analyses.progress import PAIRS, SPECTRUM, STUDY, Stage
from ntkcore.analyses.verification.forecast import descent, forecast_verification
from ntkcore.analyses.verification.trained import probe, rate_name
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.specs.believe import RetrainingStudySpec

_SOON = 20  # products after which conjugate gradients have met negative curvature where λ is 0
_MATRICES = 8  # (n k)² in float64, of the kernel at the trained weights, its vectors and what they are made from


def forecast_retraining(spec: RetrainingStudySpec, ws: Workspace) -> Forecast:
    """What it will take; measures a few steps and products the first time. Without the scores, what these will take.

    Raises:
        SpecError: a pseudo-NTK of several outputs, which no real network follows; too many steps.
    """
    sample = sample_of(spec.influence.dataset, ws)
    if spec.influence.kernel == "pseudo" and sample.outputs > 1:
        raise SpecError(
            f"The pseudo-NTK stands for the full kernel of {sample.outputs} outputs, and retraining follows the full one.",
            "Choose the full kernel, or two classes, for which they are the same.",
        )
    if not INFLUENCE.ready(spec.influence, ws):  # how many steps there will be is in the kernel's eigenvalues
        return forecast_influence(spec.influence, ws)
    result = INFLUENCE.open(spec.influence, ws)
    n, m = spec.influence.dataset.n, spec.influence.test
    some = tuple(range(min(CHUNK, spec.removals)))
    trainings = [forecast_verification(spec.verification(ridge, some), ws) for ridge in spec.ridges]

    def memory(count: int) -> int:
        own = 8 * sample.outputs**2 * (_MATRICES * count * count + 3 * count * m)
        return max(one.memory for one in trainings) + own + 4 * 8 * (result.parameters or 0)

    def stages() -> tuple[Stage, ...]:
        wanted = spec.verification(spec.ridges[0], some)
        rate = ws.rates.get(rate_name("hessian", wanted, sample), lambda: probe("hessian", wanted, sample, ws))
        assert rate is not None  # a probe was given
        closed = sum(stage.seconds for stage in influence_stages(spec.influence, sample, ws) if stage.name in (PAIRS, SPECTRUM))
        seconds, chunks = 0.0, ceil(spec.removals / CHUNK)
        for ridge, training in zip(spec.ridges, trainings, strict=True):
            steps = descent(spec.verification(ridge, some), result)[1]
            each = training.seconds / (len(some) + 1) * max(1.0, FEWEST / steps)
            bound = sqrt(float(result.regression.eigen[0][-1]) / damping(spec, ridge)) / 2 * log(2 / TOLERANCE)
            likely = min(bound, MOST_ITERATIONS if ridge else _SOON)
            images = likely * n + DEPTH * min(BATCH, n)  # of a vector's products; several share the gradient, half of the work
            seconds += each * (spec.removals + 1) + closed + rate * images * (chunks + spec.removals) / 2
        return (Stage(STUDY, "pieces", 1, seconds),)

    return Needs(n, memory, lambda count: 2**16 * len(spec.ridges) * spec.removals + 8 * (result.parameters or 0)).forecast(stages, ws)
