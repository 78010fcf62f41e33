"""mean_ntk against explicit Jacobians by plain autograd. Tolerances as for the diagonal, relative to the largest entry."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_test_networks import FACTORED, GENERAL, Tokens, build, jacobians
from torch import nn

from ntkcore.errors import DataError
from ntkcore.kernels import FallbackWarning, mean_ntk, ntk_diagonal

# torch says how it pads evenly sized kernels
pytestmark = pytest.mark.filterwarnings("ignore:Using padding=:UserWarning")

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


def oracle(model: nn.Module, x: torch.Tensor, z: torch.Tensor) -> np.ndarray:
    j_x, j_z = jacobians(model.double(), x.double()), jacobians(model, z.double())
    return (torch.einsum("iop,jop->ij", j_x, j_z) / j_x.shape[1]).numpy()


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", FACTORED)
def test_factored_layers_equal_explicit_jacobians(name: str, dtype: torch.dtype) -> None:
    model, x = build(*FACTORED[name], 7, dtype)
    found = mean_ntk(model, x[:4], x[4:])
    assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    expected = oracle(model, x, x)
    close(found, expected[:4, 4:], TOLERANCE[dtype])
    close(mean_ntk(model.to(dtype), x, batch_size=3), expected, TOLERANCE[dtype])


@pytest.mark.parametrize("name", GENERAL)
def test_other_parameters_fall_back_and_say_so(name: str) -> None:
    make, shape, _ = GENERAL[name]
    model, x = build(make, shape, 5, torch.float64)
    with pytest.warns(FallbackWarning):
        found = mean_ntk(model, x)
    close(found, oracle(model, x, x), 1e-10)


@pytest.mark.parametrize("rows", [7, 50])  # a dense table, and matching of tokens
def test_repeated_and_padding_tokens(rows: int) -> None:
    torch.manual_seed(1)
    model = Tokens(rows, 0).double().eval()
    x = torch.randint(0, 5, (6, 6))
    j = jacobians(model, x)
    close(mean_ntk(model, x, batch_size=4), (torch.einsum("iop,jop->ij", j, j) / 3).numpy(), 1e-10)


@pytest.mark.parametrize("name", ["mlp", "conv", "residual in place"])
def test_symmetric_positive_and_its_diagonal_is_ntk_diagonal(name: str) -> None:
    model, x = build(*FACTORED[name], 9, torch.float64)
    kernel = mean_ntk(model, x, batch_size=4)
    np.testing.assert_array_equal(kernel, kernel.T)
    assert np.linalg.eigvalsh(kernel).min() > -1e-12 * np.abs(kernel).max()
    np.testing.assert_allclose(kernel.diagonal(), ntk_diagonal(model, x), rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)), size=st.integers(1, 7), cut=st.integers(1, 5))
def test_blocks_and_permutations(order: list[int], size: int, cut: int) -> None:
    """A tile alone, and samples in another order, give the same entries."""
    model, x = build(*FACTORED["conv groups"], 6, torch.float64)
    kernel = mean_ntk(model, x)
    close(mean_ntk(model, x[order], batch_size=size), kernel[np.ix_(order, order)], 1e-12)
    close(mean_ntk(model, x[:cut], x[cut:], batch_size=size), kernel[:cut, cut:], 1e-12)


def test_small_memory_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from ntkcore.kernels import features, mean

    for name in ("conv", "conv groups, few positions", "mlp"):
        model, x = build(*FACTORED[name], 7, torch.float64)
        whole = mean_ntk(model, x)
        with monkeypatch.context() as small:
            small.setattr(features, "WORKSPACE_BYTES", {"cpu": 2000})
            small.setattr(mean, "KEPT_BYTES", 0)
            close(mean_ntk(model, x, batch_size=3), whole, 1e-12)
            close(mean_ntk(model, x[:5], x[2:], batch_size=2), whole[:5, 2:], 1e-12)


def test_progress_reaches_all_entries() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    seen: list[tuple[int, int]] = []
    mean_ntk(model, x, batch_size=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (25, 25)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_other_shapes_are_refused() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    with pytest.raises(DataError, match="shape"):
        mean_ntk(model, x, torch.randn(3, 4))
