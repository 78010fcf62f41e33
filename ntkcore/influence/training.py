"""The network that retraining with nothing removed ends at, as a network: where eq. 12 of IF-NTK is taken (SCIENCE.md §4)."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.influence.retraining import Schedule, retrain_chunks
from ntkcore.kernels.checks import as_samples


def train_on_all(
    model: nn.Module,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray,
    schedule: Schedule,
    *,
    device: torch.device | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> nn.Module:
    """A copy of the network at the θ of :func:`~ntkcore.influence.retraining.retrain_chunks`'s replica 0, in eval mode.

    Args:
        model, x, y, schedule, device, progress: as there; the model is not changed.

    Raises:
        ModelError, DataError, ComputationError: as there.
    """
    few = as_samples(x)[:1]
    chunk = next(retrain_chunks(model, x, y, few, (), schedule, device=device, progress=progress, moved=True))
    assert chunk.moved is not None  # asked for
    trained = copy.deepcopy(model).eval()
    with torch.no_grad():
        for parameter, moved in zip([p for p in trained.parameters() if p.requires_grad], chunk.moved, strict=True):
            parameter.add_(moved[0].to(parameter))
    return trained
