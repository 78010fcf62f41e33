"""The network architectures, without normalisation, with PyTorch's default initialisation.

Each builder takes ``input_shape`` ``(c, h, w)`` or ``(d,)`` and the number of outputs, and draws its weights from torch's
current random state; :mod:`ntkcore.models.build` seeds it.
"""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from ntkcore.models.layers import PadShortcut
from ntkcore.vision import torchvision

CNN4_SMALLEST = 28  # below it the last 3 × 3 convolution has no room


def fcn(input_shape: Sequence[int], outputs: int, width: int, depth: int) -> nn.Sequential:
    """Fully connected: flatten, ``depth`` hidden layers of ``width`` ReLU units, linear head."""
    layers: list[nn.Module] = [nn.Flatten()]
    size = prod(input_shape)
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.ReLU()]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, outputs))


def cnn3(input_shape: Sequence[int], outputs: int, width: int) -> nn.Sequential:
    """Three 3 × 3 convolutions of stride 2 with ``width``, ``2 width``, ``2 width`` channels, ReLU, linear head."""
    channels, height, wide = input_shape
    layers: list[nn.Module] = []
    for out in (width, 2 * width, 2 * width):
        layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1), nn.ReLU()]
        channels, height, wide = out, (height + 1) // 2, (wide + 1) // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * wide, outputs))


def cnn4(input_shape: Sequence[int], outputs: int, width: int) -> nn.Sequential:
    """The four-convolution CNN of Unique-info's Table 1 (third convolution with stride 2, as in the authors' weights)."""
    channels, height, wide = input_shape
    positions = prod(cnn4_side(side) for side in (height, wide))
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(2 * width, 8 * width, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * width * positions, 8 * width),
        nn.ReLU(),
        nn.Linear(8 * width, outputs),
    )


def cnn4_side(side: int) -> int:
    """Height (or width) of the cnn4's last feature map for images of height (or width) ``side``; ``< 1``: does not fit."""
    return (side // 2 // 2 - 3) // 2 + 1 - 2


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions with BatchNorm around an option-A shortcut."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity() if stride == 1 else PadShortcut(out - channels)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(inner + self.shortcut(x))


class ResNet20(nn.Module):
    """CIFAR ResNet of 20 layers (He et al. 2016, §4.2), with the parameter names of akamaster/pytorch_resnet_cifar10."""

    def __init__(self, channels: int, outputs: int, width: int = 16) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1 = self._stage(width, width, 1)
        self.layer2 = self._stage(width, 2 * width, 2)
        self.layer3 = self._stage(2 * width, 4 * width, 2)
        self.linear = nn.Linear(4 * width, outputs)

    @staticmethod
    def _stage(channels: int, out: int, stride: int) -> nn.Sequential:
        return nn.Sequential(BasicBlock(channels, out, stride), BasicBlock(out, out, 1), BasicBlock(out, out, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(-2, -1)))


def resnet18(channels: int, outputs: int) -> nn.Module:
    """torchvision's ResNet-18, without weights, with the data's channels in and ``outputs`` out.

    Its ReLUs are made to work out of place, so that the inputs and outputs of layers can be read from hooks.
    """
    network: nn.Module = torchvision().models.resnet18(weights=None, num_classes=outputs)
    if channels != 3:
        first = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does
        network.conv1 = first
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network
