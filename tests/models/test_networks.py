"""Networks built from chains: what goes in, what comes out, how many numbers, the same weights as written out in torch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ntkcore.architecture import Chain, Conv, Dense, Flatten, Relu, cnn3, cnn4, convnet, fcn
from ntkcore.errors import ModelError
from ntkcore.models.networks import cnn4_side, from_chain


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_fcn_has_depth_hidden_layers():
    network = from_chain(fcn(10, 32, 3), (1, 8, 8))
    assert count(network) == 64 * 32 + 32 + 2 * (32 * 32 + 32) + 32 * 10 + 10
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    assert from_chain(fcn(1, 4, 1), (5,))(torch.rand(2, 5)).shape == (2, 1)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 9, 13), (1, 1, 1)])
def test_cnn3_takes_any_image(shape):
    network = from_chain(cnn3(4, 6), shape)
    assert [m.out_channels for m in network if isinstance(m, nn.Conv2d)] == [6, 12, 12]
    assert network(torch.rand(2, *shape)).shape == (2, 4)


def test_cnn4_is_the_published_sequential():
    published = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2), nn.ReLU(),
        nn.Conv2d(64, 256, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 26),
    )  # fmt: skip
    network = from_chain(cnn4(26, 32), (1, 28, 28))
    network.load_state_dict(published.state_dict())
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(network(x), published(x))


@pytest.mark.parametrize("side", [28, 31, 32, 35, 36, 64])
def test_cnn4_side_is_what_the_convolutions_leave(side):
    network = from_chain(cnn4(2, 1), (1, side, side))
    x = torch.rand(1, 1, side, side)
    for layer in network:
        if isinstance(layer, nn.Flatten):
            break
        x = layer(x)
    assert x.shape[-1] == cnn4_side(side)
    assert network(torch.rand(1, 1, side, 28)).shape == (1, 2) if cnn4_side(side) == 1 else True


def test_cnn4_has_no_room_below_28():
    assert cnn4_side(28) == 1
    assert cnn4_side(27) < 1


@pytest.mark.parametrize(
    ("chain", "shape", "written_out"),
    [
        (fcn(3, 7, 2), (1, 4, 4), lambda: [nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3)]),
        (
            cnn3(3, 4),
            (2, 5, 8),
            lambda: [
                *(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU()),
                *(nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)),
            ],
        ),
    ],
)
def test_names_and_bytes_are_those_of_the_layers_in_a_sequential(chain, shape, written_out):
    """Stored results and saved states rely on both."""
    torch.manual_seed(5)
    ours = from_chain(chain, shape).state_dict()
    torch.manual_seed(5)
    expected = nn.Sequential(*written_out()).state_dict()
    assert list(ours) == list(expected)
    assert all(torch.equal(ours[name], expected[name]) for name in expected)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 5), (1, 1, 1)])
def test_the_convnet_written_out(shape):
    network = from_chain(convnet(10, 6), shape)
    convolutions = [module for module in network if isinstance(module, nn.Conv2d)]
    assert count(network) == (9 * shape[0] * 6 + 6) + 6 * (9 * 6 * 6 + 6) + 6 * 10 + 10
    x = torch.rand(4, *shape)
    with torch.no_grad():
        hidden = x
        for convolution, stride in zip(convolutions, (1, 1, 2, 1, 2, 1, 1), strict=True):
            hidden = F.relu(F.conv2d(hidden, convolution.weight, convolution.bias, stride=stride, padding=1))
        assert torch.equal(network(x), network[-1](hidden.mean((2, 3))))


def test_without_biases_there_are_none():
    network = from_chain(Chain((Conv(4, 3, bias=False), Relu(), Flatten(), Dense(2, bias=False))), (1, 3, 3))
    assert [name for name, _ in network.named_parameters()] == ["0.weight", "3.weight"]


def test_a_chain_that_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="Layer 1 needs images"):
        from_chain(convnet(2, 4), (64,))
