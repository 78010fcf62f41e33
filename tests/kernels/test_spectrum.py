"""Eigenvalues and what is read from them, against closed forms, dense decompositions and real networks in two precisions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ntkcore import linalg
from ntkcore.errors import Cancelled, ComputationError
from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.spectrum import condition, effective_rank, rounding_floor, rounding_unit, spectrum

EPS = np.finfo(float).eps
POSITIVE = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30)


def test_the_spectrum_of_a_product_is_known():
    """The eigenvalues of A ⊗ B are the products of theirs."""
    generator = np.random.default_rng(0)
    a, b = (f @ f.T for f in (generator.standard_normal((6, 8)), generator.standard_normal((3, 4))))
    full = np.einsum("ij,op->ijop", a, b)
    expected = np.sort(np.outer(np.linalg.eigvalsh(a), np.linalg.eigvalsh(b)).ravel())
    found = spectrum(full)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=18 * 10 * EPS * expected[-1])
    np.testing.assert_allclose(spectrum(a.astype(np.float32)), np.linalg.eigvalsh(a), atol=1e-6 * np.trace(a))


def test_the_spectrum_is_of_the_symmetric_part_and_one_sample_is_fine():
    np.testing.assert_allclose(spectrum([[2.0, 3.0], [1.0, 2.0]]), [0.0, 4.0], atol=1e-14)
    np.testing.assert_array_equal(spectrum([[5.0]]), [5.0])
    np.testing.assert_array_equal(spectrum(np.zeros((3, 3))), np.zeros(3))


def test_a_large_one_can_be_given_up(monkeypatch):
    monkeypatch.setattr(linalg, "SMALL", 2)

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        spectrum(np.eye(4), cancel)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ComputationError, match="NaN"):
        spectrum([[1.0, np.nan], [0.0, 1.0]])
    for function in (effective_rank, condition, rounding_floor):
        with pytest.raises(ComputationError, match="finite"):
            function([1.0, np.inf])
        with pytest.raises(ValueError, match="values"):
            function([])


@given(st.integers(1, 40), st.floats(1e-300, 1e300))
def test_the_effective_rank_of_equal_eigenvalues_is_their_number(n, value):
    assert effective_rank(np.full(n, value)) == pytest.approx(n)
    assert effective_rank([*np.zeros(3), *np.full(n, value), -1e-9 * value]) == pytest.approx(n)


@given(POSITIVE, st.floats(1e-3, 1e3), st.randoms())
def test_the_effective_rank_is_between_one_and_n_and_of_shares_alone(values, scale, random):
    found = effective_rank(values)
    assert 1 - 1e-12 <= found <= len(values) * (1 + 1e-12)
    shuffled = [scale * v for v in values]
    random.shuffle(shuffled)
    assert effective_rank(shuffled) == pytest.approx(found)
    share = np.array(values) / sum(values)
    assert found == pytest.approx(np.prod(share**-share))


def test_the_effective_rank_of_one_direction_is_one_and_of_nothing_zero():
    assert effective_rank([0.0, 0.0, 7.0]) == 1.0
    assert effective_rank([1.0, 3.0]) == pytest.approx(np.exp(0.25 * np.log(4) + 0.75 * np.log(4 / 3)))
    assert effective_rank([0.0, -1.0]) == 0.0


def test_the_condition_is_the_ratio_until_rounding_hides_the_smallest():
    assert condition([1.0, 2.0, 8.0]) == 8.0
    assert condition([3.0]) == 1.0
    for values in ([0.0, 1.0], [-1.0, 1.0], [0.0], [-2.0, -1.0], [1e-17, 1.0]):
        assert condition(values) == np.inf
    values = [1e-6, 0.5, 1.0]
    assert condition(values) == pytest.approx(1e6)
    assert condition(values, "float32") == pytest.approx(1e6)
    assert condition([1e-7, 0.5, 1.0], np.float32) == np.inf


def test_the_floor_is_the_stated_formula():
    values = np.array([-1.0, 2.0, 4.0])
    unit = float(np.finfo(np.float32).eps)
    assert rounding_floor(values, "float32") == pytest.approx(7 * unit + 3 * EPS * 4)
    assert rounding_floor(values) == pytest.approx((7 + 12) * EPS)
    assert rounding_unit(int) == EPS
    above, within = [3 * unit, 1.0], [0.5 * unit, 1.0]  # of the floor, about 1 unit: only above it there is a condition number
    assert condition(above, np.float32) == pytest.approx(1 / (3 * unit)) and condition(within, np.float32) == np.inf


@pytest.mark.parametrize("outputs", ["full", "pseudo"])
@pytest.mark.parametrize("name", ["dense", "deep", "convolutions"])
def test_the_floor_covers_single_precision_of_real_networks_and_is_not_idle(name, outputs):
    """Against the same kernel in float64: every eigenvalue within the floor, and the floor within a thousand times the largest error."""
    torch.manual_seed(0)
    x = torch.rand(24, 1, 8, 8, dtype=torch.float64)
    model = {
        "dense": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 5)),
        "deep": lambda: nn.Sequential(nn.Flatten(), *[m for _ in range(6) for m in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 5)),
        "convolutions": lambda: nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 5)
        ),
    }[name]().double()
    exact = spectrum(empirical_ntk(model, x, outputs=outputs).values)
    single = spectrum(empirical_ntk(model.float(), x.float(), outputs=outputs).values)
    error, floor = np.abs(single - exact).max(), rounding_floor(single, np.float32)
    assert error <= floor <= 1000 * error
    assert floor <= len(single) * np.finfo(np.float32).eps * single[-1] * (1 + 1e-6)
