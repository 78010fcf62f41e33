"""Estimates of influence at one trained network, each stored as soon as it is finished (IF-NTK eq. 12; SCIENCE §4).

The network is the one that a verification trains on all images; its θ is stored too, so that another estimate need not train it again.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.analyses.influence import InfluenceResult, influence_key
from ntkcore.analyses.network import identity_of
from ntkcore.analyses.progress import TRAINING, Reporter
from ntkcore.analyses.split import Split, targets_of
from ntkcore.analyses.verification_forecast import descent, network_of
from ntkcore.analyses.verification_forecast import rate_name as retraining_rate_name
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import ComputationError
from ntkcore.influence import Lissa, ihvp_network
from ntkcore.influence.products import NetworkLoss
from ntkcore.influence.solvers import POWER_STEPS
from ntkcore.influence.solving import PROBED as PROBED_BATCHES
from ntkcore.influence.trained import train_on_all
from ntkcore.specs import Curvature, EstimateSpec, TrainedSpec, VerificationSpec, key_of

TRAINED_KIND, ESTIMATE_KIND = "trained", "estimate"
VERSION = 1
MOST_ITERATIONS = 1000
PROBED = PROBED_BATCHES * POWER_STEPS
"""Products that a run of LiSSA needs for its scale."""
_TILE = 2**22  # numbers of θ


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


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network at θ with its samples; ``start`` is θ0 by the parameters' names."""

    model: nn.Module
    start: dict[str, Tensor]
    x: Tensor
    y: np.ndarray
    x_test: Tensor
    y_test: np.ndarray


def trained_key(spec: TrainedSpec, ws: Workspace, steps: int | None = None) -> str:
    """Key of a trained network's θ; ``steps`` where they are not those of a verification."""
    content = {"influence": influence_key(spec.influence, ws)}
    return key_of(TRAINED_KIND, VERSION, spec, content if steps is None else content | {"steps": str(steps)})


def estimate_key(spec: EstimateSpec, ws: Workspace) -> str:
    """Key of an estimate."""
    return key_of(ESTIMATE_KIND, VERSION, spec, {"influence": influence_key(spec.network.influence, ws)})


def is_trained(spec: TrainedSpec, ws: Workspace) -> bool:
    """Whether its θ is stored."""
    return ws.store.state(TRAINED_KIND, trained_key(spec, ws)) == "ready"


