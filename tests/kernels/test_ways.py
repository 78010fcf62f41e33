"""Each way gives the same kernel, and the same way the same bytes."""

import numpy as np
import pytest
import torch
from kernel_test_networks import FACTORED, build
from torch import nn

from ntkcore.errors import DataError
from ntkcore.kernels import empirical_ntk, ntk_diagonal
from ntkcore.kernels.ways import PLAIN, Ways, grouped_weights, product

WAYS = [PLAIN, Ways("onednn", "windows"), Ways("blas", "grouped"), Ways("onednn", "grouped")]


def image_network() -> tuple[nn.Module, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        convolutions = nn.Conv2d(3, 8, 3, padding=1), nn.Softplus(), nn.Conv2d(8, 12, (3, 2), 2), nn.BatchNorm2d(12), nn.Softplus()
        return nn.Sequential(*convolutions, nn.Conv2d(12, 8, 1), nn.Flatten(), nn.Linear(160, 3)).eval(), torch.randn(40, 3, 10, 11)


@pytest.mark.parametrize("outputs", ["pseudo", "full", "mean"])
def test_all_ways_give_the_same_kernel(outputs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roundings of float32, against the same in float64."""
    monkeypatch.setattr("ntkcore.kernels.products._WORTH", 0)
    model, x = image_network()
    expected = empirical_ntk(model, x, outputs=outputs, dtype=torch.float64).values
    norms = ntk_diagonal(model.double(), x.double())
    model.float()
    for one in WAYS:
        found = empirical_ntk(model, x, outputs=outputs, ways=one)
        assert found.ways == one
        assert np.linalg.norm(found.values - expected) <= 1e-5 * np.linalg.norm(expected), one
        np.testing.assert_array_equal(empirical_ntk(model, x, outputs=outputs, ways=one).values, found.values)
        np.testing.assert_allclose(ntk_diagonal(model, x, ways=one), norms, rtol=1e-4)


def test_float64_and_little_work_have_one_way() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float64)
    assert empirical_ntk(model, x, ways=WAYS[3]).ways == PLAIN
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    assert empirical_ntk(model, x).ways == PLAIN


def test_the_parts_by_themselves() -> None:
    left, right = torch.randn(7, 90)[:, 3:80], torch.randn(5, 77)
    torch.testing.assert_close(product(left, right, "onednn"), left @ right.T, rtol=1e-4, atol=1e-5)
    x, g = torch.randn(3, 4, 7, 6), torch.randn(3, 5, 4, 2)
    weight = torch.zeros(5, 4, 3, 2, requires_grad=True)
    for sample, found in enumerate(grouped_weights(x, g, (3, 2), (2, 3), (1, 0), (1, 2))):
        out = nn.functional.conv2d(x[sample : sample + 1], weight, stride=(2, 3), padding=(1, 0), dilation=(1, 2))
        (expected,) = torch.autograd.grad(out, weight, g[sample : sample + 1])
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_document_and_back() -> None:
    assert Ways.from_json(WAYS[3].to_json()) == WAYS[3]
    with pytest.raises(DataError, match="begun in the ways"):
        Ways.from_json({"products": "abacus"})
