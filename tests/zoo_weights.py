"""A small network of a library with weights in a folder, as its file would lie there."""

import torch
from safetensors.torch import save_file

from ntkcore.vision import timm, torchvision

SMALL = "timm:test_efficientnet"  # of timm, for tests: 0.4 million parameters


def timm_weights(folder, name="test_efficientnet", **metadata):
    """Random weights of a network of timm as a safetensors file of timm's key names; returns them."""
    torch.manual_seed(3)
    state = timm().create_model(name, pretrained=False, num_classes=10).state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, folder / f"{name}.safetensors", metadata or None)
    return state


def torchvision_weights(path, name="shufflenet_v2_x0_5", classes=1000):
    """Random weights of a network of torchvision as ``torch.save`` writes them; returns them."""
    torch.manual_seed(4)
    state = torchvision().models.get_model(name, weights=None, num_classes=classes).state_dict()
    torch.save(state, path)
    return state
