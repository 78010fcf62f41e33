"""Infinite-width kernels: closed formulas, wide finite networks, tiles, memory, and what is refused."""

import numpy as np
import pytest
import torch
from infinite_samples import images, vectors
from scipy import stats
from soaked import soaked

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Relu, cnn3, convnet, fcn
from ntkcore.errors import Cancelled
from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.infinite import infinite_ntk
from ntkcore.kernels.jax_backend import libraries
from ntkcore.models.initialise import draw_he
from ntkcore.models.networks import from_chain

ANGLE = 1e-7  # neural-tangents' angles on the diagonal, see the module


def finite(chain, x, initialisation, seed):
    """(n, m) mean over outputs of the empirical kernel of one draw, float64."""
    torch.manual_seed(seed)
    model = from_chain(chain, x.shape[1:]).double()
    if initialisation == "he":
        draw_he(model)
    return empirical_ntk(model, x, outputs="mean").values


def arc_cosine(s):
    """``E[relu(u) relu(v)]`` and ``P(u > 0, v > 0)`` for Gaussian pairs of covariance ``s`` (n, n) (Cho & Saul 2009)."""
    scale = np.sqrt(np.outer(np.diag(s), np.diag(s)))
    angle = np.arccos(np.clip(s / scale, -1, 1))
    return scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi), (np.pi - angle) / (2 * np.pi)


def by_hand(x, width, depth, initialisation):
    """NTK and NNGP of the FCN in standard parameterisation: each layer adds its inputs' product and, for the bias, 1."""
    d = x.shape[1]

    def drawn(fan_in):
        return (2 / fan_in, 0.0) if initialisation == "he" else (1 / (3 * fan_in), 1 / (3 * fan_in))

    weight, bias = drawn(d)
    values, ntk = weight * x @ x.T + bias, x @ x.T + 1
    for _ in range(depth):
        weight, bias = drawn(width)
        both, active = arc_cosine(values)
        values, ntk = width * weight * both + bias, width * both + 1 + width * weight * active * ntk
    return ntk, values


