"""Adversarial examples by the fast gradient sign method (Goodfellow et al. 2015, eq. in §4; used in Unique-info §6, Fig. 10).

``x' = clip(x + ε sign(∇_x ℓ(f(x), y)), 0, 1)`` with this project's loss ℓ = ½‖f(x) - y‖²; where its gradient is 0, a pixel stays as it is.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ntkcore.errors import ComputationError, SpecError

CHUNK = 128
"""Images in one pass."""


def fgsm(
    module: torch.nn.Module,
    inputs: NDArray,
    targets: NDArray,
    epsilon: float,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray:
    """The inputs moved by ε along the sign of their own loss's gradient.

    Args:
        module: the network that is attacked, in the precision and on the device to compute in; its weights, and the mode in which it came,
            are left as they are. It is looked at in eval mode, so that each image's gradient depends on that image alone.
        inputs: (n, ...) in [0, 1].
        targets: (n, k).
        epsilon: ε, above 0; no input moves farther.
        progress: called after each pass with (images done, all); may raise ``Cancelled``.

    Returns:
        (n, ...) in the network's precision, within [0, 1].

    Raises:
        SpecError: inputs outside [0, 1], which no image has.
        ComputationError: a gradient that is not finite.
    """
    if not 0 < epsilon <= 1:
        raise ValueError(f"epsilon: expected above 0 and at most 1, got {epsilon}")
    if len(inputs) != len(targets) or targets.ndim != 2:
        raise ValueError(f"targets: expected ({len(inputs)}, k), got {targets.shape}")
    if len(inputs) and not (inputs.min() >= 0 and inputs.max() <= 1):
        raise SpecError("FGSM's ε is a step of pixels from 0 to 1, and these inputs have other values.", "Choose a set of images.")
    parameter = next(module.parameters())
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        found = []
        for start in range(0, len(inputs), CHUNK):
            part = slice(start, start + CHUNK)
            x, y = (torch.from_numpy(np.ascontiguousarray(v[part])).to(parameter.device, parameter.dtype) for v in (inputs, targets))
            found.append(_moved(module, x, y, epsilon))
            if progress is not None:
                progress(min(start + CHUNK, len(inputs)), len(inputs))
        return np.concatenate(found) if found else np.asarray(inputs)
    finally:
        for part_of, training in modes:
            part_of.training = training


def _moved(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float) -> NDArray:
    x.requires_grad_(True)
    loss = (module(x) - y).square().sum() / 2
    (gradient,) = torch.autograd.grad(loss, [x])
    if not bool(torch.isfinite(gradient).all()):
        raise ComputationError("The attacked network's gradient is not finite on some images.", "Train it with a smaller learning rate.")
    moved = (x + epsilon * gradient.sign()).clamp(0, 1)
    return np.asarray(moved.detach().cpu().numpy())
