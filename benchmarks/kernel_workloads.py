"""The networks on which the kernels are timed, with how many times faster than the best peer each must be."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch
from torch import nn

import ntkcore

if any(find_spec(name) is None for name in ("pydantic", "safetensors")):
    # specifications and weights files need these, the networks themselves torch alone: their package is left out
    bare = ModuleType("ntkcore.models")
    bare.__path__ = [str(Path(folder) / "models") for folder in ntkcore.__path__]
    sys.modules.setdefault(bare.__name__, bare)

from ntkcore.architecture import chain_of
from ntkcore.models.networks import from_chain
from ntkcore.models.residual import ResNet18, ResNet20, WideResNet16

GRAY, COLOUR = (1, 28, 28), (3, 32, 32)


@dataclass(frozen=True, slots=True)
class Workload:
    """A network, the form of the kernel, the number of samples, and the ratio to the best peer that is required."""

    title: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    outputs: Literal["pseudo", "full"]
    n: int
    needed: float

    def network(self) -> nn.Module:
        """The network with PyTorch's default initialisation, in eval mode: the same weights every time."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.make().eval()


def _chain(architecture: str, shape: tuple[int, ...], width: int, depth: int | None = None, outputs: int = 10) -> Callable[[], nn.Module]:
    chain = chain_of(architecture, outputs, width, depth)
    assert chain is not None
    return lambda: from_chain(chain, shape)


_FCN, _CNN4 = _chain("fcn", GRAY, 1024, 3), _chain("cnn4", GRAY, 32)
_RESNET20, _SMALL = (lambda: ResNet20(3, 10)), _chain("fcn", (1, 8, 8), 64, 1)

TABLE = {
    "fcn": Workload("FCN 784-1024-1024-1024-10, pNTK", _FCN, GRAY, "pseudo", 1000, 20),
    "fcn-full": Workload("FCN 784-1024-1024-1024-10, full", _FCN, GRAY, "full", 300, 20),
    "cnn4": Workload("4-conv CNN 28×28, pNTK", _CNN4, GRAY, "pseudo", 1000, 2.5),
    "cnn4-full": Workload("4-conv CNN 28×28, full", _CNN4, GRAY, "full", 200, 4),
    "resnet20": Workload("ResNet-20, pNTK", _RESNET20, COLOUR, "pseudo", 500, 1.5),
    "resnet20-full": Workload("ResNet-20, full", _RESNET20, COLOUR, "full", 200, 2),
    "wrn16": Workload("WideResNet-16 (width 32), pNTK", lambda: WideResNet16(3, 10, 32), COLOUR, "pseudo", 200, 1.5),
}
"""The workloads whose ratios are promised."""

SMALL = {
    "small-fcn": Workload("FCN 64-64-10, pNTK", _SMALL, (1, 8, 8), "pseudo", 50, 1),
    "small-fcn-full": Workload("FCN 64-64-10, full", _SMALL, (1, 8, 8), "full", 50, 1),
    "one-output": Workload("FCN 784-256-256-1, one output", _chain("fcn", GRAY, 256, 2, 1), GRAY, "pseudo", 200, 1),
    "cnn3": Workload("cnn3 8×8, pNTK", _chain("cnn3", (1, 8, 8), 32), (1, 8, 8), "pseudo", 100, 1),
    "cnn3-full": Workload("cnn3 8×8, full", _chain("cnn3", (1, 8, 8), 32), (1, 8, 8), "full", 100, 1),
    "convnet": Workload("ConvNet (width 32) 32×32, pNTK", _chain("convnet", COLOUR, 32), COLOUR, "pseudo", 100, 1),
    "convnet-full": Workload("ConvNet (width 32) 32×32, full", _chain("convnet", COLOUR, 32), COLOUR, "full", 40, 1),
    "resnet18": Workload("ResNet-18 (width 64) 32×32, pNTK", lambda: ResNet18(3, 10, 64), COLOUR, "pseudo", 50, 1),
    "two-cnn4": Workload("4-conv CNN, two samples, full", _CNN4, GRAY, "full", 2, 1),
    "two-resnet20": Workload("ResNet-20, two samples, pNTK", _RESNET20, COLOUR, "pseudo", 2, 1),
}
"""Small and odd ones, on which only being slower than a peer would count."""
