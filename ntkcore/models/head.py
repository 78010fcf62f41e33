"""The last layer of a network, and what it starts from when it is new: nothing, small random numbers, or a ridge regression.

With a head of zeros every other layer's gradient is zero, so that the kernel is the head's, the products of the features (plus one, of the
bias); with a large random head the other layers' part drowns it. Ridge regression on the features, with λ of the least squared
leave-one-out error, starts where the head alone would end.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.errors import ModelError

RIDGES = 10.0 ** np.arange(-6.0, 4.0)
"""λ that are tried, times the mean of the features' squared lengths."""
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Called:
    """A layer with parameters of its own, as a forward pass meets it: its name, and the shape of its output for one sample."""

    name: str
    shape: tuple[int, ...]


def called(network: nn.Module, model: nn.Module, sample: Tensor) -> tuple[Called, ...]:
    """The layers of ``network`` with parameters of their own in the order in which a pass of ``model``, around it, over ``sample`` (1, ...)
    last begins them; "" is the network itself."""
    order: dict[str, None] = {}
    shapes: dict[str, tuple[int, ...]] = {}

    def begun(name: str, *_: object) -> None:
        order.pop(name, None)
        order[name] = None

    def ended(name: str, _module: nn.Module, _inputs: object, output: object) -> None:
        shapes[name] = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()

    handles = []
    for name, module in network.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            handles.append(module.register_forward_pre_hook(partial(begun, name)))
            handles.append(module.register_forward_hook(partial(ended, name)))
    try:
        with torch.no_grad():
            model(sample)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(Called(name, shapes[name]) for name in order)


def head_of(layers: tuple[Called, ...], outputs: int) -> str:
    """The name of the last layer, whose outputs are the network's.

    Raises:
        ModelError: the last layer is not one output for each of the network's.
    """
    if not layers or layers[-1].shape[:1] != (outputs,):
        last = f" (the last, {layers[-1].name}, gives {layers[-1].shape})" if layers else ""
        raise ModelError(
            f"The network has no last layer of {outputs} outputs{last}.", "Leave its head and what the kernel sees as they are."
        )
    return layers[-1].name


def start_head(head: nn.Module, start: str, size: float, seed: int) -> None:
    """Set a head's weights, in place: ``"zero"``, or ``"random"``, N(0, ``size``²) with a bias of 0; others stay."""
    if start not in ("zero", "random"):
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in head.named_parameters(recurse=False):
            parameter.zero_()
            if start == "random" and name != "bias":
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * size)


def fit_head(network: nn.Module, name: str, inputs: NDArray, targets: NDArray) -> float:
    """Fit a linear head by ridge regression on the features that enter it, in place; the network is on CPU and in eval mode.

    Args:
        network: maps (b, ...) to (b, k).
        name: of its last layer.
        inputs: (n, ...).
        targets: (n, k).

    Returns:
        λ, absolute: that of :data:`RIDGES` with the least squared leave-one-out error.

    Raises:
        ModelError: the head is not a linear layer.
    """
    head = network.get_submodule(name)
    if not isinstance(head, nn.Linear):
        raise ModelError(f"The head, {name}, is {type(head).__name__}: only a linear layer is fitted.", "Choose another start of the head.")
    features = _features(network, head, inputs)
    weight, bias, ridge = ridge_head(features, np.asarray(targets, dtype=np.float64), head.bias is not None)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        if head.bias is not None:
            head.bias.copy_(torch.from_numpy(bias))
    return ridge


def ridge_head(features: NDArray, targets: NDArray, biased: bool = True) -> tuple[NDArray, NDArray, float]:
    """``argmin ½‖Φ Wᵀ + b - Y‖² + (λ/2)(‖W‖² + ‖b‖²)``, the head's own kernel regression, with λ by leave-one-out (SCIENCE §3).

    Args:
        features: (n, d).
        targets: (n, k).
        biased: whether there is a bias, a feature of ones.

    Returns:
        W (k, d), b (k,) and λ.
    """
    phi = np.concatenate([features, np.ones((len(features), 1))], axis=1) if biased else features
    left, values, right = np.linalg.svd(phi, full_matrices=False)
    scale, projected = float(np.square(values).sum() / len(phi)), left.T @ targets
    best, ridge = np.inf, 0.0
    for one in RIDGES * scale:
        shrunk = values**2 / (values**2 + one)
        residual = targets - left @ (shrunk[:, None] * projected)
        own = np.square(left) @ shrunk
        error = float(np.square(residual / np.maximum(1.0 - own, np.finfo(float).eps)[:, None]).sum())
        if error < best:
            best, ridge = error, float(one)
    solved = right.T @ ((values / (values**2 + ridge))[:, None] * projected)
    weight = solved[: features.shape[1]].T
    return np.ascontiguousarray(weight), solved[-1] if biased else np.zeros(targets.shape[1]), ridge


def _features(network: nn.Module, head: nn.Linear, inputs: NDArray) -> NDArray:
    """(n, d) float64: what enters the head."""
    found: list[NDArray] = []
    handle = head.register_forward_pre_hook(lambda _module, given: found.append(given[0].detach().double().numpy()))
    like = head.weight.dtype
    try:
        with torch.no_grad():
            for start in range(0, len(inputs), _BATCH):
                network(torch.from_numpy(np.ascontiguousarray(inputs[start : start + _BATCH])).to(like))
    finally:
        handle.remove()
    return np.concatenate(found)
