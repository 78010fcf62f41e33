"""What comparing the IHVP method with retraining will take here, of what is not stored yet, from measured rates."""

from math import ceil, log, prod, sqrt

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, reading, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.memory import activations
from ntkcore.analyses.progress import GRADIENTS, LISSA, RETRAINING, TRAINING, Stage
from ntkcore.analyses.reliability.estimates import MOST_ITERATIONS, is_estimated, open_estimate
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.forecast import descent, forecast_verification
from ntkcore.analyses.verification.trained import PROBED, is_trained, probe, rate_name
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.influence.products import HELD
from ntkcore.influence.system import DEEPEST
from ntkcore.kernels.engine import BATCH_BYTES
from ntkcore.specs.network_ihvp import Curvature, NetworkIhvpSpec, TrainedSpec

_VECTORS = 12  # of the size of θ, at the peak: θ and θ0, the model's copies, those of conjugate gradients, and a product's
_EXCESS = 2.2  # a batch's largest curvature on a network over that of the kernel of all images, about


def forecast_network_ihvp(spec: NetworkIhvpSpec, ws: Workspace) -> Forecast:
    """What it will take; measures products on a few images the first time.

    Raises:
        SpecError: training to τ would take too many steps.
    """
    sample = sample_of(spec.verification.influence.dataset, ws)
    result = INFLUENCE.open(spec.verification.influence, ws)
    n, m = len(result.labels), len(result.test_labels)
    size = 4 * (result.parameters or (spec.verification.width or 0) * prod(sample.inputs.shape[1:]))
    model, width = spec.verification.influence.model, spec.verification.width
    numbers = activations(model, sample, ws) if width is None and model is not None else 2 * (width or 0)
    retraining = None if VERIFICATION.ready(spec.verification, ws) else forecast_verification(spec.verification, ws)

    def memory(count: int) -> int:
        batch = min(BATCH_BYTES["cpu"], 4 * 2 * HELD * numbers * max(count, m))  # of one vector's product
        own = BASE_MEMORY + _VECTORS * size + batch + 8 * 4 * count * (count + m)
        return own if retraining is None else max(own, retraining.memory)

    def disk(count: int) -> int:
        return size + 8 * (spec.repeats + 8) * count + (spec.repeats + 4) * 2**14 + (0 if retraining is None else retraining.disk)

    return Needs(n, memory, disk).forecast(lambda: network_ihvp_stages(spec, result, ws), ws)


def network_ihvp_stages(spec: NetworkIhvpSpec, result: InfluenceResult, ws: Workspace) -> tuple[Stage, ...]:
    """The stages; what is stored already takes no time."""
    sample = sample_of(spec.verification.influence.dataset, ws)
    n, m = len(result.labels), len(result.test_labels)
    _, steps = descent(spec.verification, result)
    stages = [reading(n + m)]
    once = 0.0
    for retraining in forecast_verification(spec.verification, ws).stages:
        if retraining.name == RETRAINING:
            once = retraining.seconds * steps / retraining.total
            if not VERIFICATION.ready(spec.verification, ws):
                stages.insert(0, retraining)
    stages.append(Stage(TRAINING, "steps", steps, 0.0 if is_trained(TrainedSpec.of(spec.verification), ws) else once))
    iterations, kinds = likely_iterations(spec, result), spec.curvatures
    left = [kind for kind in kinds if not is_estimated(spec.exact(kind), ws)]
    seconds = sum((iterations + 2) * n * _rate(kind, spec, sample, ws) for kind in left)
    stages.append(Stage(GRADIENTS, "products", iterations * len(kinds), seconds))
    curvature, weights, depth = _curvature(spec, ws), run_weights(spec), likely_depth(spec, result, ws)
    asked = [*(spec.run(number, curvature) for number in range(spec.repeats)), spec.without_chance(curvature)]
    missing = [not is_estimated(estimate, ws) for estimate in asked]
    images = sum(depth * min(estimate.batch or n, n) for estimate, gone in zip(asked, missing, strict=True) if gone)
    images += PROBED * min(spec.batch, n) if missing[0] and spec.scale is None else 0
    stages.append(Stage(LISSA, "batches", depth * sum(weights), images * _rate(curvature, spec, sample, ws) if images else 0.0))
    return tuple(stages)


def run_weights(spec: NetworkIhvpSpec) -> list[int]:
    """Work of LiSSA's runs, and of the one without chance, in runs."""
    n = spec.verification.influence.dataset.n
    return [*([1] * spec.repeats), ceil(n / min(spec.batch, n))]


def likely_iterations(spec: NetworkIhvpSpec, result: InfluenceResult) -> int:
    """Of conjugate gradients, by the kernel's condition: at most ``√κ / 2 log(2 / tolerance)``."""
    bound = sqrt(_largest(spec, result) / spec.verification.ridge) / 2 * log(2 / spec.tolerance)
    return max(1, min(MOST_ITERATIONS, result.regression.n * result.regression.k, ceil(bound)))


def likely_depth(spec: NetworkIhvpSpec, result: InfluenceResult, ws: Workspace) -> int:
    """Of LiSSA: what was asked for, or what its first run took, or what it will take."""
    if spec.depth is not None:
        return spec.depth
    first = spec.run(0, _curvature(spec, ws))
    known = open_estimate(first, ws).depth if is_estimated(first, ws) else None
    scale = _EXCESS * _largest(spec, result) if spec.scale is None else spec.scale
    return known or max(10, min(DEEPEST, ceil(log(100) * scale / spec.verification.ridge)))


def _largest(spec: NetworkIhvpSpec, result: InfluenceResult) -> float:
    """Largest curvature, as the kernel has it, plus λ."""
    pseudo = spec.verification.influence.kernel == "pseudo"  # the full kernel's may be k times the pseudo-NTK's
    return float(result.regression.eigen[0][-1]) * (result.regression.k if pseudo else 1) + spec.verification.ridge


def _curvature(spec: NetworkIhvpSpec, ws: Workspace) -> Curvature:
    """LiSSA's, as far as it is known."""
    exact = spec.exact("hessian")
    return "gauss-newton" if is_estimated(exact, ws) and open_estimate(exact, ws).failure else "hessian"


def _rate(curvature: Curvature, spec: NetworkIhvpSpec, sample: Dataset, ws: Workspace) -> float:
    name = rate_name(curvature, spec.verification, sample)
    rate = ws.rates.get(name, lambda: probe(curvature, spec.verification, sample, ws))
    assert rate is not None  # a probe was given
    return rate
