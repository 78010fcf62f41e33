"""The diagonal of the empirical neural tangent kernel: k(x, x), the learnability score (SCIENCE.md §1.5; Learnability §3)."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import ComputationError, DataError
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.plan import Planned
from ntkcore.kernels.ways import Ways

Reduction = Literal["mean", "sum", "none"]


def ntk_diagonal(
    model: nn.Module,
    x: Tensor | np.ndarray,
    *,
    reduction: Reduction = "mean",
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    ways: Ways | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """k(x, x) = mean over outputs o of ``|grad_theta f_o(x)|²``, theta the parameters with ``requires_grad``.

    Taken layer by layer from each layer's input and the gradient of its output (SCIENCE.md §1), without per-sample gradients of weights
    wherever a closed form is known (see :func:`layer_plan`); the rest by per-sample gradients, which a :class:`FallbackWarning` says.
    Memory is bounded by the batch, not by n times the number of parameters; any batch size gives the same numbers to rounding.

    Args:
        model: maps (b, ...) to (b, k), each row from its sample alone (so BatchNorm and dropout in eval mode); float32 or float64.
            Neither its mode nor anything else of it is changed.
        x: (n, ...) samples; floating point values are taken in the model's dtype.
        reduction: "mean" or "sum" over outputs, or "none".
        batch_size: samples at a time; None derives it from the memory a batch may take (``engine.BATCH_BYTES``).
        device: where to compute; None means where the model is. Elsewhere, a copy of the model is used.
        ways: how to compute on a CPU in float32; None: the quickest on this machine (:func:`~ntkcore.kernels.quickest.measured`).
        progress: called with (samples done, n) after each batch; may raise ``Cancelled``.

    Returns:
        (n,) float64, or (n, k) for reduction "none": gradients in the model's dtype, layers added in float64.

    Raises:
        ModelError: outputs that are not (b, k), layers that are random or mix samples, weights that are not finite.
        DataError: samples that are not finite or not an array, an unknown reduction, a batch size below 1.
        ComputationError: gradients that are not finite.
    """
    if reduction not in ("mean", "sum", "none"):
        raise DataError(f"The reduction is {reduction!r}.", 'Choose "mean", "sum" or "none".')
    engine = Engine(model, x, device, ways=ways)
    engine.say_notes()
    samples, n = engine.samples, len(engine.samples)
    result = np.empty((n, engine.outputs))
    finished = 0

    def work(planned: Planned, batch: slice) -> None:
        result[batch] = engine.squared_norms(planned, samples[batch]).T.cpu().numpy()

    def done(batch: slice) -> None:
        nonlocal finished
        finished += batch.stop - batch.start
        if progress is not None:
            progress(finished, n)

    engine.each(engine.norm_batches(n, batch_size), work, done)
    bad = ~np.isfinite(result).all(1)
    if bad.any():
        raise ComputationError(
            f"The gradients of {int(bad.sum())} of {n} samples are NaN or infinite (first: sample {int(bad.argmax())}).",
            "Check the scale of these samples and of the weights, or compute in float64.",
        )
    if reduction == "none":
        return result
    return np.asarray(result.mean(1) if reduction == "mean" else result.sum(1))
