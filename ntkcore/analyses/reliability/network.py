"""The IHVP method on a real network, beside retraining: by conjugate gradients, and by repeated runs of LiSSA (IF-NTK eq. 12).

One job of many parts: the retraining (a verification, whose artifact it is), θ, and each estimate, all stored as they are finished; what
is held against each other is then stored together. Everything that is said of it is in :mod:`ntkcore.analyses.reliability.answer`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.influence.analysis import InfluenceResult, is_ready, open_influence
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import GRADIENTS, IMAGES, LISSA, Reporter
from ntkcore.analyses.reliability.estimates import Estimate, ensure_estimate
from ntkcore.analyses.reliability.forecast import forecast_network_ihvp, likely_iterations, run_weights
from ntkcore.analyses.verification.analysis import is_verified, open_verification, run_verification, verification_key
from ntkcore.analyses.verification.trained import TrainedNetwork, rate_name, trained_network
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import SpecError
from ntkcore.influence import ihvp_influence, kernel_influence
from ntkcore.specs import Curvature, EstimateSpec, NetworkIhvpSpec, key_of
from ntkcore.store import Artifact, Draft

KIND = "network-ihvp"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class NetworkIhvp:
    """Influences of r training images on one held-out image, each image by retraining, by the kernel, and by every estimate.

    Attributes:
        spec, key: what was asked for, and its key.
        images: (r,) the training images.
        actual: (r,) by retraining without each, to τ.
        kernel, kernel_end: (r,) I of the kernel regime, exact (eq. 14), at τ and at the end of training.
        regime: (r,) Î of the kernel regime (eq. 13), at the end of training.
        hessian, gauss_newton: (r,) Î on the network (eq. 12), solved by conjugate gradients; NaN where that failed. The two-layer network
            is piecewise linear in its weights, so that both are the same there.
        lissa: (R, r) of each run of LiSSA; NaN where it failed.
        mean_run: (r,) the mean over all possible runs: LiSSA's recursion with all images in every step.
        curvature: which of the two LiSSA used: the Hessian, unless it is not positive definite.
        failures: by the estimate's name, why it is missing.
        iterations, residual: of conjugate gradients with ``curvature``; None where they failed.
        scale, depth: of LiSSA; None where it failed.
        stationarity: how far the network is from the minimum that eq. 12 assumes: 0 is there, 1 is far; None where nothing was solved.
        rate, steps: of gradient descent.
        seconds, device, created: how long the job took, on what and when (UTC, ISO 8601).
    """

    spec: NetworkIhvpSpec
    key: str
    images: np.ndarray
    actual: np.ndarray
    kernel: np.ndarray
    kernel_end: np.ndarray
    regime: np.ndarray
    hessian: np.ndarray
    gauss_newton: np.ndarray
    lissa: np.ndarray
    mean_run: np.ndarray
    curvature: Curvature
    failures: dict[str, str]
    iterations: int | None
    residual: float | None
    scale: float | None
    depth: int | None
    stationarity: float | None
    rate: float
    steps: int
    seconds: float
    device: str
    created: str

    @property
    def exact(self) -> np.ndarray:
        """(r,) what LiSSA estimates: by conjugate gradients with its curvature."""
        return self.hessian if self.curvature == "hessian" else self.gauss_newton

    @property
    def lissa_mean(self) -> np.ndarray:
        """(r,) over the runs."""
        return np.asarray(self.lissa.mean(0))

    @property
    def lissa_deviation(self) -> np.ndarray:
        """(r,) standard deviation of one run."""
        return np.asarray(self.lissa.std(0, ddof=1))


_ARRAYS = ("actual", "kernel", "kernel_end", "regime", "hessian", "gauss_newton", "lissa", "mean_run")


def network_ihvp_key(spec: NetworkIhvpSpec, ws: Workspace) -> str:
    """Key of the comparison, which is also the id of its job."""
    return key_of(KIND, VERSION, spec, {"verification": verification_key(spec.verification, ws)})


def is_compared(spec: NetworkIhvpSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(KIND, network_ihvp_key(spec, ws)) == "ready"


def run_network_ihvp(spec: NetworkIhvpSpec, ws: Workspace, reporter: Reporter) -> None:
    """Compute whatever is not stored yet: the retraining, θ, each estimate, and the comparison.

    An estimate that cannot be (the Hessian is not positive definite, LiSSA diverges) is stored as that, and the others go on.

    Raises:
        AtlasError: the analysis is not computed, or training diverged; says what to do.
        Cancelled: the user cancelled; finished parts stay.
    """
    started = time.monotonic()
    if not is_ready(spec.verification.influence, ws):
        raise SpecError("The influence analysis to compare with is not computed.", "Compute it first.")
    result = open_influence(spec.verification.influence, ws)
    forecast = forecast_network_ihvp(spec, ws)
    if forecast.refusal:
        raise SpecError(forecast.refusal, "Choose a narrower network.")
    reporter.plan(forecast.stages)
    identity = identity_of(spec, VERSION)
    with ws.store.draft(KIND, network_ihvp_key(spec, ws), identity, waiting=lambda: reporter.report(IMAGES, 0)) as draft:
        if draft is None:
            return
        if not is_verified(spec.verification, ws):
            run_verification(spec.verification, ws, _Planned(reporter))
        split = load_split(spec.verification.influence.dataset, spec.verification.influence.test, ws)
        reporter.report(IMAGES, split.train.n + len(split.test_labels))
        at = trained_network(spec.verification, result, split, ws, reporter)
        work = _Work(spec, at, result, split.train, ws, reporter)
        exact = work.exact()
        curvature: Curvature = "gauss-newton" if exact[0].failure else "hessian"
        _write(draft, spec, result, exact, curvature, work.runs(curvature), ws)
        draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
    ws.store.evict()


def _write(
    draft: Draft,
    spec: NetworkIhvpSpec,
    result: InfluenceResult,
    exact: list[Estimate],
    curvature: Curvature,
    runs: list[Estimate],
    ws: Workspace,
) -> None:
    """Everything side by side, for the images that were left out."""
    verified = open_verification(spec.verification, ws)
    images, one = list(spec.verification.removed), slice(spec.target, spec.target + 1)
    chosen, y = result.regression.with_ridge(spec.verification.ridge), targets_of(result.test_labels[one], result.regression.k)
    arrays = {
        "actual": verified.actual[:, spec.target],
        "kernel": verified.predicted[:, spec.target],
        "kernel_end": kernel_influence(chosen, result.k_test[one], y, f_test_init=result.f_test[one])[images, 0],
        "regime": ihvp_influence(chosen, result.k_test[one], y, result.f_test[one])[images, 0],
        "hessian": exact[0].values[images],
        "gauss_newton": exact[-1].values[images],
        "lissa": np.stack([run.values[images] for run in runs[:-1]]),
        "mean_run": runs[-1].values[images],
    }
    for name, values in arrays.items():
        draft.create(name, values.shape, "float64", values.shape)
        draft.write(name, (0,) * values.ndim, values)
    failures = {"hessian": exact[0].failure, "gauss_newton": exact[-1].failure}
    failures["lissa"] = next((run.failure for run in runs if run.failure), "")
    solved = exact[-1] if curvature == "gauss-newton" else exact[0]
    facts = {
        "curvature": curvature,
        "failures": {name: said for name, said in failures.items() if said},
        "iterations": solved.iterations,
        "residual": solved.residual,
        "stationarity": solved.stationarity,
        "scale": runs[0].scale,
        "depth": runs[0].depth,
        "rate": verified.rate,
        "steps": verified.steps,
    }
    draft.put_json("facts", facts)


def open_network_ihvp(spec: NetworkIhvpSpec, ws: Workspace) -> NetworkIhvp:
    """The stored comparison, from memory when it is hot.

    Raises:
        StoreError: it is not stored; CorruptArtifact: it is damaged.
    """
    artifact = ws.store.open(KIND, network_ihvp_key(spec, ws))
    return ws.hot.get((KIND, artifact.key, artifact.info["created"]), lambda: _load(spec, artifact), lambda found: 4 * found.lissa.nbytes)


def _load(spec: NetworkIhvpSpec, artifact: Artifact) -> NetworkIhvp:
    images = np.asarray(spec.verification.removed, dtype=np.int64)
    told: dict[str, Any] = {name: artifact.read(name) for name in _ARRAYS} | artifact.json("facts")
    told |= {name: artifact.info[name] for name in ("seconds", "device", "created")}
    return NetworkIhvp(spec=spec, key=artifact.key, images=images, **told)


class _Work:
    """What estimating needs, and how far it is."""

    def __init__(self, spec: NetworkIhvpSpec, at: TrainedNetwork, result: InfluenceResult, train: Dataset, ws: Workspace, to: Reporter):
        self._spec, self._at, self._result, self._train, self._ws, self._to = spec, at, result, train, ws, to

    def exact(self) -> list[Estimate]:
        """By conjugate gradients: with the Hessian, and with Gauss-Newton where that is another matrix."""
        kinds, expected = self._spec.curvatures, likely_iterations(self._spec, self._result)
        return [self._made(self._spec.exact(kind), GRADIENTS, place, len(kinds), 1, expected) for place, kind in enumerate(kinds)]

    def runs(self, curvature: Curvature) -> list[Estimate]:
        """LiSSA's runs, and last the one without chance."""
        asked = [*(self._spec.run(number, curvature) for number in range(self._spec.repeats)), self._spec.without_chance(curvature)]
        weights = run_weights(self._spec)
        return [self._made(estimate, LISSA, sum(weights[:place]), sum(weights), weights[place]) for place, estimate in enumerate(asked)]

    def _made(self, asked: EstimateSpec, stage: str, before: int, whole: int, weight: int, expected: int | None = None) -> Estimate:
        tell = self._to.progress(stage)

        def told(done: int, total: int) -> None:
            of = expected or total  # conjugate gradients end long before their limit
            tell(before * of + weight * min(done, of), whole * of)

        work = rate_name(asked.curvature, self._spec.verification, self._train)
        found = ensure_estimate(asked, self._at, self._ws, self._to, work, told)
        told(expected or 1, 1)
        return found


class _Planned:
    """A reporter for a part of a job whose stages are announced already."""

    def __init__(self, to: Reporter) -> None:
        self.device, self.report, self.progress, self.warn = to.device, to.report, to.progress, to.warn

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Nothing: they are."""
