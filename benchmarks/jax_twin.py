"""The JAX twin of a torch network on the same weights, so that neural-tangents can be timed on the very same function.

The graph that torch.fx traces is walked node by node. Images are (b, h, w, c) inside, the order XLA's convolutions on a CPU want.
Only what the benchmarked networks use is known; anything else is refused by name.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

Weights = dict[str, dict[str, Any]]


def twin(model: nn.Module) -> tuple[Callable[[Weights, Any], Any], Weights]:
    """``apply(params, x)`` gives (b, k) for the x (b, c, h, w) or (b, d) that ``model`` takes, and its ``params`` by layer and name.

    ``params`` holds the weights and biases, all that torch trains; BatchNorm's running statistics are constants of ``apply``.
    """
    graph = _Leaves().trace(model)
    layers = {node.target: model.get_submodule(node.target) for node in graph.nodes if node.op == "call_module"}
    params = {name: {own: _array(p) for own, p in layer.named_parameters()} for name, layer in layers.items()}
    constants = {name: {own: _array(b) for own, b in layer.named_buffers()} for name, layer in layers.items()}

    def apply(params: Weights, x: Any) -> Any:
        values: dict[fx.Node, Any] = {}
        for node in graph.nodes:
            inputs = fx.node.map_arg(node.args, values.__getitem__)
            options = fx.node.map_arg(node.kwargs, values.__getitem__)
            if node.op == "placeholder":
                values[node] = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
            elif node.op == "call_module":
                values[node] = _layer(layers[node.target], params.get(node.target, {}), constants[node.target], *inputs)
            elif node.op == "output":
                return inputs[0]
            else:
                values[node] = _operation(node.target, *inputs, **options)
        raise ValueError("The network's graph has no output.")

    return apply, {name: own for name, own in params.items() if own}


class _Leaves(fx.Tracer):
    """Every module without parts of its own is one node of the graph."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return next(m.children(), None) is None


def _layer(layer: nn.Module, own: Mapping[str, Any], constants: Mapping[str, Any], x: Any) -> Any:
    import jax  # an optional peer

    kind = type(layer).__name__
    match layer:
        case nn.Linear():
            return _shifted(x @ own["weight"].T, own)
        case nn.Conv2d(padding_mode="zeros", padding=(top, left), dilation=(1, 1), groups=1, stride=stride):
            options = {"dimension_numbers": ("NHWC", "OIHW", "NHWC")}
            return _shifted(jax.lax.conv_general_dilated(x, own["weight"], stride, ((top, top), (left, left)), **options), own)
        case nn.BatchNorm2d():
            scale = 1 / np.sqrt(constants["running_var"] + layer.eps)
            return _shifted((x - constants["running_mean"]) * scale * own["weight"], own)
        case nn.ReLU():
            return jax.numpy.maximum(x, 0)
        case nn.Flatten():
            return _flat(x)
        case nn.Identity():
            return x
        case nn.AdaptiveAvgPool2d(output_size=1):
            return x.mean((1, 2), keepdims=True)
        case nn.MaxPool2d(kernel_size=int(size), stride=int(stride), padding=int(padding), dilation=1, ceil_mode=False):
            sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
            return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, size, size, 1), (1, stride, stride, 1), sides)
    match kind:
        case "Normalise":  # its buffers are (c, 1, 1) or (d,)
            return (x - constants["mean"].reshape(-1)) / constants["std"].reshape(-1)
        case "GrayToColour":
            return jax.numpy.repeat(x, 3, axis=-1)
        case "AveragePixels":
            return x.mean((1, 2))
        case "PadShortcut":
            added: Any = layer.added
            return jax.numpy.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (added // 2, added - added // 2)))
    raise ValueError(f"The layer {layer} has no JAX twin here.")


def _operation(target: Any, x: Any, *rest: Any, **options: Any) -> Any:
    if target in (operator.add, torch.add):
        return x + rest[0]
    if target in ("flatten", torch.flatten) and rest == (1,):
        return _flat(x)
    if target in ("mean", torch.mean) and options == {"dim": (-2, -1)} and not rest:
        return x.mean((1, 2))
    raise ValueError(f"The operation {target} with {rest} and {options} has no JAX twin here.")


def _flat(x: Any) -> Any:
    """As torch flattens: channels first."""
    return (x.transpose(0, 3, 1, 2) if x.ndim == 4 else x).reshape(len(x), -1)


def _shifted(x: Any, own: Mapping[str, Any]) -> Any:
    return x + own["bias"] if "bias" in own else x


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().copy()
