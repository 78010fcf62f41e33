"""Other ways to the kernel: what every peer offers, and torch.func's two, as its documentation has them and with every fair advantage.

All peers compute x against itself and return the kernel as :func:`ntkcore.kernels.empirical_ntk` does: (n, n) for "pseudo", (n, n, k, k)
for "full", in float32. None of them computes a symmetric pair once only: neither documentation does.
"""

import math
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, jvp, vjp, vmap

from ntkcore.kernels.general import quiet_vmap

Setting = tuple[int, ...]
"""Samples in a chunk, or on the two sides of a block; ``()``: all at once."""

CHUNKS = (1, 4, 16, 32, 64)


class Peer(Protocol):
    """One way to the kernel."""

    name: str

    def settings(self, n: int) -> list[Setting]:
        """What is worth trying, small to large: what fits the memory for ``n`` samples."""
        ...

    def trial(self, setting: Setting, n: int) -> tuple[int, ...]:
        """Numbers of samples whose times tell that of ``n``: two, or one where the time grows as n²."""
        ...

    def warm(self, x: Tensor, setting: Setting) -> None:
        """Compile what ``x`` needs, where that is not yet done."""
        ...

    def run(self, x: Tensor, setting: Setting) -> np.ndarray:
        """The kernel of ``x`` with itself."""
        ...


