"""One battery for every kernel: symmetric, positive semidefinite, the same in any batch, block or order, and of the dtype it says.

Tolerances are relative to the largest entry: 1e-12 in float64 for sums of the same products in another order; 1e-7 for neural-tangents'
kernels, whose angles are good to 1e-8; 1e-5 in float32.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from kernel_test_networks import FACTORED, build

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Relu
from ntkcore.kernels import Compression, empirical_ntk, infinite_ntk, two_layer_relu_ntk

Kernel = Callable[..., np.ndarray]
N = 9


@dataclass(frozen=True)
class Case:
    """A kernel ``(x, z, batch) -> matrix``, samples for it, the rows each sample has in the matrix, its precision and tolerance."""

    kernel: Kernel
    x: np.ndarray
    rows: int
    dtype: type
    tolerance: float


def empirical(name: str, outputs: str, dtype: torch.dtype, compression: Compression | None = None) -> Case:
    model, x = build(*FACTORED[name], N, dtype)

    def kernel(a: np.ndarray, b: np.ndarray | None = None, batch: int | None = None) -> np.ndarray:
        found = empirical_ntk(model, a, b, outputs=outputs, batch_size=batch, compression=compression).values
        return found if found.ndim == 2 else found.transpose(0, 2, 1, 3).reshape(found.shape[0] * found.shape[2], -1)

    double = dtype == torch.float64
    return Case(kernel, x.numpy(), 3 if outputs == "full" else 1, np.float64 if double else np.float32, 1e-12 if double else 1e-5)


def infinite(chain: Chain, shape: tuple[int, ...], kind: str) -> Case:
    x = np.random.default_rng(0).standard_normal((N, *shape))
    return Case(lambda a, b=None, batch=None: infinite_ntk(chain, a, b, kind=kind, batch_size=batch), x, 1, np.float64, 1e-7)


def relu() -> Case:
    x = np.random.default_rng(0).standard_normal((N, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Case(lambda a, b=None, batch=None: two_layer_relu_ntk(a, b), x, 1, np.float64, 1e-12)


FCN = Chain((Flatten(), Dense(16), Relu(), Dense(3)))
POOLED = Chain((Conv(8, 3, padding=1), Relu(), GlobalAveragePool(), Dense(3)))
CASES: dict[str, Callable[[], Case]] = {
    **{
        f"{outputs}, {name}, {str(dtype).removeprefix('torch.')}": lambda name=name, outputs=outputs, dtype=dtype: empirical(
            name, outputs, dtype
        )
        for outputs in ("mean", "pseudo", "first", "full")
        for name in ("mlp", "residual in place")
        for dtype in (torch.float64, torch.float32)
    },
    "subset": lambda: empirical("conv", "pseudo", torch.float64, Compression("subset", 30)),
    "projection, full": lambda: empirical("conv", "full", torch.float64, Compression("projection", 30)),
    "infinite fcn, ntk": lambda: infinite(FCN, (6,), "ntk"),
    "infinite fcn, nngp": lambda: infinite(FCN, (6,), "nngp"),
    "infinite pooled convnet, ntk": lambda: infinite(POOLED, (2, 4, 4), "ntk"),
    "two-layer relu": relu,
}


@pytest.mark.parametrize("name", CASES)
def test_every_kernel_keeps_the_contract(name: str) -> None:
    case = CASES[name]()
    kernel, x, r = case.kernel, case.x, case.rows
    whole = kernel(x)
    scale = case.tolerance * np.abs(whole).max()

    def of(samples: list[int]) -> np.ndarray:
        return np.concatenate([np.arange(r * i, r * i + r) for i in samples])

    assert whole.dtype == case.dtype
    assert whole.shape == (N * r, N * r)
    np.testing.assert_array_equal(whole, whole.T)
    values = np.linalg.eigvalsh(whole.astype(np.float64))
    assert values[0] >= -N * r * scale
    for batch in (1, 4):
        np.testing.assert_allclose(kernel(x, None, batch), whole, rtol=0, atol=scale, err_msg="batch")
    order = [4, 0, 8, 2, 6, 1, 3, 7, 5]
    np.testing.assert_allclose(kernel(x[order]), whole[np.ix_(of(order), of(order))], rtol=0, atol=scale, err_msg="order")
    np.testing.assert_allclose(kernel(x[:4], x[4:]), whole[: 4 * r, 4 * r :], rtol=0, atol=scale, err_msg="train and test")
    np.testing.assert_allclose(kernel(x, x), whole, rtol=0, atol=scale, err_msg="a set with itself")
    one = kernel(x[:1])
    np.testing.assert_allclose(one, whole[:r, :r], rtol=0, atol=scale, err_msg="one sample")
