"""The weights of the linearised network at a time: ``w_τ = w0 + ∇f0(X) A^-1 (I - e^(-τ A)) (Y - f0(X))`` (Unique-info eq. 50).

The source's eq. 10 has the sign reversed.
"""

from math import inf

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.influence.products import NetworkLoss
from ntkcore.regression import KernelRegression


def linearised_weights(
    model: nn.Module,
    x: Tensor | np.ndarray,
    regression: KernelRegression,
    time: float = inf,
    *,
    device: torch.device | str | None = None,
) -> Tensor:
    """w_τ (P,), all trained parameters in their order, flat, in the network's precision.

    Args:
        model: at w0, where the regression's kernel and outputs were taken; maps (b, ...) to (b, k), in eval mode; not changed.
        x: (n, ...) the training samples.
        regression: of the full kernel, or of one output.
        time: τ of gradient flow, or steps of the regression's descent; inf is the end of training.
        device: where to compute; None: where the model is.

    Raises:
        ModelError, DataError: a network or samples that cannot be used; or a kernel alike for several outputs, which has weights of its
            own for each.
    """
    if regression.k > 1 and not regression.blocks:
        raise DataError(f"One kernel for {regression.k} outputs has weights for each of them.", "Give the full kernel's regression.")
    loss = NetworkLoss(model, x, torch.from_numpy(regression.coefficients(time)), device)
    start = torch.cat([parameter.detach().flatten() for parameter in loss.parameters])
    return start + loss.pulled()
