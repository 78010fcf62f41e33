"""Looking ahead by one step of gradient descent on the candidate alone (Käding et al. 2016; Thesis §2.4; SCIENCE.md §8).

The step is on ``½ ‖f(x') - y'‖²`` from the network as it stands: the labelled samples, to which it is fitted, have no part in it. What the
pool's outputs change by is that of the network after the step, not of its Taylor expansion, of which it is ``η Θ(x, x') (y' - f(x'))``.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ntkcore.errors import ComputationError
from ntkcore.influence.descent import descent_of
from ntkcore.influence.retraining import CHUNK_BYTES
from ntkcore.kernels.capture import exact_gradients
from ntkcore.kernels.checks import as_samples, check_model
from ntkcore.kernels.examined import examined
from ntkcore.kernels.memory import of_device

Float = NDArray[np.float64]

_AT_ONCE = 32  # candidates: each one's gradient is taken through all of these


def step_change(
    model: nn.Module,
    pool: Tensor | np.ndarray,
    targets: ArrayLike,
    rate: float,
    points: Sequence[int] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Float:
    """``sum_{x in U} ‖f_{θ - η ∇ℓ(x', y')}(x) - f_θ(x)‖`` (u,), large first; x' itself in the sum.

    Operations: a pass of all points for each candidate. Memory of some candidates at once: CHUNK_BYTES.

    Args:
        model: maps (b, ...) to (b, k), each row from its sample alone, in eval mode. It is not changed.
        pool: (u, ...).
        targets: (u, k) of the labels that the candidates would get.
        rate: η, above 0, of the summed loss.
        points: numbers of the candidates that are summed over; None: the whole pool.
        progress: called with the candidates done and in all; may raise ``Cancelled``.

    Raises:
        ModelError, DataError: a network or samples that cannot be used.
        ComputationError: outputs after a step that are not finite.
    """
    like, samples = check_model(model).detach(), as_samples(pool, "pool")
    with exact_gradients(like.device):
        k = examined(model, samples, like).values[0].shape[1]
    u, wanted = len(samples), torch.as_tensor(np.asarray(targets, dtype=np.float64)).to(like)
    if wanted.shape != (u, k):
        raise ValueError(f"targets: expected shape {(u, k)}, got {tuple(wanted.shape)}")
    if not rate > 0:
        raise ValueError(f"rate: expected a number above 0, got {rate}")
    samples = samples.to(like.device)
    judged = samples if points is None else samples[list(points)]
    found = np.empty(u)
    with exact_gradients(like.device), torch.no_grad():
        whole = descent_of(model, samples[:1], judged, rate, 0.0, like)
        side = max(1, min(_AT_ONCE, of_device(CHUNK_BYTES, like.device) // whole.bytes_per_replica - 1))
        for start in range(0, u, side):
            own = slice(start, min(u, start + side))
            descent = descent_of(model, samples[own], judged, rate, 0.0, like)
            # one more learns nothing: the outputs before the step, of the same arithmetic
            kept = torch.eye(own.stop - start + 1, dtype=like.dtype, device=like.device)[:, 1:]
            descent.begin(kept, wanted[own].expand(len(kept), -1, -1))
            descent.step()
            after = descent.test_outputs().double()
            found[own] = torch.linalg.vector_norm(after[1:] - after[:1], dim=2).sum(1).cpu().numpy()
            if progress is not None:
                progress(own.stop, u)
    if not np.isfinite(found).all():
        raise ComputationError(f"A step of the rate {rate:g} leaves outputs that are not finite.", "Choose a smaller rate.")
    return found