class TorchJacobians:
    """vmap(jacrev), for "pseudo" vmap(grad) of ``sum_o f_o / sqrt(k)``, contracted by one matrix product for each parameter.

    The Jacobians of all samples are kept. Where they exceed ``memory`` bytes, parameters take turns (each turn a forward and a backward
    pass more, which is little); where one parameter's exceed it, blocks of samples do, and are formed once for each pair of blocks.
    """

    name = "torch.func Jacobians"

    def __init__(self, model: nn.Module, sample: Tensor, outputs: str, memory: int) -> None:
        self._model, self._outputs, self._memory = model, outputs, memory
        self._parameters = {name: p.detach() for name, p in model.named_parameters()}
        k = int(model(sample[None]).shape[1])
        self._rows = k if outputs == "full" else 1
        self._scale = 1 / math.sqrt(k)
        self._activations = activations(model, sample)

    def settings(self, n: int) -> list[Setting]:
        # a chunk holds its gradients, and for each output what the backward pass leaves at every layer
        per_sample = 4 * self._rows * (sum(p.numel() for p in self._parameters.values()) + 2 * self._activations)
        return [(chunk,) for chunk in CHUNKS if chunk < 2 * n and (chunk == 1 or chunk * per_sample <= self._memory // 4)]

    def trial(self, setting: Setting, n: int) -> tuple[int, ...]:
        return two_sizes(n, self._memory // (4 * self._rows * sum(p.numel() for p in self._parameters.values())))

    def warm(self, x: Tensor, setting: Setting) -> None:
        """Nothing to compile."""

    def run(self, x: Tensor, setting: Setting) -> np.ndarray:
        r, n = self._rows, len(x)
        total = x.new_zeros(n * r, n * r)
        for names in self._turns(n):
            numbers = sum(self._parameters[name].numel() for name in names)
            most = self._memory // (4 * r * numbers)
            step = n if n <= most else max(1, most // 2)
            for top in range(0, n, step):
                here = self._jacobians(names, x[top : top + step], setting[0])
                for left in range(0, n, step):
                    there = here if top == left else self._jacobians(names, x[left : left + step], setting[0])
                    target = total[top * r : (top + step) * r, left * r : (left + step) * r]
                    for name in names:
                        target.addmm_(here[name], there[name].T)
        if self._outputs == "pseudo":
            return total.cpu().numpy()
        return total.view(n, r, n, r).transpose(1, 2).cpu().numpy()

    def _turns(self, n: int) -> list[list[str]]:
        """Groups of parameters whose Jacobians of ``n`` samples fit together."""
        groups: list[list[str]] = []
        used = self._memory + 1
        for name, p in self._parameters.items():
            size = 4 * n * self._rows * p.numel()
            if used + size > self._memory:
                groups.append([])
                used = 0
            groups[-1].append(name)
            used += size
        return groups

    def _jacobians(self, names: list[str], x: Tensor, chunk: int) -> dict[str, Tensor]:
        """(b·r, P) for each parameter."""
        chosen = {name: self._parameters[name] for name in names}
        rest = {name: p for name, p in self._parameters.items() if name not in chosen}

        def outputs(given: dict[str, Tensor], sample: Tensor) -> Tensor:
            values = functional_call(self._model, {**rest, **given}, (sample[None],))[0]
            return values if self._outputs == "full" else values.sum() * self._scale

        one = jacrev(outputs) if self._outputs == "full" else grad(outputs)
        found: dict[str, Tensor] = {}
        for start in range(0, len(x), chunk):
            piece = x[start : start + chunk]
            with quiet_vmap():
                formed = vmap(one, in_dims=(None, 0))(chosen, piece)
            for name in names:
                rows = formed.pop(name).reshape(len(piece) * self._rows, -1)
                if len(piece) == len(x):
                    found[name] = rows
                    continue
                if name not in found:
                    found[name] = rows.new_empty(len(x) * self._rows, rows.shape[1])
                found[name][start * self._rows : (start + len(piece)) * self._rows] = rows
        return found


class TorchProducts:
    """jvp after vjp, vmapped over both sets of samples, as in PyTorch's tutorial on neural tangent kernels, block by block."""

    name = "torch.func vector products"

    def __init__(self, model: nn.Module, sample: Tensor, outputs: str, memory: int) -> None:
        self._model, self._outputs, self._memory = model, outputs, memory
        self._parameters = {name: p.detach() for name, p in model.named_parameters()}
        self._k = model(sample[None]).shape[1]
        self._activations = activations(model, sample)

    def settings(self, n: int) -> list[Setting]:
        r = self._k if self._outputs == "full" else 1
        size = sum(p.numel() for p in self._parameters.values())
        candidates = [(1, 1), (1, 16), (4, 4), (8, 8), (16, 16), (4, 64), (32, 32)]
        return [
            (rows, columns)
            for rows, columns in candidates
            if columns == 1 or (columns <= n and 4 * rows * r * (size + 4 * columns * self._activations) <= self._memory)
        ]

    def trial(self, setting: Setting, n: int) -> tuple[int, ...]:
        return (min(n, max(setting)),)

    def warm(self, x: Tensor, setting: Setting) -> None:
        """Nothing to compile."""

    def run(self, x: Tensor, setting: Setting) -> np.ndarray:
        blocks = [torch.cat([self._block(here, there) for there in x.split(setting[1])], 1) for here in x.split(setting[0])]
        return torch.cat(blocks).cpu().numpy()

    def _block(self, x: Tensor, z: Tensor) -> Tensor:
        def outputs(given: dict[str, Tensor], sample: Tensor) -> Tensor:
            values = functional_call(self._model, given, (sample[None],))[0]
            return values if self._outputs == "full" else values.sum() / math.sqrt(self._k)

        def pair(a: Tensor, b: Tensor) -> Tensor:
            value, back = vjp(lambda given: outputs(given, a), self._parameters)  # type: ignore[misc]  # no third value without has_aux

            def pushed(seed: Tensor) -> Tensor:
                return jvp(lambda given: outputs(given, b), (self._parameters,), back(seed))[1]

            return pushed(torch.ones_like(value)) if value.ndim == 0 else vmap(pushed)(torch.eye(len(value)).to(value))

        with quiet_vmap():
            return vmap(vmap(pair, (None, 0)), (0, None))(x, z)


def two_sizes(n: int, fitting: int) -> tuple[int, ...]:
    """Half of and all of what fits of 64 samples into a quarter of the memory; ``n`` itself where it is no more."""
    most = min(64, max(2, fitting // 4))
    return (n,) if n <= most else (most // 2, most)


def activations(model: nn.Module, sample: Tensor) -> int:
    """Numbers that all layers put out for one sample."""
    counted: list[int] = []

    def count(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        counted.append(output.numel())

    handles = [m.register_forward_hook(count) for m in model.modules() if next(m.children(), None) is None]
    try:
        with torch.no_grad():
            model(sample[None])
    finally:
        for handle in handles:
            handle.remove()
    return sum(counted)