@pytest.mark.parametrize("initialisation", ["he", "pytorch"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_fcn_is_the_arc_cosine_recursion(depth, initialisation):
    x = vectors()
    ntk, values = by_hand(x, 16, depth, initialisation)
    chain = fcn(4, 16, depth)
    np.testing.assert_allclose(infinite_ntk(chain, x, initialisation=initialisation), ntk, rtol=ANGLE)
    np.testing.assert_allclose(infinite_ntk(chain, x, initialisation=initialisation, kind="nngp"), values, rtol=ANGLE)
    apart = ~np.eye(len(x), dtype=bool)
    np.testing.assert_allclose(infinite_ntk(chain, x, initialisation=initialisation)[apart], ntk[apart], rtol=1e-12)


def test_images_enter_the_fcn_as_vectors_and_outputs_do_not_matter():
    x = images()
    flat = infinite_ntk(fcn(1, 8, 2), x.reshape(3, -1))
    np.testing.assert_array_equal(infinite_ntk(fcn(7, 8, 2), x), flat)
    np.testing.assert_array_equal(infinite_ntk(fcn(7, 8, 2), torch.tensor(x)), flat)


ONE_HIDDEN = {
    "dense": (Chain((Dense(24), Relu(), Dense(2))), vectors(3)),
    "strided, pooled": (Chain((Conv(24, 3, stride=2, padding=1), Relu(), GlobalAveragePool(), Dense(2))), images(3, (2, 5, 4))),
    "strided, flattened": (Chain((Conv(24, 3, stride=2, padding=1), Relu(), Flatten(), Dense(2))), images(3, (2, 4, 5))),
    "valid": (Chain((Conv(24, 2, stride=2), Relu(), GlobalAveragePool(), Dense(2))), images(3, (2, 5, 4))),
}


@pytest.mark.parametrize("name", soaked(ONE_HIDDEN, "dense", "strided, pooled"))
def test_with_one_hidden_layer_the_mean_over_draws_is_the_limit_at_any_width(name):
    """The expectation over Gaussian draws is exact there, at width 24 too: each entry's mean over 200 draws lies within five of its
    standard errors. Any padding, stride, fan-in or bias counted wrongly shifts it by far more."""
    chain, x = ONE_HIDDEN[name]
    draws = np.stack([finite(chain, x, "he", seed) for seed in range(200)])
    error = draws.mean(0) - infinite_ntk(chain, x)
    assert (np.abs(error) <= 5 * draws.std(0, ddof=1) / len(draws) ** 0.5).all()


RATES = {
    "fcn 1, he": (lambda width: fcn(4, width, 1), vectors(), "he", (64, 256, 1024), 12),
    "fcn 3, he": (lambda width: fcn(4, width, 3), vectors(), "he", (64, 256, 1024), 12),
    "fcn 2, pytorch": (lambda width: fcn(4, width, 2), 10 * vectors(d=48), "pytorch", (64, 256, 1024), 12),
    "convnet, he": (lambda width: convnet(4, width, pooling=False), images(3, (1, 5, 5)), "he", (16, 48, 144), 20),
    "cnn3, pytorch": (lambda width: cnn3(4, width), 30 * images(3, (3, 8, 8)), "pytorch", (16, 48, 144), 16),
}


@pytest.mark.parametrize("name", soaked(RATES, "fcn 1, he", "fcn 2, pytorch"))
def test_finite_networks_approach_it_as_one_over_the_square_root_of_the_width(name):
    """The distance of one draw's kernel from the limit, over the width (in proportion to which the kernel grows), falls as width^(-1/2).

    The slope of its logarithm over all draws has a standard error that the regression itself gives; the slope must lie within three of
    them, plus 0.1 for terms of higher order, of -1/2, and the interval must exclude both 0 and -1. The inputs of the uniform
    ("pytorch") cases are scaled up so that the growing part, not that of the biases, is what is measured.
    """
    make, x, initialisation, widths, seeds = RATES[name]
    logs = []
    for width in widths:
        limit = infinite_ntk(make(width), x, initialisation=initialisation)
        errors = [np.linalg.norm(finite(make(width), x, initialisation, seed) - limit) / width for seed in range(seeds)]
        logs += [(np.log(width), np.log(error)) for error in errors]
    fit = stats.linregress(*np.array(logs).T)
    margin = 3 * fit.stderr + 0.1
    assert margin < 0.45
    assert abs(fit.slope + 0.5) <= margin, (fit.slope, fit.stderr)


@pytest.mark.parametrize(
    ("chain", "x"),
    [
        pytest.param(fcn(2, 8, 2), vectors(7), marks=pytest.mark.soak),
        (Chain((Conv(3, 3, stride=2, padding=1), Relu(), Conv(3, 3), Relu(), Flatten(), Dense(2))), images(7, (1, 6, 5))),
        pytest.param(
            Chain((Conv(3, 3, stride=2, padding=1), Relu(), GlobalAveragePool(), Dense(2))), images(7, (1, 4, 3)), marks=pytest.mark.soak
        ),
    ],
)
def test_the_contract_of_every_kernel(chain, x, initialisation="pytorch"):
    """Symmetric, positive semidefinite to the angles' accuracy, the same in any tiles and order, its blocks those of the whole."""
    whole = infinite_ntk(chain, x, initialisation=initialisation)
    assert whole.dtype == np.float64
    assert np.array_equal(whole, whole.T)
    assert np.linalg.eigvalsh(whole)[0] >= -ANGLE * np.linalg.norm(whole)
    calls = []
    tiled = infinite_ntk(chain, x, initialisation=initialisation, batch_size=3, progress=lambda done, total: calls.append((done, total)))
    np.testing.assert_allclose(tiled, whole, rtol=ANGLE)
    assert np.array_equal(tiled, tiled.T)
    assert calls == [(9, 49), (27, 49), (33, 49), (42, 49), (48, 49), (49, 49)]
    order = np.random.default_rng(0).permutation(7)
    np.testing.assert_allclose(infinite_ntk(chain, x[order], initialisation=initialisation), whole[np.ix_(order, order)], rtol=ANGLE)
    np.testing.assert_allclose(infinite_ntk(chain, x[:2], x[1:], initialisation=initialisation, batch_size=4), whole[:2, 1:], rtol=ANGLE)


def test_pooling_and_flattening_agree_on_single_pixels_and_differ_elsewhere():
    body = (Conv(4, 3, padding=1), Relu())
    pooled, flat = Chain((*body, GlobalAveragePool(), Dense(2))), Chain((*body, Flatten(), Dense(2)))
    one, many = images(4, (3, 1, 1)), images(4, (3, 3, 3))
    np.testing.assert_allclose(infinite_ntk(pooled, one), infinite_ntk(flat, one), rtol=ANGLE)
    assert np.abs(infinite_ntk(pooled, many) / infinite_ntk(flat, many) - 1).max() > 0.1


def test_the_callers_precision_stays():
    jax = libraries().jax
    infinite_ntk(fcn(2, 4, 1), vectors())
    assert jax.numpy.ones(2).dtype == jax.numpy.float32


def test_a_cancel_ends_it():
    def cancel(_done, _total):
        raise Cancelled

    with pytest.raises(Cancelled):
        infinite_ntk(fcn(2, 4, 1), vectors(), progress=cancel)
