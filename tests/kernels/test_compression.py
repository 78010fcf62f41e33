"""Compressed kernels: unbiased, shared between blocks, exact when nothing is left out, and their measured error is the true one."""

import numpy as np
import pytest
import torch
from kernel_test_networks import FACTORED, GENERAL, Tokens, build
from soaked import soaked

from ntkcore.errors import DataError
from ntkcore.kernels import Compression, FallbackWarning, empirical_ntk, ntk_tiles

KINDS = ("subset", "projection")
NAMES = ("mlp", "conv", "conv groups", "batchnorm2d", "layernorm no bias")


@pytest.mark.parametrize("outputs", ["mean", "pseudo", "first", "full"])
@pytest.mark.parametrize("name", NAMES)
def test_a_subset_of_everything_is_exact(name, outputs):
    model, x = build(*FACTORED[name], 6, torch.float64)
    exact = empirical_ntk(model, x, outputs=outputs).values
    found = empirical_ntk(model, x, outputs=outputs, compression=Compression("subset", 10_000))
    assert found.compression.columns == found.compression.parameters == sum(p.numel() for p in model.parameters())
    np.testing.assert_allclose(found.values, exact, rtol=0, atol=1e-12 * np.abs(exact).max())
    assert found.compression.relative_error < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", soaked(NAMES, "mlp", "conv groups", "layernorm no bias"))
def test_unbiased(name, kind):
    """The mean over seeds is the exact kernel: every entry within five standard errors of its own spread."""
    model, x = build(*FACTORED[name], 3, torch.float64)
    exact = empirical_ntk(model, x).values
    found = np.stack([empirical_ntk(model, x, compression=Compression(kind, 12, seed)).values for seed in range(200)])
    error = np.abs(found.mean(0) - exact)
    assert (error <= 5 * found.std(0, ddof=1) / np.sqrt(len(found)) + 1e-12 * np.abs(exact).max()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_share_the_choice_and_stay_positive(kind):
    model, x = build(*FACTORED["conv few positions"], 9, torch.float64)
    chosen = Compression(kind, 40, seed=3)
    kernel = empirical_ntk(model, x, outputs="full", compression=chosen).values
    part = empirical_ntk(model, x[:4], x[4:], outputs="full", compression=chosen, batch_size=2).values
    np.testing.assert_allclose(part, kernel[:4, 4:], rtol=0, atol=1e-12 * np.abs(kernel).max())
    for row, column, block in ntk_tiles(model, x, outputs="full", tile=4, compression=chosen):
        expected = kernel[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        np.testing.assert_allclose(block, expected, rtol=0, atol=1e-12 * np.abs(kernel).max())
    matrix = kernel.transpose(0, 2, 1, 3).reshape(27, 27)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12 * np.abs(matrix).max()


@pytest.mark.parametrize("kind", KINDS)
def test_the_reported_error_is_that_of_the_kernel(kind):
    model, x = build(*FACTORED["conv"], 20, torch.float64)
    exact = empirical_ntk(model, x).values
    errors = []
    for size in (8, 4000):
        found = empirical_ntk(model, x, compression=Compression(kind, size))
        true = np.linalg.norm(found.values - exact) / np.linalg.norm(exact)
        assert found.compression.relative_error == pytest.approx(true, rel=1e-9, abs=1e-14)
        errors.append(true)
    assert errors[1] < errors[0]


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_the_fallback_and_tables_too(kind):
    make, shape, _ = GENERAL["prelu"]
    model, x = build(make, shape, 5, torch.float64)
    with pytest.warns(FallbackWarning):
        exact = empirical_ntk(model, x).values
    with pytest.warns(FallbackWarning):
        found = empirical_ntk(model, x, compression=Compression(kind, 20_000))
    assert np.linalg.norm(found.values - exact) / np.linalg.norm(exact) <= (1e-12 if kind == "subset" else 0.1)
    torch.manual_seed(1)
    tokens, table = torch.randint(0, 5, (6, 6)), Tokens(50, 0).double().eval()
    exact = empirical_ntk(table, tokens).values
    near = empirical_ntk(table, tokens, compression=Compression(kind, 20_000)).values
    assert np.linalg.norm(near - exact) / np.linalg.norm(exact) <= (1e-12 if kind == "subset" else 0.1)


def test_what_cannot_be_is_refused():
    for wrong in ({"kind": "hash"}, {"kind": "subset", "size": 0}, {"kind": "subset", "seed": -1}):
        with pytest.raises(DataError, match="compression"):
            Compression(**wrong)
