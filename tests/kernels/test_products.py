"""Sums of products over pieces of columns, on two processors and on one, beside the same sums in float64."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from ntkcore.kernels import products
from ntkcore.kernels.products import LARGEST, WHOLE, add_products

TOGETHER = 100  # columns


@pytest.fixture(params=[1, 2], ids=["one processor", "two"], autouse=True)
def processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    monkeypatch.setattr(products, "_WORTH", 0)
    yield request.param
    assert torch.get_num_threads() == request.param  # as it was found
    torch.set_num_threads(before)


def pieces(rows: int, dtype: torch.dtype, seed: int) -> list[torch.Tensor]:
    """Uneven numbers of columns, each piece a view of one matrix."""
    drawn = torch.randn(rows, 400, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)
    return list(drawn.split([1, 99, 57, 3, 100, 40, 100], 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [1, 40, 129, WHOLE, WHOLE + 1, 700])
def test_a_sum_with_itself(rows: int, dtype: torch.dtype) -> None:
    """All of it up to WHOLE rows, beyond that the upper triangle. Each entry sums 400 products, at most 100 of them in ``dtype``."""
    left = pieces(rows, dtype, 0)
    joined = torch.cat(left, 1).double()
    total = torch.ones(rows, rows, dtype=torch.float64)
    add_products(left, None, total, TOGETHER)
    known = torch.ones(rows, rows).triu() if rows > WHOLE else torch.ones(rows, rows)
    error = ((total - (joined @ joined.T + 1)) * known).norm() / (joined @ joined.T).norm()
    assert error <= 10 * torch.finfo(dtype).eps
    again = torch.ones(rows, rows, dtype=torch.float64)
    add_products(left, None, again, TOGETHER)
    np.testing.assert_array_equal(again, total)  # in the same order every time


@pytest.mark.parametrize("rows", [1, 129, WHOLE + 1, 700])
def test_the_same_sums_by_onednn(rows: int) -> None:
    """In float32: of parts of one matrix, and with others."""
    left, right = pieces(rows, torch.float32, 0), pieces(33, torch.float32, 1)
    for others in (None, right):
        expected = torch.cat(left, 1).double() @ torch.cat(left if others is None else others, 1).double().T
        total = torch.zeros(expected.shape, dtype=torch.float64)
        add_products(left, others, total, TOGETHER, "onednn")
        known = torch.ones(rows, rows).triu() if others is None and rows > WHOLE else torch.ones(expected.shape)
        assert ((total - expected) * known).norm() <= 10 * torch.finfo(torch.float32).eps * expected.norm()


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (200, 33), (300, 300)])
def test_a_sum_with_others(rows: int, columns: int) -> None:
    left, right = pieces(rows, torch.float64, 0), pieces(columns, torch.float64, 1)
    total = torch.ones(rows, columns, dtype=torch.float64)
    add_products(left, right, total, TOGETHER)
    expected = torch.cat(left, 1) @ torch.cat(right, 1).T + 1
    assert (total - expected).norm() <= 1e-14 * expected.norm()


def test_large_products_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond LARGEST rows all processors share each product; without pieces nothing is added."""
    left = pieces(30, torch.float64, 0)
    few, many = torch.zeros(30, 30, dtype=torch.float64), torch.zeros(30, 30, dtype=torch.float64)
    add_products(left, None, few, TOGETHER)
    monkeypatch.setattr(products, "LARGEST", 20)
    add_products(left, None, many, TOGETHER)
    assert (few - many).norm() <= 1e-14 * few.norm()
    add_products([], None, many, TOGETHER)
    assert LARGEST > WHOLE


def test_what_is_not_finite_is_not_said_here() -> None:
    left = [torch.full((3, 4), torch.inf), torch.zeros(3, 2)]
    total = torch.zeros(3, 3, dtype=torch.float64)
    add_products(left, None, total, TOGETHER)
    assert not torch.isfinite(total).any()
