"""A torch network's weights handed over to JAX, so that the two libraries can be compared on one network."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Layer, Relu, Shape
from ntkcore.errors import ModelError
from ntkcore.kernels.jax_backend import libraries

Params = list[tuple[NDArray, NDArray | None] | tuple[()]]


def to_jax(model: nn.Module, architecture: Chain, input_shape: Shape) -> tuple[Callable[[Any, Any], Any], Params]:
    """The same network in JAX: ``apply_fn(params, x)`` gives (n, k) for the x (n, c, h, w) or (n, d) that ``model`` takes.

    ``params`` has an entry for each layer of the chain: ``(weight, bias)`` in the model's dtype, weights of convolutions as
    (h, w, in, out) and of linear layers as (in, out), or ``()``. Images are (n, h, w, c) inside, so the rows of a matrix that follows a
    Flatten are permuted. The model's input normalisation is part of ``apply_fn``. For a float64 model, call ``apply_fn`` under
    ``jax.experimental.enable_x64()``.

    Args:
        model: made from ``architecture``, with or without a layer that normalises by its buffers ``mean`` and ``std``.
        architecture: its chain; any, also one that has no infinite-width kernel.
        input_shape: of one sample, (c, h, w) or (d,).

    Raises:
        ModelError: the model's layers are not the chain's, or the libraries are not installed.
    """
    jax = libraries().jax
    layers = architecture.layers
    shapes = (tuple(input_shape), *architecture.shapes(tuple(input_shape)))
    modules = [module for module in model.modules() if next(module.parameters(recurse=False), None) is not None]
    if [_kind(module) for module in modules] != [type(layer) for layer in layers if isinstance(layer, Dense | Conv)]:
        raise _other_network()
    queue = iter(modules)
    params: Params = []
    for number, layer in enumerate(layers):
        if not isinstance(layer, Dense | Conv):
            params.append(())
            continue
        flattened = shapes[number - 1] if number and isinstance(layers[number - 1], Flatten) else ()
        params.append(_weights(next(queue), layer, shapes[number], flattened))
    buffers = [dict(module.named_buffers(recurse=False)) for module in model.modules()]
    statistics = [(_array(own["mean"]), _array(own["std"])) for own in buffers if own.keys() == {"mean", "std"}]

    def apply_fn(params: Any, x: Any) -> Any:
        for mean, std in statistics:
            x = (x - mean) / std
        x = jax.numpy.moveaxis(x, 1, -1) if x.ndim == 4 else x
        for layer, own in zip(layers, params, strict=True):
            x = _apply(jax, layer, own, x)
        return x

    return apply_fn, params


def _weights(module: nn.Module, layer: Dense | Conv, entering: Shape, flattened: Shape) -> tuple[NDArray, NDArray | None]:
    """A layer's weight and bias in JAX's order; ``flattened``: shape of the images whose numbers enter, or ``()``."""
    weight = _array(module.get_parameter("weight"))
    wanted = (layer.channels, entering[0], layer.kernel, layer.kernel) if isinstance(layer, Conv) else (layer.width, entering[0])
    options = isinstance(module, nn.Conv2d) and (module.stride, module.padding, module.dilation, module.groups)
    if isinstance(layer, Conv) and options != ((layer.stride,) * 2, (layer.padding,) * 2, (1, 1), 1):
        raise _other_network()
    if weight.shape != wanted or (module.bias is not None) != layer.bias:
        raise _other_network()
    bias = _array(module.get_parameter("bias")) if layer.bias else None
    if isinstance(layer, Conv):
        return weight.transpose(2, 3, 1, 0), bias
    if len(flattened) == 3:
        weight = weight.reshape(-1, *flattened).transpose(0, 2, 3, 1).reshape(weight.shape)
    return weight.T, bias


def _apply(jax: Any, layer: Layer, own: Any, x: Any) -> Any:
    match layer:
        case Dense():
            x = x @ own[0]
        case Conv(stride=stride, padding=padding):
            x = jax.lax.conv_general_dilated(
                x, own[0], (stride, stride), ((padding, padding), (padding, padding)), dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
        case Relu():
            return jax.numpy.maximum(x, 0)
        case Flatten():
            return x.reshape(len(x), -1)
        case GlobalAveragePool():
            return x.mean(axis=(1, 2))
    return x if own[1] is None else x + own[1]


def _kind(module: nn.Module) -> type:
    return {nn.Linear: Dense, nn.Conv2d: Conv}.get(type(module), type(module))


def _array(value: Tensor) -> NDArray:
    return np.array(value.detach().cpu().numpy())


def _other_network() -> ModelError:
    return ModelError("The network's layers are not those of the given architecture.", "Give the chain from which the network was built.")
