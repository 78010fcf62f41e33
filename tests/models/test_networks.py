"""The architectures: what goes in, what comes out, how many numbers, and the published ones layer by layer."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ntkcore.models.networks import ResNet20, cnn3, cnn4, cnn4_side, fcn, resnet18


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_fcn_has_depth_hidden_layers():
    network = fcn((1, 8, 8), 10, 32, 3)
    assert count(network) == 64 * 32 + 32 + 2 * (32 * 32 + 32) + 32 * 10 + 10
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    assert fcn((5,), 1, 4, 1)(torch.rand(2, 5)).shape == (2, 1)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 9, 13), (1, 1, 1)])
def test_cnn3_takes_any_image(shape):
    network = cnn3(shape, 4, 6)
    assert [m.out_channels for m in network if isinstance(m, nn.Conv2d)] == [6, 12, 12]
    assert network(torch.rand(2, *shape)).shape == (2, 4)


def test_cnn4_is_the_published_sequential():
    published = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2), nn.ReLU(),
        nn.Conv2d(64, 256, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 26),
    )  # fmt: skip
    network = cnn4((1, 28, 28), 26, 32)
    network.load_state_dict(published.state_dict())
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(network(x), published(x))


@pytest.mark.parametrize("side", [28, 31, 32, 35, 36, 64])
def test_cnn4_side_is_what_the_convolutions_leave(side):
    network = cnn4((1, side, side), 2, 1)
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


def reference_resnet20(weights, x):
    """He et al.'s CIFAR ResNet-20 in eval mode, written out from its tensors."""

    def norm(x, name):
        return F.batch_norm(x, *(weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    x = F.relu(norm(F.conv2d(x, weights["conv1.weight"], padding=1), "bn1"))
    for layer, stride in ((1, 1), (2, 2), (3, 2)):
        for block in range(3):
            name, step = f"layer{layer}.{block}", stride if block == 0 else 1
            inner = F.relu(norm(F.conv2d(x, weights[f"{name}.conv1.weight"], stride=step, padding=1), f"{name}.bn1"))
            inner = norm(F.conv2d(inner, weights[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if step == 2:
                zeros = torch.zeros(len(x), x.shape[1] // 2, *inner.shape[2:])
                x = torch.cat([zeros, x[:, :, ::2, ::2], zeros], dim=1)
            x = F.relu(inner + x)
    return F.linear(F.avg_pool2d(x, x.shape[-1]).flatten(1), weights["linear.weight"], weights["linear.bias"])


def test_resnet20_is_the_published_network():
    network = ResNet20(3, 10).eval()
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            value.copy_(
                torch.rand(value.shape, generator=generator) * 0.2
                + (0.5 if name.endswith(("running_var", "weight")) and value.ndim == 1 else -0.1)
            )
    x = torch.rand(2, 3, 32, 32, generator=generator)
    with torch.no_grad():
        expected = reference_resnet20(network.state_dict(), x)
        torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())  # 20 layers of float32
    assert count(network) == 269_722  # 0.27 M in the paper's table 6


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (2, 13, 9)])
@pytest.mark.parametrize("build", [ResNet20, resnet18])
def test_resnets_take_any_channels_and_sizes(build, shape):
    network = build(shape[0], 3).eval()
    assert network(torch.rand(2, *shape)).shape == (2, 3)
    assert not any(module.inplace for module in network.modules() if isinstance(module, nn.ReLU))


def test_resnet18_is_torchvisions():
    assert count(resnet18(3, 1000)) == 11_689_512