def is_estimated(spec: EstimateSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(ESTIMATE_KIND, estimate_key(spec, ws)) == "ready"


def trained_network(
    spec: VerificationSpec, result: InfluenceResult, split: Split, ws: Workspace, reporter: Reporter, steps: int | None = None
) -> TrainedNetwork:
    """The network that a verification trains on all images, from the store or by training it as the verification does.

    Args:
        steps: of gradient descent; None: as many as the verification takes.

    Raises:
        ComputationError: training diverged.
    """
    own = TrainedSpec.of(spec)
    model, x, z = network_of(spec, split.train, split, ws)
    y = split.train.targets.astype(np.float32)
    start = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    found = copy.deepcopy(model).eval()
    parameters = [p for p in found.parameters() if p.requires_grad]
    size = sum(p.numel() for p in parameters)
    with ws.store.draft(
        TRAINED_KIND, trained_key(own, ws, steps), identity_of(own, VERSION), waiting=lambda: reporter.report(TRAINING, 0)
    ) as draft:
        if draft is not None:
            rate, count = descent(spec, result) if steps is None else (spec.time / steps, steps)
            told = reporter.progress(TRAINING)
            trained = train_on_all(model, x, y, rate=rate, steps=count, ridge=spec.ridge, device=reporter.device, progress=told)
            theta = nn.utils.parameters_to_vector([p for p in trained.parameters() if p.requires_grad]).detach().cpu().numpy()
            draft.create("theta", (size,), str(theta.dtype), (_TILE,))
            for tile in range(-(-size // _TILE)):
                draft.write("theta", (tile,), theta[tile * _TILE : (tile + 1) * _TILE])
            draft.publish({"device": reporter.device})
    theta = ws.store.open(TRAINED_KIND, trained_key(own, ws, steps)).read("theta")
    nn.utils.vector_to_parameters(torch.from_numpy(theta), parameters)
    return TrainedNetwork(found, start, x, y, z, targets_of(split.test_labels, split.train.outputs).astype(np.float32))


def ensure_estimate(
    spec: EstimateSpec, at: TrainedNetwork, ws: Workspace, reporter: Reporter, work: str, progress: Callable[[int, int], None]
) -> Estimate:
    """The estimate, from the store or made now; one that cannot be says why.

    Args:
        work: name of the rate to learn (:func:`rate_name`).
        progress: called with products done and in all; may raise ``Cancelled``.
    """
    with ws.store.draft(ESTIMATE_KIND, estimate_key(spec, ws), identity_of(spec, VERSION), waiting=lambda: progress(0, 1)) as draft:
        if draft is not None:
            started = time.monotonic()
            facts: dict[str, Any]
            try:
                found = ihvp_network(
                    *(at.model, at.x, at.y, at.x_test[[spec.target]], at.y_test[[spec.target]]),
                    ridge=spec.network.ridge,
                    start=at.start,
                    curvature=spec.curvature,
                    device=reporter.device,
                    progress=progress,
                    **_solver(spec, ws),
                )
            except ComputationError as error:
                facts = {"failure": f"{error.message} {error.remedy}".strip()}
            else:
                draft.create("values", (len(found.values),), "float64", (len(found.values),))
                draft.write("values", (0,), found.values[:, 0])
                facts = {"iterations": int(found.iterations[0]), "residual": float(found.residuals[0])}
                facts |= {"scale": found.scale, "depth": found.depth, "stationarity": found.stationarity}
                ws.rates.learn(work, time.monotonic() - started, _images(spec, int(found.iterations[0]), len(at.x)))
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


def rate_name(curvature: Curvature, spec: VerificationSpec, train: Dataset) -> str:
    """Name of the remembered seconds for an image's part of a product with the curvature."""
    return f"{curvature} product of {retraining_rate_name(spec, train)}"


def probe(curvature: Curvature, spec: VerificationSpec, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image, from a few products on a few images at θ0."""
    model, x, _ = network_of(spec, sample, None, ws)
    loss = NetworkLoss(model, x, sample.targets.astype(np.float32), ws.device)
    vector = torch.ones(1, loss.size).to(loss.like)
    seconds = 0.0
    for _ in range(2):  # the first warms up
        started = time.monotonic()
        float(loss.product(vector, curvature).sum())  # waits for the device
        seconds = time.monotonic() - started
    return seconds / len(x)


def _images(spec: EstimateSpec, iterations: int, n: int) -> float:
    """Images that went through a product with the curvature; a run of LiSSA that looks for its scale needs more."""
    batch = n if spec.batch is None else min(spec.batch, n)
    looking = PROBED if spec.batch is not None and spec.scale is None and spec.like is None else 0
    return float((iterations + 2 + looking) * batch)


def _solver(spec: EstimateSpec, ws: Workspace) -> dict[str, Any]:
    """How to solve.

    Raises:
        ComputationError: the run whose scale and depth are to be taken has none.
    """
    if spec.batch is None:
        return {"method": "cg", "tolerance": spec.tolerance, "max_iterations": MOST_ITERATIONS}
    scale, depth = spec.scale, spec.depth
    if spec.like is not None:
        first = open_estimate(spec.like, ws)
        if first.failure:
            raise ComputationError(first.failure)
        scale, depth = first.scale, first.depth
    return {"method": "lissa", "options": Lissa(scale, depth, spec.batch, repeats=1, seed=spec.seed)}
