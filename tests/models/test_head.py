"""Heads: the closed form of a zero head's kernel, ridge regression against NumPy, and a random head's size."""

import numpy as np
import pytest
import torch
from torch import nn
from zoo_weights import SMALL, timm_weights

from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk
from ntkcore.models import build_model
from ntkcore.models.head import RIDGES, called, fit_head, head_of, ridge_head
from ntkcore.specs import ModelSpec


def features(model, x):
    """(n, d) what enters the head."""
    found = []
    handle = model.get_submodule("network.classifier").register_forward_pre_hook(lambda _, given: found.append(given[0]))
    with torch.no_grad():
        model(x)
    handle.remove()
    return found[0]


@pytest.mark.parametrize("sees", ["all", "last", "head"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_the_kernel_of_a_zero_head_is_that_of_the_features_plus_one_whatever_is_seen(tmp_path, sees, outputs):
    timm_weights(tmp_path)
    spec = ModelSpec(architecture=SMALL, weights="pretrained", sees=sees)
    model = build_model(spec, input_shape=(3, 32, 32), outputs=outputs, weights_paths=[tmp_path]).double()
    x = torch.rand(5, 3, 32, 32, dtype=torch.float64)
    phi = features(model, x)
    np.testing.assert_allclose(empirical_ntk(model, x, outputs="mean"), (phi @ phi.T + 1).numpy(), rtol=1e-9)


def test_a_random_head_has_its_seed_and_size_and_no_bias(tmp_path):
    timm_weights(tmp_path)

    def weights(**changes):
        spec = ModelSpec(architecture=SMALL, weights="pretrained", head="random", **changes)
        return build_model(spec, input_shape=(3, 32, 32), outputs=40, weights_paths=[tmp_path]).get_submodule("network.classifier")

    first, other, larger = weights(), weights(seed=1), weights(head_size=0.03)
    assert not first.bias.any()
    count = first.weight.numel()
    assert abs(first.weight.std().item() / 0.01 - 1) < 4 / (2 * count) ** 0.5
    assert not torch.equal(first.weight, other.weight)
    torch.testing.assert_close(larger.weight, 3 * first.weight)


@pytest.mark.parametrize(("n", "d", "k", "biased"), [(12, 5, 1, True), (6, 30, 3, True), (9, 4, 2, False)])
def test_ridge_regression_is_the_closed_form_with_the_least_leave_one_out_error(n, d, k, biased):
    generator = np.random.default_rng(n)
    phi, y = generator.normal(size=(n, d)), generator.normal(size=(n, k))
    weight, bias, ridge = ridge_head(phi, y, biased)
    whole = np.hstack([phi, np.ones((n, 1))]) if biased else phi

    def solved(rows, one):
        x = whole[rows]
        return np.linalg.solve(x.T @ x + one * np.eye(x.shape[1]), x.T @ y[rows])

    def left_out(one):
        return sum(np.square(whole[i] @ solved(np.arange(n) != i, one) - y[i]).sum() for i in range(n))

    tried = RIDGES * np.square(whole).sum() / n
    assert ridge == pytest.approx(min(tried, key=left_out))
    expected = solved(np.arange(n) >= 0, ridge)
    np.testing.assert_allclose(weight.T, expected[:d], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(bias, expected[d] if biased else np.zeros(k), rtol=1e-6, atol=1e-9)


def test_a_fitted_head_gives_what_ridge_regression_on_its_features_gives(tmp_path):
    timm_weights(tmp_path)
    generator = np.random.default_rng(2)
    x, y = generator.random((20, 3, 32, 32), dtype=np.float32), np.sign(generator.normal(size=(20, 1)))
    spec = ModelSpec(architecture=SMALL, weights="pretrained", head="ridge")
    told = {"input_shape": (3, 32, 32), "outputs": 1, "weights_paths": [tmp_path]}
    model = build_model(spec, examples=(x, y), **told)
    weight, bias, _ = ridge_head(features(model, torch.from_numpy(x)).double().numpy(), y)
    with torch.no_grad():
        expected = features(model, torch.from_numpy(x)).double().numpy() @ weight.T + bias
        np.testing.assert_allclose(model(torch.from_numpy(x)).numpy(), expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="examples"):
        build_model(spec, **told)


def test_the_head_is_the_last_layer_that_a_pass_meets_and_gives_the_outputs():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3))
    layers = called(network, network, torch.zeros(1, 1, 4, 4))
    assert [(layer.name, layer.shape) for layer in layers] == [("0", (2, 2, 2)), ("2", (5,)), ("4", (3,))]
    assert head_of(layers, 3) == "4"
    with pytest.raises(ModelError, match="no last layer of 4 outputs"):
        head_of(layers, 4)
    with pytest.raises(ModelError, match="only a linear layer"):
        fit_head(nn.Sequential(nn.Conv2d(1, 1, 4), nn.Flatten()), "0", np.zeros((2, 1, 4, 4), dtype=np.float32), np.zeros((2, 1)))
