"""The network that a verification trains on all images: its θ, stored, so that another estimate need not train it again."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.kernel import USES
from ntkcore.analyses.materials.split import Split, targets_of
from ntkcore.analyses.progress import TRAINING, Reporter
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.verification.forecast import descent, network_of
from ntkcore.analyses.verification.forecast import rate_name as retraining_rate_name
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.influence import Schedule
from ntkcore.influence.iterative import POWER_STEPS
from ntkcore.influence.products import NetworkLoss
from ntkcore.influence.system import PROBED as PROBED_BATCHES
from ntkcore.influence.training import train_on_all
from ntkcore.specs import key_of
from ntkcore.specs.influence import VerificationSpec
from ntkcore.specs.network_ihvp import Curvature, EstimateSpec, TrainedSpec

TRAINED_KIND = "trained"
VERSION = 1
PROBED = PROBED_BATCHES * POWER_STEPS
"""Products that a run of LiSSA needs for its scale."""
_TILE = 2**22  # numbers of θ


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
    content = {"influence": INFLUENCE.key(spec.influence, ws)}
    return key_of(TRAINED_KIND, VERSION, spec, content if steps is None else content | {"steps": str(steps)}, USES)


def is_trained(spec: TrainedSpec, ws: Workspace) -> bool:
    """Whether its θ is stored."""
    return ws.store.state(TRAINED_KIND, trained_key(spec, ws)) == "ready"


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
        TRAINED_KIND, trained_key(own, ws, steps), identity_of(own, VERSION, USES), waiting=lambda: reporter.report(TRAINING, 0)
    ) as draft:
        if draft is not None:
            rate, count = descent(spec, result) if steps is None else (spec.time / steps, steps)
            told = reporter.progress(TRAINING)
            trained = train_on_all(model, x, y, Schedule(rate, count, spec.ridge), device=reporter.device, progress=told)
            theta = nn.utils.parameters_to_vector([p for p in trained.parameters() if p.requires_grad]).detach().cpu().numpy()
            draft.create("theta", (size,), str(theta.dtype), (_TILE,))
            for tile in range(-(-size // _TILE)):
                draft.write("theta", (tile,), theta[tile * _TILE : (tile + 1) * _TILE])
            draft.publish({"device": reporter.device})
    theta = ws.store.open(TRAINED_KIND, trained_key(own, ws, steps)).read("theta")
    nn.utils.vector_to_parameters(torch.from_numpy(theta), parameters)
    return TrainedNetwork(found, start, x, y, z, targets_of(split.test_labels, split.train.outputs).astype(np.float32))


def rate_name(curvature: Curvature, spec: VerificationSpec, train: Dataset) -> str:
    """Name of the remembered seconds for an image's part of a product with the curvature."""
    return f"{curvature} product of {retraining_rate_name(spec, train)}"


def probe(curvature: Curvature, spec: VerificationSpec, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image, from a few products on a few images at θ0."""
    model, x, _ = network_of(spec, sample, None, ws)
    loss = NetworkLoss(model, x, sample.targets.astype(np.float32), ws.device)
    vector = torch.ones(1, loss.size).to(loss.like)
    found = []
    for _ in range(4):  # the first warms up
        with clocked(ws.device) as taken:
            float(loss.product(vector, curvature).sum())  # waits for the device
        found.append(taken.alone)
    return min(found) / len(x)


def _images(spec: EstimateSpec, iterations: int, n: int) -> float:
    """Images that went through a product with the curvature; a run of LiSSA that looks for its scale needs more."""
    batch = n if spec.batch is None else min(spec.batch, n)
    looking = PROBED if spec.batch is not None and spec.scale is None and spec.like is None else 0
    return float((iterations + 2 + looking) * batch)
