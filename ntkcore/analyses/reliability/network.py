"""The IHVP method on a real network, beside retraining: by conjugate gradients, and by repeated runs of LiSSA (IF-NTK eq. 12).

One job of many parts: the retraining (a verification, whose artifact it is), θ, and each estimate, all stored as they are finished; what
is held against each other is then stored together. Everything that is said of it is in :mod:`ntkcore.analyses.reliability.stochastic`.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import GRADIENTS, IMAGES, LISSA, Planned, Reporter
from ntkcore.analyses.reliability import stochastic
from ntkcore.analyses.reliability.analysis import RELIABILITY
from ntkcore.analyses.reliability.estimates import Estimate, ensure_estimate
from ntkcore.analyses.reliability.forecast import forecast_network_ihvp, likely_iterations, run_weights
from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.trained import TrainedNetwork, rate_name, trained_network
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import SpecError
from ntkcore.influence import ihvp_influence, kernel_influence
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.network_ihvp import Curvature, EstimateSpec, NetworkIhvpSpec
from ntkcore.specs.reliability import ReliabilityView
from ntkcore.store import Artifact, Draft

_ARRAYS = ("actual", "kernel", "kernel_end", "regime", "hessian", "gauss_newton", "lissa", "mean_run")


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
    verified = VERIFICATION.open(spec.verification, ws)
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


class IhvpOnNetwork(Analysis[NetworkIhvpSpec, ReliabilityView, NetworkIhvp]):
    """What does stochastic estimation add to the error of the IHVP method on a real network?"""

    kind, version, uses = "network-ihvp", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = NetworkIhvpSpec, ReliabilityView
    word = "reliability: LiSSA and retraining side by side"
    smaller = "Choose a narrower network."
    after = RELIABILITY

    def title(self, spec: NetworkIhvpSpec, ws: Workspace) -> str:
        """What is compared, of what."""
        return f"LiSSA and retraining, {describe_dataset(spec.verification.influence.dataset, ws.settings)}"

    def content(self, spec: NetworkIhvpSpec, ws: Workspace) -> Mapping[str, str]:
        """The retraining that it is held against."""
        return {"verification": VERIFICATION.key(spec.verification, ws)}

    def forecast(self, spec: NetworkIhvpSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.reliability.forecast.forecast_network_ihvp`.

        Raises:
            SpecError: the influence analysis is not computed, or training would take too many steps.
        """
        if not INFLUENCE.ready(spec.verification.influence, ws):
            raise SpecError("The influence analysis to compare with is not computed.", "Compute it first.")
        return forecast_network_ihvp(spec, ws)

    def asked(self, spec: InfluenceSpec, view: ReliabilityView, ws: Workspace) -> NetworkIhvpSpec:
        """The comparison on the view's held-out image, or on the one of the largest loss."""
        return stochastic.asked(RELIABILITY.open(spec, ws), view, ws)

    def shown(self, spec: NetworkIhvpSpec) -> tuple[InfluenceSpec, ReliabilityView]:
        """The reliability page at this λ, τ and held-out image."""
        return spec.verification.influence, stochastic.view_of(spec)

    def run(self, spec: NetworkIhvpSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever is not stored yet: the retraining, θ, each estimate, and the comparison.

        An estimate that cannot be (the Hessian is not positive definite, LiSSA diverges) is stored as that, and the others go on.

        Raises:
            AtlasError: training diverged; says what to do.
            Cancelled: the user cancelled; finished parts stay.
        """
        started = time.monotonic()
        result = INFLUENCE.open(spec.verification.influence, ws)
        reporter.plan(self.forecast(spec, ws).stages)
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(IMAGES, 0)) as draft:
            if draft is None:
                return
            if not VERIFICATION.ready(spec.verification, ws):
                VERIFICATION.run(spec.verification, 0, ws, Planned(reporter))
            split = load_split(spec.verification.influence.dataset, spec.verification.influence.test, ws)
            reporter.report(IMAGES, split.train.n + len(split.test_labels))
            at = trained_network(spec.verification, result, split, ws, reporter)
            work = _Work(spec, at, result, split.train, ws, reporter)
            exact = work.exact()
            curvature: Curvature = "gauss-newton" if exact[0].failure else "hessian"
            _write(draft, spec, result, exact, curvature, work.runs(curvature), ws)
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        ws.store.evict()

    def load(self, artifact: Artifact, spec: NetworkIhvpSpec, ws: Workspace) -> NetworkIhvp:
        """Everything side by side."""
        images = np.asarray(spec.verification.removed, dtype=np.int64)
        told: dict[str, Any] = {name: artifact.read(name) for name in _ARRAYS} | artifact.json("facts")
        told |= {name: artifact.info[name] for name in ("seconds", "device", "created")}
        return NetworkIhvp(spec=spec, key=artifact.key, images=images, **told)

    def answer(self, result: NetworkIhvp, view: ReliabilityView, ws: Workspace) -> tuple[str, ...]:
        """What stochastic estimation adds; the first sentence is the verdict."""
        return stochastic.answer(result)

    def table(self, result: NetworkIhvp, view: ReliabilityView, ws: Workspace) -> pd.DataFrame:
        """A row for each training image left out: its influence by retraining and by every estimate."""
        return stochastic.network_table(result)

    def more(self, result: NetworkIhvp, view: ReliabilityView, ws: Workspace) -> Mapping[str, pd.DataFrame]:
        """How each estimate agrees with retraining, and by how much each step between moves an influence."""
        return {
            "Agreement with retraining:": stochastic.agreement_table(result),
            "From retraining to one run of LiSSA:": stochastic.gap_table(result),
        }


NETWORK_IHVP = IhvpOnNetwork()
