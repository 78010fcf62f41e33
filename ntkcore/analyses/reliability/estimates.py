"""Estimates of influence at one trained network, each stored as soon as it is finished (IF-NTK eq. 12; SCIENCE §4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.materials.kernel import USES
from ntkcore.analyses.progress import Reporter
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.verification.trained import TrainedNetwork, _images
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.influence import Lissa, System, ihvp_network
from ntkcore.specs import key_of
from ntkcore.specs.network_ihvp import EstimateSpec

ESTIMATE_KIND = "estimate"
VERSION = 1
MOST_ITERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate.

    Attributes:
        values: (n,) Î of every training image on the held-out one; NaN where it failed.
        failure: why there is none, and what to do; "" when there is.
        iterations: of conjugate gradients, or steps of LiSSA; None where it failed, as what follows.
        residual: ``‖v - (H + λ I) s‖ / ‖v‖``.
        scale, depth: of LiSSA.
        stationarity: how far the network is from the minimum that eq. 12 assumes, as :class:`~ntkcore.influence.IhvpNetwork` has it.
    """

    values: np.ndarray
    failure: str
    iterations: int | None
    residual: float | None
    scale: float | None
    depth: int | None
    stationarity: float | None


def estimate_key(spec: EstimateSpec, ws: Workspace) -> str:
    """Key of an estimate."""
    return key_of(ESTIMATE_KIND, VERSION, spec, {"influence": INFLUENCE.key(spec.network.influence, ws)}, USES)


def is_estimated(spec: EstimateSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(ESTIMATE_KIND, estimate_key(spec, ws)) == "ready"


def ensure_estimate(
    spec: EstimateSpec, at: TrainedNetwork, ws: Workspace, reporter: Reporter, work: str, progress: Callable[[int, int], None]
) -> Estimate:
    """The estimate, from the store or made now; one that cannot be says why.

    Args:
        work: name of the rate to learn (:func:`rate_name`).
        progress: called with products done and in all; may raise ``Cancelled``.
    """
    with ws.store.draft(ESTIMATE_KIND, estimate_key(spec, ws), identity_of(spec, VERSION, USES), waiting=lambda: progress(0, 1)) as draft:
        if draft is not None:
            facts: dict[str, Any]
            try:
                with clocked(reporter.device) as taken:
                    found = ihvp_network(
                        *(at.model, at.x, at.y, at.x_test[[spec.target]], at.y_test[[spec.target]]),
                        _system(spec, ws),
                        start=at.start,
                        device=reporter.device,
                        judge=False,  # conjugate gradients on the same system are an estimate of their own
                        progress=progress,
                    )
            except ComputationError as error:
                facts = {"failure": f"{error.message} {error.remedy}".strip()}
            else:
                draft.create("values", (len(found.values),), "float64", (len(found.values),))
                draft.write("values", (0,), found.values[:, 0])
                facts = {"iterations": int(found.iterations[0]), "residual": float(found.residuals[0])}
                scale, depth = (found.lissa.scale, found.lissa.depth) if found.lissa else (None, None)
                facts |= {"scale": scale, "depth": depth, "stationarity": found.stationarity}
                ws.rates.learn(work, taken.alone, _images(spec, int(found.iterations[0]), len(at.x)), taken.others)
            draft.put_json("facts", facts)
            draft.publish({"device": reporter.device})
    return open_estimate(spec, ws)


def open_estimate(spec: EstimateSpec, ws: Workspace) -> Estimate:
    """The stored estimate.

    Raises:
        StoreError: it is not stored; CorruptArtifact: it is damaged.
    """
    artifact = ws.store.open(ESTIMATE_KIND, estimate_key(spec, ws))
    facts = artifact.json("facts")
    if said := facts.get("failure", ""):
        return Estimate(np.full(spec.network.influence.dataset.n, np.nan), said, None, None, None, None, None)
    return Estimate(artifact.read("values"), "", **facts)


def _system(spec: EstimateSpec, ws: Workspace) -> System:
    """What to solve, and how.

    Raises:
        ComputationError: the run whose scale and depth are to be taken has none.
    """
    if spec.batch is None:
        return System(spec.network.ridge, spec.curvature, tolerance=spec.tolerance, max_iterations=MOST_ITERATIONS)
    scale, depth = spec.scale, spec.depth
    if spec.like is not None:
        first = open_estimate(spec.like, ws)
        if first.failure:
            raise ComputationError(first.failure)
        scale, depth = first.scale, first.depth
    return System(spec.network.ridge, spec.curvature, Lissa(scale, depth, spec.batch, repeats=1, seed=spec.seed))
