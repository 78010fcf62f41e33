"""neural-tangents' two ways to the empirical kernel, on a torch network's JAX twin."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jax_twin import twin
from kernel_peers import Setting, activations, two_sizes
from torch import Tensor, nn

from ntkcore.kernels.jax_backend import libraries

METHODS = ("JACOBIAN_CONTRACTION", "NTK_VECTOR_PRODUCTS")
BLOCKS = (1, 4, 10, 25, 50, 100)


class Tangents:
    """neural-tangents' ``empirical_ntk_fn`` on the network's JAX twin, jitted, through ``nt.batch`` where a setting says so.

    For "pseudo" it is given ``sum_o f_o / sqrt(k)`` with a last axis of one number. Jacobian contraction takes all samples at once where
    their Jacobians fit ``memory`` bytes, so that none is formed twice.
    """

    def __init__(self, model: nn.Module, sample: Tensor, outputs: str, memory: int, method: str) -> None:
        loaded = libraries()
        self._jax, nt = loaded.jax, loaded.nt
        self.name = "neural-tangents " + {"JACOBIAN_CONTRACTION": "Jacobians", "NTK_VECTOR_PRODUCTS": "vector products"}[method]
        self._contracts, self._outputs, self._memory = method == "JACOBIAN_CONTRACTION", outputs, memory
        apply, weights = twin(model)
        self._params = self._jax.tree_util.tree_map(self._jax.numpy.asarray, weights)
        k = model(sample[None]).shape[1]
        self._rows = k if outputs == "full" else 1
        self._numbers, self._activations = sum(p.numel() for p in model.parameters()), activations(model, sample)

        def total(params: Any, x: Any) -> Any:
            return apply(params, x).sum(-1, keepdims=True) / math.sqrt(k)

        options = {"trace_axes": (), "vmap_axes": 0, "implementation": nt.NtkImplementation[method]}
        self._kernel = self._jax.jit(nt.empirical_ntk_fn(apply if outputs == "full" else total, **options))
        self._batched: dict[Setting, Callable[..., Any]] = {}
        self._compiled: set[tuple[int, ...]] = set()
        self._nt = nt

    def settings(self, n: int) -> list[Setting]:
        blocks: list[Setting] = [(b, b) for b in BLOCKS if n % b == 0 and b < n and (b == 1 or self._bytes(b, 2) <= self._memory)]
        whole: list[Setting] = [()] if self._bytes(n, 1) <= self._memory else []
        # a block's Jacobians are formed again for each block of the other side: only large blocks can be best
        return whole + blocks[: -3 + len(whole) : -1] if self._contracts else blocks + whole

    def trial(self, setting: Setting, n: int) -> tuple[int, ...]:
        if setting:
            return (min(n, 2 * setting[0]),)
        return two_sizes(n, self._memory // (4 * self._rows * self._numbers)) if self._contracts else (n,)

    def warm(self, x: Tensor, setting: Setting) -> None:
        """Once for every shape: a block's own, or that of all samples."""
        shape = setting if setting and setting[0] < len(x) else (len(x),)
        if shape not in self._compiled:
            self.run(x, setting)
            self._compiled.add(shape)

    def run(self, x: Tensor, setting: Setting) -> np.ndarray:
        samples = x.cpu().numpy()
        if not setting or setting[0] >= len(samples):
            values = self._kernel(samples, None, self._params)
        else:
            if setting not in self._batched:
                self._batched[setting] = self._nt.batch(self._kernel, batch_size=setting[0], device_count=0)
            values = self._batched[setting](samples, None, self._params)
        found = np.asarray(values)
        return found if self._outputs == "full" else found.reshape(len(samples), len(samples))

    def _bytes(self, samples: int, sides: int) -> int:
        """What ``samples`` on each of so many different sides take; XLA turns each Jacobian around in a copy before it is contracted."""
        gradients = 8 * sides * samples * self._rows * self._numbers
        return gradients if self._contracts else gradients + 16 * samples * samples * self._rows * self._activations
