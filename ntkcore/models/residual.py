"""Networks with shortcuts: the CIFAR ResNet-20, ResNet-18 and WideResNet-16, without input normalisation.

Each draws its weights from torch's current random state; :mod:`ntkcore.models.build` seeds it. ReLUs work out of place, so that the
inputs and outputs of layers can be read from hooks.
"""

from torch import Tensor, nn

from ntkcore.models.layers import PadShortcut


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions with BatchNorm around a shortcut (He et al. 2016)."""

    def __init__(self, channels: int, out: int, stride: int, shortcut: nn.Module | None = None) -> None:
        """``shortcut``: maps the block's input to its output's shape; None passes it on. Made before the block's own weights are drawn."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = nn.Identity() if shortcut is None else shortcut
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(inner + self.downsample(x))


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
        first = BasicBlock(channels, out, stride, None if stride == 1 else PadShortcut(out - channels))
        return nn.Sequential(first, BasicBlock(out, out, 1), BasicBlock(out, out, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(-2, -1)))


class ResNet18(nn.Module):
    """ResNet-18 with ``width`` channels in its first stage; torchvision's at 64, with its parameter names and initialisation.

    The thesis's width factor WF is ``width / 16`` (Thesis A.6). As in torchvision, convolutions are drawn from ``N(0, 2 / fan-out)``,
    and in the same order, so that equal seeds give torchvision's weights.
    """

    def __init__(self, channels: int, outputs: int, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(width, width, 1)
        self.layer2 = self._stage(width, 2 * width, 2)
        self.layer3 = self._stage(2 * width, 4 * width, 2)
        self.layer4 = self._stage(4 * width, 8 * width, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _fan_out(module)
        if channels != 3:  # drawn last, so that the other weights are those of three channels
            self.conv1 = _fan_out(nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False))

    @staticmethod
    def _stage(channels: int, out: int, stride: int) -> nn.Sequential:
        shortcut = None
        if stride != 1:
            shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
        return nn.Sequential(BasicBlock(channels, out, stride, shortcut), BasicBlock(out, out, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class PreActivationBlock(nn.Module):
    """BatchNorm, ReLU and a 3 × 3 convolution, twice, around a shortcut (Zagoruyko & Komodakis 2016).

    Where the number of channels changes, the shortcut is a 1 × 1 convolution of the activated input, as in the authors' code.
    """

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.shortcut = None if channels == out else nn.Conv2d(channels, out, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = self.relu1(self.bn1(x))
        inner = self.conv2(self.relu2(self.bn2(self.conv1(active))))
        return inner + (x if self.shortcut is None else self.shortcut(active))


class WideResNet16(nn.Module):
    """WideResNet-16 with two groups of blocks (Thesis A.6): ``width`` channels, then ``2 width`` with stride 2.

    Differs from Zagoruyko & Komodakis (2016) as the thesis does: two groups of (16 - 4) / 6 = 2 blocks instead of three, and a first
    convolution as wide as the first group. The thesis's width factor WF is ``width / 16``.
    """

    def __init__(self, channels: int, outputs: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.group1 = nn.Sequential(PreActivationBlock(width, width, 1), PreActivationBlock(width, width, 1))
        self.group2 = nn.Sequential(PreActivationBlock(width, 2 * width, 2), PreActivationBlock(2 * width, 2 * width, 1))
        self.bn = nn.BatchNorm2d(2 * width)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(2 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn(self.group2(self.group1(self.conv1(x)))))
        return self.linear(x.mean(dim=(-2, -1)))


def _fan_out(convolution: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution
