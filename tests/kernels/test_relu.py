"""The closed two-layer ReLU kernel against its definition as an integral, high-precision values, and wide finite networks."""

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.architecture import Chain, Dense, Relu
from ntkcore.errors import DataError
from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.infinite import infinite_ntk
from ntkcore.kernels.relu import NEAR, two_layer_relu_ntk


def directions(n, d, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def at(angle):
    """Two unit vectors in the plane, ``angle`` apart."""
    return np.array([[1.0, 0.0]]), np.array([[np.cos(angle), np.sin(angle)]])


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, np.pi / 2, 2.0, 3.0, np.pi])
def test_it_is_the_share_of_directions_that_see_both(angle):
    """``<x, z>`` times the probability that a random direction w has ``<w, x> > 0`` and ``<w, z> > 0``: on N directions equally spaced
    on the circle, each of the two ends of the arc is at most one spacing off, hence 2/N."""
    n = 200_000
    w = (np.arange(n) + 0.5) / n * 2 * np.pi
    share = ((np.cos(w) > 0) & (np.cos(w - angle) > 0)).mean()
    assert abs(two_layer_relu_ntk(*at(angle))[0, 0] - np.cos(angle) * share) <= 2 / n


@pytest.mark.parametrize("angle", [1e-12, 1e-9, 1e-8, 3e-5, 1e-3, 0.1, 0.14, 0.15, 1.0, np.pi - 1e-3, np.pi - 1e-8])
def test_it_keeps_its_digits_where_samples_all_but_coincide(angle):
    """The slope in the angle is at most 1/(2 pi) + 1/2; arccos of the cosine alone is off by 1e-8 for an angle of 1e-9."""
    expected = np.cos(angle) * (np.pi - angle) / (2 * np.pi)
    assert abs(two_layer_relu_ntk(*at(angle))[0, 0] - expected) <= 2e-15


def test_both_branches_agree_where_they_meet():
    for sign in (1, -1):
        below, above = (two_layer_relu_ntk(*at(np.arccos(sign * NEAR * (1 + shift))))[0, 0] for shift in (-1e-13, 1e-13))
        assert abs(below - above) <= 1e-12  # the two angles are 1.4e-12 apart


def test_the_diagonal_is_exactly_a_half_and_the_kernel_a_kernel():
    x = directions(60, 7)
    x[10] = x[3]
    kernel = two_layer_relu_ntk(x)
    assert kernel.dtype == np.float64
    assert (np.diag(kernel) == 0.5).all()
    assert kernel[3, 10] == 0.5
    assert np.array_equal(kernel, kernel.T)
    assert np.linalg.eigvalsh(kernel)[0] >= -60 * np.finfo(float).eps
    np.testing.assert_allclose(two_layer_relu_ntk(x, x), kernel, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(two_layer_relu_ntk(x, x[5:9]).shape, (60, 4))


def test_single_precision_and_images_are_taken():
    x = directions(8, 12)
    images = torch.tensor(x.reshape(8, 3, 2, 2), dtype=torch.float32)
    np.testing.assert_allclose(two_layer_relu_ntk(images), two_layer_relu_ntk(x), atol=1e-6)  # inputs rounded to 6e-8
    assert (np.diag(two_layer_relu_ntk(images)) == 0.5).all()


@pytest.mark.parametrize(
    ("x", "z", "words"),
    [
        (np.ones((3, 4)), None, "3 of the 3 samples of x do not have length 1 .sample 0 has 2.*Divide each sample"),
        (directions(3, 4) * [[1], [1.0001], [1]], None, "1 of the 3 samples of x .*sample 1"),
        (directions(3, 4), np.zeros((2, 4)), "2 of the 2 samples of z"),
        (directions(3, 4), directions(3, 5), "4 numbers, z of 5"),
        (np.full((2, 3), np.nan), None, "NaN"),
    ],
)
def test_other_samples_are_refused(x, z, words):
    with pytest.raises(DataError, match=words):
        two_layer_relu_ntk(x, z)


def test_a_wide_network_has_it():
    """``m^(-1/2) sum_r a_r relu(<w_r, x>)`` with trained first layer: each entry is the mean of m products that lie between 0 and 1, so
    its standard deviation is at most 1/(2 sqrt(m)); five of them."""
    m, x = 40_000, directions(6, 9)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(9, m, bias=False), nn.ReLU(), nn.Linear(m, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.normal_()
        network[2].weight.copy_(torch.sign(torch.randn(1, m)) / m**0.5)
    network[2].weight.requires_grad_(False)
    finite = empirical_ntk(network, x, outputs="first").values
    assert np.abs(finite - two_layer_relu_ntk(x)).max() <= 5 / (2 * m**0.5)


def test_it_is_the_first_layers_part_of_the_deep_one():
    """A network without biases and first-layer weights of variance 1: its NTK minus the last layer's part (its NNGP kernel over the
    variance of the last weights) is the first layer's, in standard parameterisation times the sum of the squared last weights: 2."""
    x, width = directions(5, 6), 16
    chain = Chain((Dense(width, bias=False), Relu(), Dense(1, bias=False)))
    whole, values = (infinite_ntk(chain, x, initialisation="he", kind=kind) for kind in ("ntk", "nngp"))
    np.testing.assert_allclose(whole - values * width / 2, 2 * two_layer_relu_ntk(x), rtol=1e-7)
