"""The networks by name: what they are called, their usual width and learning rate, which have published weights.

Beside the architectures of our own there are those of the libraries' registries, ``timm:NAME`` and ``torchvision:NAME``, and those that a
server's administrator brings, ``mine:NAME`` (setting ``NTK_NETWORKS``). Here they are words; whether there is such a network is asked
where it is built, so that specifications need none of the libraries.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

ARCHITECTURES = ("fcn", "cnn3", "cnn4", "convnet", "resnet20", "resnet18", "wrn16")
ZOOS: dict[str, str] = {"timm": "timm", "torchvision": "torchvision", "mine": "your own"}
"""Where networks by name come from: the word before the colon, and what it is called."""
SUGGESTED = ("timm:tf_efficientnet_lite0", "torchvision:resnet18", "torchvision:resnet50")
"""Of the libraries' networks those that a page offers before one is searched for."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LISTED = f"{', '.join(ARCHITECTURES)}, timm:NAME, torchvision:NAME or mine:NAME"

TITLES: dict[str, str] = {
    "fcn": "Fully connected",
    "cnn3": "3-conv CNN",
    "cnn4": "4-conv CNN",
    "convnet": "8-layer ConvNet",
    "resnet20": "CIFAR ResNet-20",
    "resnet18": "ResNet-18",
    "wrn16": "WideResNet-16",
}

# Width of an architecture when none is given: units of a hidden layer (fcn), channels of the first convolution.
# The resnet20 has its published width only; the thesis's width factor WF of the resnet18 and the wrn16 is width / 16.
DEFAULT_WIDTH: dict[str, int] = {"fcn": 256, "cnn3": 32, "cnn4": 32, "convnet": 32, "resnet20": 16, "resnet18": 64, "wrn16": 32}
DEFAULT_DEPTH = 2  # hidden layers of the fcn
# Learning rates that train digits, MNIST and CIFAR-10 pairs with batch 32 and no momentum; four times as much diverges.
DEFAULT_RATE: dict[str, float] = {
    "fcn": 0.05,
    "cnn3": 0.1,
    "cnn4": 0.1,
    "convnet": 0.05,
    "resnet20": 0.01,
    "resnet18": 0.005,
    "wrn16": 0.01,
}
PRETRAINED: dict[str, str] = {"cnn4": "emnist_letters_cnn", "resnet20": "cifar10_resnet20"}
_RATE_BY_NAME = 0.001  # of networks by name, whose features are long vectors: below 2 / |feature|²


def _known(name: str) -> str:
    zoo, colon, rest = name.partition(":")
    if name in ARCHITECTURES or (colon and zoo in ZOOS and _NAME.fullmatch(rest)):
        return name
    raise ValueError(f"there is no such network; choose {_LISTED}")


Architecture = Annotated[str, AfterValidator(_known)]


def by_name(architecture: str) -> bool:
    """Whether a network is a registry's or a server's own, rather than one of ours."""
    return ":" in architecture


def title_of(architecture: str) -> str:
    """What a network is called; "" for what is none."""
    zoo, _, name = architecture.partition(":")
    return f"{name} ({ZOOS.get(zoo, zoo)})" if name else TITLES.get(architecture, "")


def default_width(architecture: str) -> int:
    """Its width where none is given; 1 for networks by name, which have their own."""
    return DEFAULT_WIDTH.get(architecture, 1)


def fixed_width(architecture: str) -> bool:
    """Whether it has one width only."""
    return architecture == "resnet20" or by_name(architecture)


def default_rate(architecture: str) -> float:
    """The learning rate where none is given."""
    return _RATE_BY_NAME if by_name(architecture) else DEFAULT_RATE.get(architecture, 0.05)


def has_weights(architecture: str) -> bool:
    """Whether pretrained weights can be asked for; of a network by name they are looked for when it is built."""
    return architecture in PRETRAINED or by_name(architecture)
