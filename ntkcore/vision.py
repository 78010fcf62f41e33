"""torchvision, imported when used, also beside a CPU-only torch.

torchvision's Linux wheel is built for CUDA; beside a CPU-only torch its compiled operators do not load and the import
fails on their missing schemas. Declaring the two schemas it looks up makes models, datasets and transforms work.
"""

from functools import lru_cache
from types import ModuleType

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@lru_cache(maxsize=1)
def torchvision() -> ModuleType:
    """The torchvision module, with its models and datasets imported."""
    try:
        import torchvision as module
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        library.define(f"nms{_SCHEMA}")
        library.define(f"qnms{_SCHEMA}")
        _KEEP.append(library)
        import torchvision as module
    return module


_KEEP: list[torch.library.Library] = []  # a Library withdraws its schemas when it is collected


@lru_cache(maxsize=1)
def timm() -> ModuleType:
    """The timm module; it imports torchvision, which must be there first."""
    torchvision()
    import timm as module

    return module
