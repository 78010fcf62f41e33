"""Chains of layers: shapes, fan-ins, variances; what does not fit is refused with the layer's number."""

import pytest

from ntkcore.architecture import (
    Chain,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Relu,
    chain_of,
    cnn3,
    cnn4,
    convnet,
    fcn,
    variances,
)
from ntkcore.errors import ModelError


def test_the_fcn_by_hand():
    chain = fcn(10, 32, 2)
    assert chain.layers == (Flatten(), Dense(32), Relu(), Dense(32), Relu(), Dense(10))
    assert chain.shapes((1, 8, 8)) == ((64,), (32,), (32,), (32,), (32,), (10,))
    assert chain.shapes((5,))[0] == (5,)
    assert chain.fan_ins((1, 8, 8)) == (0, 64, 0, 32, 0, 32)


@pytest.mark.parametrize("pooling", [True, False])
@pytest.mark.parametrize(("shape", "last"), [((3, 32, 32), (8, 8)), ((1, 8, 8), (2, 2)), ((2, 9, 5), (3, 2)), ((1, 1, 1), (1, 1))])
def test_the_convnet_has_seven_convolutions_two_of_stride_two(shape, last, pooling):
    chain = convnet(10, 6, pooling=pooling)
    convolutions = [layer for layer in chain.layers if isinstance(layer, Conv)]
    assert [layer.stride for layer in convolutions] == [1, 1, 2, 1, 2, 1, 1]
    assert all((layer.channels, layer.kernel, layer.padding, layer.bias) == (6, 3, 1, True) for layer in convolutions)
    shapes = chain.shapes(shape)
    assert shapes[-3] == (6, *last)
    assert shapes[-2:] == ((6,) if pooling else (6 * last[0] * last[1],), (10,))
    assert [fan for fan in chain.fan_ins(shape) if fan] == [9 * shape[0], *[54] * 6, *shapes[-2]]


def test_convolutions_reduce_as_torch_says():
    assert cnn4(2, 4).shapes((1, 28, 28))[::2] == ((4, 14, 14), (4, 7, 7), (8, 3, 3), (32, 1, 1), (32,), (32,))
    assert cnn3(2, 4).shapes((3, 9, 13))[:6:2] == ((4, 5, 7), (8, 3, 4), (8, 2, 2))


def test_named_chains():
    assert chain_of("fcn", 3, 8, 4) == fcn(3, 8, 4)
    assert chain_of("fcn", 3, 8, None) == fcn(3, 8, 1)
    assert chain_of("cnn3", 3, 8, None) == cnn3(3, 8)
    assert chain_of("cnn4", 3, 8, None) == cnn4(3, 8)
    assert chain_of("convnet", 3, 8, None) == convnet(3, 8)
    assert chain_of("resnet18", 3, 8, None) is None


def test_variances():
    assert variances("pytorch", 12) == (1 / 36, 1 / 36)  # a uniform number on ±a has the variance a² / 3
    assert variances("he", 12) == (1 / 6, 0.0)
    with pytest.raises(ValueError, match="initialisation"):
        variances("xavier", 3)


@pytest.mark.parametrize(
    ("layers", "shape", "words"),
    [
        ((Dense(3),), (1, 8, 8), r"Layer 1 is linear and needs vectors; it is given images of 1 × 8 × 8.*Flatten"),
        ((Flatten(), Conv(3, 3)), (1, 8, 8), r"Layer 2 needs images; it is given vectors of 64 numbers"),
        ((GlobalAveragePool(),), (64,), "Layer 1 needs images"),
        ((Conv(3, 3), Conv(3, 3), Conv(3, 3)), (1, 6, 5), r"3 × 3 convolution of layer 3 has no room on images of 3 × 2 × 1"),
        ((Conv(3, 3),), (4, 4), r"samples of shape \(4, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_layer(layers, shape, words):
    with pytest.raises(ModelError, match=words):
        Chain(layers).shapes(shape)


def test_a_chain_has_layers():
    with pytest.raises(ModelError, match="no layers"):
        Chain(())


def test_a_chain_is_a_value():
    assert hash(convnet(3, 4)) == hash(convnet(3, 4))
    assert convnet(3, 4) != convnet(3, 4, pooling=False)
