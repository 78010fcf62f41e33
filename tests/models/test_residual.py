"""Networks with shortcuts, each against the published network: torchvision's, or written out from its tensors."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ntkcore.models.residual import ResNet18, ResNet20, WideResNet16
from ntkcore.vision import torchvision

BUILDERS = {
    "resnet20": ResNet20,
    "resnet18": ResNet18,
    "narrow resnet18": lambda channels, outputs: ResNet18(channels, outputs, 6),
    "wrn16": lambda channels, outputs: WideResNet16(channels, outputs, 4),
}


def count(module):
    return sum(p.numel() for p in module.parameters())


def shake(network):
    """Every number of a state different from what initialisation gives, variances positive."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            positive = value.ndim == 1 and name.endswith(("running_var", "weight"))
            value.copy_(torch.rand(value.shape, generator=generator) * 0.2 + (0.5 if positive else -0.1))
    return network.eval()


def norm(x, weights, name):
    return F.batch_norm(x, *(weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))


def reference_resnet20(weights, x):
    """He et al.'s CIFAR ResNet-20 in eval mode."""
    x = F.relu(norm(F.conv2d(x, weights["conv1.weight"], padding=1), weights, "bn1"))
    for layer, stride in ((1, 1), (2, 2), (3, 2)):
        for block in range(3):
            name, step = f"layer{layer}.{block}", stride if block == 0 else 1
            inner = F.relu(norm(F.conv2d(x, weights[f"{name}.conv1.weight"], stride=step, padding=1), weights, f"{name}.bn1"))
            inner = norm(F.conv2d(inner, weights[f"{name}.conv2.weight"], padding=1), weights, f"{name}.bn2")
            if step == 2:
                zeros = torch.zeros(len(x), x.shape[1] // 2, *inner.shape[2:])
                x = torch.cat([zeros, x[:, :, ::2, ::2], zeros], dim=1)
            x = F.relu(inner + x)
    return F.linear(F.avg_pool2d(x, x.shape[-1]).flatten(1), weights["linear.weight"], weights["linear.bias"])


def reference_wrn16(weights, x):
    """Zagoruyko & Komodakis' block in eval mode, two groups of two: o1 = relu(bn(x)); conv(relu(bn(conv(o1)))) + (conv of o1, or x)."""
    x = F.conv2d(x, weights["conv1.weight"], padding=1)
    for group, stride in ((1, 1), (2, 2)):
        for block in range(2):
            name, step = f"group{group}.{block}", stride if block == 0 else 1
            active = F.relu(norm(x, weights, f"{name}.bn1"))
            inner = F.conv2d(active, weights[f"{name}.conv1.weight"], stride=step, padding=1)
            inner = F.conv2d(F.relu(norm(inner, weights, f"{name}.bn2")), weights[f"{name}.conv2.weight"], padding=1)
            x = inner + (F.conv2d(active, weights[f"{name}.shortcut.weight"], stride=2) if step == 2 else x)
    x = F.relu(norm(x, weights, "bn"))
    return F.linear(F.avg_pool2d(x, x.shape[-1]).flatten(1), weights["linear.weight"], weights["linear.bias"])


@pytest.mark.parametrize(
    ("network", "reference"), [(lambda: ResNet20(3, 10), reference_resnet20), (lambda: WideResNet16(3, 10, 8), reference_wrn16)]
)
def test_it_is_the_published_network(network, reference):
    network = shake(network())
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = reference(network.state_dict(), x)
        torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())  # 20 layers of float32


@pytest.mark.parametrize(("channels", "side"), [(3, 64), (1, 8)])
def test_resnet18_is_torchvisions_byte_for_byte(channels, side):
    torch.manual_seed(3)
    ours = ResNet18(channels, 7)
    torch.manual_seed(3)
    theirs = torchvision().models.resnet18(weights=None, num_classes=7)
    if channels != 3:
        theirs.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(theirs.conv1.weight, mode="fan_out", nonlinearity="relu")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in ours.state_dict().items())
    shake(ours)
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, channels, side, side)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs.eval()(x))


def test_resnet18_has_the_classical_count_and_scales_with_its_width():
    assert count(ResNet18(3, 1000)) == 11_689_512
    for width in (16, 128):
        w, k = width, 10
        norms = 2 * (5 * w + 4 * 2 * w + 4 * 4 * w + 4 * 8 * w) + 2 * (2 * w + 4 * w + 8 * w)
        convolutions = 49 * 3 * w + 4 * 9 * w * w
        for out in (2 * w, 4 * w, 8 * w):
            convolutions += 9 * out * (out // 2) + 3 * 9 * out * out + out * (out // 2)
        assert count(ResNet18(3, k, width)) == convolutions + norms + 8 * w * k + k


def test_wrn16_has_two_groups_of_two_blocks():
    """By hand: convolutions, the normalisations of what enters each, the shortcut of the second group, the head."""
    c, w, k = 3, 32, 10
    first = 9 * c * w
    group1 = 4 * 9 * w * w + 4 * 2 * w
    group2 = 9 * w * 2 * w + 3 * 9 * (2 * w) ** 2 + w * 2 * w + 2 * w + 3 * 2 * 2 * w
    network = WideResNet16(c, k, w)
    assert count(network) == first + group1 + group2 + 2 * 2 * w + 2 * w * k + k
    assert [len(network.group1), len(network.group2)] == [2, 2]
    assert [m.stride[0] for m in network.group2.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)] == [2, 1, 1, 1]


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (2, 13, 9)])
@pytest.mark.parametrize("name", BUILDERS)
def test_they_take_any_channels_and_sizes_out_of_place(name, shape):
    network = BUILDERS[name](shape[0], 3).eval()
    x = torch.rand(2, *shape)
    before = x.clone()
    assert network(x).shape == (2, 3)
    assert torch.equal(x, before)
    assert not any(module.inplace for module in network.modules() if isinstance(module, nn.ReLU))
