"""Torch and JAX compute the same network, and their empirical kernels agree, on shared weights in float64."""

import numpy as np
import pytest
import torch
from jax_network import to_jax
from kernel_test_networks import jacobians
from soaked import soaked
from torch import nn

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Relu, cnn3, cnn4, convnet, fcn
from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.infinite import stax_layers
from ntkcore.kernels.jax_backend import libraries
from ntkcore.models import build_model
from ntkcore.models.networks import from_chain
from ntkcore.specs import ModelSpec

CASES = {
    "fcn on vectors": (fcn(3, 7, 2), (5,)),
    "fcn on images": (fcn(3, 7, 1), (2, 4, 3)),
    "convnet": (convnet(3, 4), (3, 8, 8)),
    "convnet, odd sides": (convnet(3, 4), (1, 9, 7)),
    "convnet, flattened": (convnet(3, 4, pooling=False), (2, 8, 6)),
    "cnn3": (cnn3(2, 3), (1, 8, 9)),
    "without biases": (Chain((Conv(4, 3, padding=1, bias=False), Relu(), Flatten(), Dense(3, bias=False))), (2, 4, 5)),
    "valid, strided": (Chain((Conv(4, 3, stride=2), Relu(), Conv(5, 1, stride=2), Relu(), GlobalAveragePool(), Dense(2))), (2, 9, 8)),
}
FEW = ("fcn on vectors", "fcn on images", "convnet, odd sides", "cnn3")


def shared(chain, shape, n=3):
    torch.manual_seed(1)
    model = from_chain(chain, shape).double()
    return model, torch.randn(n, *shape, dtype=torch.float64)


def both(model, chain, x):
    """Outputs in torch and, with the weights handed over, in JAX."""
    apply_fn, params = to_jax(model, chain, tuple(x.shape[1:]))
    with torch.no_grad(), libraries().double():
        return model(x).numpy(), np.asarray(apply_fn(params, x.numpy()))


@pytest.mark.parametrize("name", soaked([*CASES, "cnn4"], *FEW, "without biases", "valid, strided", "cnn4"))
def test_outputs_agree(name):
    chain, shape = CASES.get(name, (cnn4(3, 4), (1, 28, 30)))
    model, x = shared(chain, shape)
    ours, theirs = both(model, chain, x)
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(theirs, ours, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", soaked(CASES, *FEW, "without biases", "valid, strided"))
def test_the_network_behind_the_infinite_kernel_is_the_same(name):
    """neural-tangents' own layers, whose kernel is taken, give these outputs with these weights."""
    chain, shape = CASES[name]
    model, x = shared(chain, shape)
    _, params = to_jax(model, chain, shape)
    images = np.moveaxis(x.numpy(), 1, -1) if x.ndim == 4 else x.numpy()
    with libraries().double():
        values = images
        for layer, own, (_, apply_fn, _) in zip(chain.layers, params, stax_layers(chain, shape), strict=True):
            strided = isinstance(layer, Conv) and layer.stride > 1 and layer.padding > 0
            values = apply_fn((own, ()) if strided else own, values)
    np.testing.assert_allclose(values, model(x).detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ["fcn", "convnet"])
def test_the_products_networks_normalise_first_in_jax_too(architecture):
    spec = ModelSpec(architecture=architecture, width=4)
    model = build_model(spec, input_shape=(2, 5, 5), outputs=3, mean=[0.5, 0.2], std=[0.3, 2.0]).double()
    chain = fcn(3, 4, 2) if architecture == "fcn" else convnet(3, 4)
    ours, theirs = both(model, chain, torch.rand(4, 2, 5, 5, dtype=torch.float64))
    np.testing.assert_allclose(theirs, ours, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "name", soaked(["fcn on vectors", "fcn on images", "convnet", "convnet, flattened", "cnn3"], "fcn on vectors", "fcn on images", "cnn3")
)
def test_neural_tangents_empirical_kernel_is_that_of_explicit_jacobians_and_ours(name):
    chain, shape = CASES[name]
    model, x = shared(chain, shape, n=5)
    apply_fn, params = to_jax(model, chain, shape)
    lib = libraries()
    with lib.double():
        kernel_fn = lib.jax.jit(lib.nt.empirical_ntk_fn(apply_fn, trace_axes=(), vmap_axes=0))
        theirs = np.asarray(kernel_fn(x[:3].numpy(), x[2:].numpy(), params))
    explicit = torch.einsum("iop,jqp->ijoq", jacobians(model, x[:3]), jacobians(model, x[2:])).numpy()
    scale = np.linalg.norm(explicit)
    assert np.linalg.norm(theirs - explicit) <= 1e-10 * scale
    k = explicit.shape[-1]
    for outputs, expected in (
        ("full", theirs),
        ("pseudo", theirs.sum((2, 3)) / k),
        ("first", theirs[..., 0, 0]),
        ("mean", np.trace(theirs, axis1=2, axis2=3) / k),
    ):
        ours = empirical_ntk(model, x[:3], x[2:], outputs=outputs).values
        assert np.linalg.norm(ours - expected) <= 1e-10 * np.linalg.norm(expected), outputs


def batch_norm():
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3))


@pytest.mark.parametrize(
    "model",
    [
        from_chain(cnn3(2, 3), (2, 4, 5)),
        from_chain(Chain((Conv(4, 3, stride=2), Relu(), Flatten(), Dense(3))), (2, 4, 5)),
        from_chain(Chain((Conv(4, 3, bias=False), Relu(), Flatten(), Dense(3))), (2, 4, 5)),
        from_chain(Chain((Conv(5, 3), Relu(), Flatten(), Dense(3))), (2, 4, 5)),
        batch_norm(),
    ],
)
def test_another_network_is_refused(model):
    chain = Chain((Conv(4, 3), Relu(), Flatten(), Dense(3)))
    with pytest.raises(ModelError, match="not those of the given architecture"):
        to_jax(model, chain, (2, 4, 5))
