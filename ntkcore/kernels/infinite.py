"""Kernels of infinitely wide networks, by neural-tangents.

``infinite_ntk`` gives the limit that the empirical kernel ``Theta_oo`` of a network in *standard* parameterisation approaches, with the
widths of its :class:`~ntkcore.architecture.Chain` (Sohl-Dickstein et al. 2020): a sum over all parameters, biases included, which grows
in proportion to the width; the finite kernel differs from it by about ``1/sqrt(width)`` of itself. JAX is loaded when first used.

PyTorch's default weights are uniform, so the values behind a first layer with few inputs are not quite Gaussian, and the limit keeps a
small difference, of the order of one over the number of inputs; He's weights have none.

neural-tangents takes an angle from a difference that cancels where two samples (or neighbourhoods of pixels) all but coincide: there,
and on the diagonal, entries are good to about 1e-8 of themselves; elsewhere to rounding.
"""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Initialisation, Relu, Shape, variances
from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels.checks import as_samples
from ntkcore.kernels.jax_backend import libraries

Kind = Literal["ntk", "nngp"]

TILE_BYTES = 2**30
"""Working memory of one tile where the caller leaves its size open."""
MEMORY_BYTES = 4 * 2**30
"""Working memory that no tile may exceed."""
COPIES = 8
"""Arrays of a tile's size held at once; a test holds XLA's own figure against it."""


def infinite_ntk(
    architecture: Chain,
    x: Tensor | NDArray,
    z: Tensor | NDArray | None = None,
    *,
    initialisation: Initialisation = "he",
    kind: Kind = "ntk",
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """The infinite-width kernel of ``architecture``: ``Theta_oo(x, z)`` of any output o, or the covariance of its values.

    Args:
        architecture: layers with their widths; the same chain builds the finite network.
        x: (n, c, h, w) or (n, d), as they enter the first layer: normalised, if the network normalises its inputs.
        z: (m, ...), or None for ``z = x``: then only tiles on and above the diagonal are computed, and mirrored.
        initialisation: variances of weights and biases, as in :func:`ntkcore.architecture.variances`.
        kind: "ntk", or "nngp" for ``E[f_o(x) f_o(z)]`` over initialisations.
        batch_size: side of a tile; None chooses it by TILE_BYTES and :func:`tile_bytes`.
        progress: called with (entries done, all entries) after each tile; may raise ``Cancelled``.

    Returns:
        (n, m) float64; exactly symmetric for ``z = None``.

    Raises:
        ModelError: a chain that has no such kernel or does not fit the samples, images too large, a missing library.
        DataError: samples that are no numbers, or of two shapes; a batch size below 1, or too large for the memory.
        ComputationError: entries that are not finite.
    """
    if kind not in ("ntk", "nngp"):
        raise DataError(f"The kind of kernel is {kind!r}.", 'Choose "ntk" or "nngp".')
    rows = _samples(x, "x")
    columns = rows if z is None else _samples(z, "z")
    if columns.shape[1:] != rows.shape[1:]:
        raise DataError(f"x holds samples of shape {rows.shape[1:]} and z of shape {columns.shape[1:]}.", "Give both in the same shape.")
    if isinstance(architecture.layers[0], Flatten):
        rows, columns = rows.reshape(len(rows), -1), columns.reshape(len(columns), -1)
    shape = rows.shape[1:]
    _check(architecture, shape)
    height, width = _tile(architecture, shape, len(rows), len(columns), batch_size)
    kernel = _compiled(architecture, shape, initialisation, kind)
    result = np.empty((len(rows), len(columns)))
    done = 0
    for top in range(0, len(rows), height):
        for left in range(top if z is None else 0, len(columns), width):
            tile = kernel(_filled(rows, top, height), _filled(columns, left, width))
            here = result[top : top + height, left : left + width]
            tile = tile[: here.shape[0], : here.shape[1]]
            mirrored = z is None and top != left
            here[:] = np.triu(tile) + np.triu(tile, 1).T if z is None and top == left else tile
            if mirrored:
                result[left : left + width, top : top + height] = tile.T
            done += tile.size * (2 if mirrored else 1)
            if progress is not None:
                progress(done, result.size)
    if not np.isfinite(result).all():
        raise ComputationError("The kernel has entries that are NaN or infinite.", "Check the scale of the samples.")
    return result


def tile_bytes(architecture: Chain, input_shape: Shape, rows: int, columns: int) -> int:
    """Working memory of a tile of ``rows × columns`` pairs of samples: ``8 COPIES (b b' + b + b') P`` bytes.

    P is the largest number of pixels of the input and of any layer; under global average pooling, which needs the covariance of every
    pixel with every other, its square.
    """
    shapes = architecture.shapes(input_shape)
    if not isinstance(architecture.layers[0], Flatten):
        shapes = (input_shape, *shapes)
    pixels = max(prod(shape[1:]) for shape in shapes)
    positions = pixels**2 if GlobalAveragePool() in architecture.layers else pixels
    return 8 * COPIES * (rows * columns + rows + columns) * positions


def stax_layers(architecture: Chain, input_shape: Shape, initialisation: Initialisation = "he") -> list[Any]:
    """neural-tangents' layer, ``(init_fn, apply_fn, kernel_fn)``, for each layer of the chain; images are (n, h, w, c).

    A same-padded convolution with a stride is one without, followed by every stride-th pixel, since JAX's "SAME" pads other sides than
    torch does; its parameters are ``((weight, bias), ())``.
    """
    stax = libraries().nt.stax
    made: list[Any] = []
    for layer, fan_in in zip(architecture.layers, architecture.fan_ins(input_shape), strict=True):
        match layer:
            case Dense() | Conv():
                made.append(_affine(stax, layer, fan_in, initialisation))
            case Relu():
                made.append(stax.Relu())
            case Flatten():
                made.append(stax.Flatten())
            case GlobalAveragePool():
                made.append(stax.GlobalAvgPool())
    return made


def _affine(stax: ModuleType, layer: Dense | Conv, fan_in: int, initialisation: Initialisation) -> Any:
    weight, bias = variances(initialisation, fan_in)
    drawn: dict[str, Any] = {
        "W_std": (weight * fan_in) ** 0.5,
        "b_std": bias**0.5 if layer.bias else None,
        "parameterization": "standard",
    }
    if isinstance(layer, Dense):
        return stax.Dense(layer.width, **drawn)
    window = (layer.kernel, layer.kernel)
    if layer.padding == 0:
        return stax.Conv(layer.channels, window, (layer.stride, layer.stride), "VALID", **drawn)
    whole = stax.Conv(layer.channels, window, (1, 1), "SAME", **drawn)
    return whole if layer.stride == 1 else stax.serial(whole, _every(stax, layer.stride))


def _every(stax: ModuleType, step: int) -> Any:
    """The layer that keeps every ``step``-th row and column, from the first; its kernel keeps the same pixels."""

    def init_fn(_rng: Any, shape: Shape) -> tuple[Shape, tuple[()]]:
        return (shape[0], *(-(-side // step) for side in shape[1:-1]), shape[-1]), ()

    def apply_fn(_params: Any, x: Any, **_: Any) -> Any:
        return x[:, ::step, ::step]

    @stax.requires(batch_axis=0, channel_axis=-1, diagonal_spatial=stax.Diagonal())
    def kernel_fn(kernel: Any, **_: Any) -> Any:
        def kept(array: Any, samples: int) -> Any:
            if array is None or array.ndim == 0:
                return array
            return array[(slice(None),) * samples + (slice(None, None, step),) * (array.ndim - samples)]

        own = 1 if kernel.diagonal_batch else 2
        return kernel.replace(cov1=kept(kernel.cov1, own), cov2=kept(kernel.cov2, own), nngp=kept(kernel.nngp, 2), ntk=kept(kernel.ntk, 2))

    return stax.layer(lambda: (init_fn, apply_fn, kernel_fn))()


@lru_cache(maxsize=8)
def _compiled(architecture: Chain, shape: Shape, initialisation: Initialisation, kind: Kind) -> Callable[[NDArray, NDArray], NDArray]:
    """The kernel of a tile, (b, ...) and (b', ...) to (b, b'): compiled once for each b and b'."""
    lib = libraries()
    kernel_fn = lib.nt.stax.serial(*stax_layers(architecture, shape, initialisation))[2]
    function = lib.jax.jit(lambda rows, columns: kernel_fn(rows, columns, kind))

    def tile(rows: NDArray, columns: NDArray) -> NDArray:
        with lib.double():
            return np.asarray(function(rows, columns))

    return tile


def _samples(x: Tensor | NDArray, name: str) -> NDArray[np.float64]:
    """(n, c, h, w) or (n, d), checked, in float64."""
    samples = as_samples(x, name).cpu().double().numpy()
    if samples.ndim not in (2, 4):
        raise DataError(f"{name} has the shape {samples.shape}.", "Give images (n, channels, height, width) or vectors (n, features).")
    return samples


def _filled(samples: NDArray, start: int, length: int) -> NDArray:
    """``length`` samples from ``start``, images as (b, h, w, c); past the end the last is repeated, so that every tile has one shape."""
    piece = samples[np.minimum(np.arange(start, start + length), len(samples) - 1)]
    return np.moveaxis(piece, 1, -1) if piece.ndim == 4 else piece


def _check(architecture: Chain, shape: Shape) -> None:
    """Refuse a chain whose kernel is not known, before anything is computed."""
    if len(architecture.shapes(shape)[-1]) != 1:
        raise ModelError("The architecture ends in images.", "End it in a Flatten or GlobalAveragePool and a linear layer.")
    if not any(architecture.fan_ins(shape)):
        raise ModelError("The architecture has no layer with weights, so it has no kernel.", "End it in a linear layer.")
    for number, (layer, before) in enumerate(zip(architecture.layers, (None, *architecture.layers), strict=False), start=1):
        if isinstance(layer, Relu) and not isinstance(before, Dense | Conv):
            raise ModelError(
                f"Layer {number} is a ReLU of values that are not Gaussian at infinite width.",
                "Put a linear layer or a convolution directly before it.",
            )
        if isinstance(layer, Conv) and layer.padding and 2 * layer.padding != layer.kernel - 1:
            raise ModelError(
                f"Layer {number}, a {layer.kernel} × {layer.kernel} convolution with padding {layer.padding}, has no known infinite-width "
                "kernel.",
                "Choose the fcn, cnn3 or convnet, or a padding of 0 or (kernel - 1) / 2.",
            )


def _tile(architecture: Chain, shape: Shape, n: int, m: int, wish: int | None) -> tuple[int, int]:
    """Rows and columns of a tile: ``wish``, or as many as TILE_BYTES allows."""
    smallest = tile_bytes(architecture, shape, 1, 1)
    allowed = f"{MEMORY_BYTES / 2**30:.0f} GiB"
    if smallest > MEMORY_BYTES:
        side = int((MEMORY_BYTES / (3 * 8 * COPIES)) ** 0.25)
        raise ModelError(
            f"Under global average pooling, one pair of images of {' × '.join(map(str, shape[1:]))} pixels takes "
            f"{smallest / 2**30:.0f} GiB, more than {allowed}.",
            f"Choose images of at most {side} × {side} pixels, or an architecture without pooling.",
        )

    def side_within(memory: int) -> int:
        return max(1, int((1 + 3 * memory / smallest) ** 0.5 - 1))  # a tile of side b is (b² + 2b) / 3 times as large

    if wish is None:
        wish = side_within(TILE_BYTES)
    elif wish < 1:
        raise DataError(f"The batch size is {wish}.", "Give at least 1, or leave it out.")
    elif tile_bytes(architecture, shape, min(wish, n), min(wish, m)) > MEMORY_BYTES:
        raise DataError(
            f"A tile of {wish} × {wish} samples takes more than {allowed}.",
            f"Choose a batch size of at most {side_within(MEMORY_BYTES)}, or leave it out.",
        )
    return min(wish, n), min(wish, m)
