"""timm's and torchvision's registered image classifiers: which there are, built for these classes, and what is published of their weights.

Both libraries draw weights from torch's random state; :mod:`ntkcore.models.build` seeds it. Neither is asked to load weights: those are
read by :mod:`ntkcore.models.weights`, which unpickles nothing.
"""

import difflib
import re
from functools import lru_cache
from typing import Any

from torch import nn

from ntkcore.errors import ModelError
from ntkcore.models.zoo import mine
from ntkcore.models.zoo.published import Published
from ntkcore.vision import timm, torchvision

_HASH = re.compile(r"-([0-9a-f]{8,64})\.[a-z]+$")  # of a published file's name: how its SHA-256 begins
_AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}  # heads that only training has


@lru_cache(maxsize=3)
def names(zoo: str) -> tuple[str, ...]:
    """The names of a zoo's networks, in order: ``"timm"``, ``"torchvision"``, ``"mine"``."""
    if zoo == "timm":
        return tuple(timm().list_models())
    if zoo == "torchvision":
        models = torchvision().models
        return tuple(models.list_models(module=models))
    return mine.names()


def near(architecture: str, count: int = 3) -> tuple[str, ...]:
    """Networks of the same zoo that are called alike."""
    zoo, _, name = architecture.partition(":")
    found = [f"{zoo}:{one}" for one in difflib.get_close_matches(name, names(zoo), n=count, cutoff=0.5)]
    return tuple(found)


def assembled(architecture: str, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    """The network for images ``(c, h, w)`` of this shape, its weights drawn by the library.

    Raises:
        ModelError: there is none of this name, or it cannot take such images.
    """
    zoo, _, name = architecture.partition(":")
    if zoo == "mine":
        return mine.made(name, outputs, input_shape)
    require(architecture)
    try:
        if zoo == "timm":
            return _of_timm(name, input_shape, outputs)
        return _of_torchvision(name, input_shape, outputs)
    except (RuntimeError, ValueError, TypeError, AssertionError, NotImplementedError) as error:
        size = " × ".join(map(str, input_shape))
        said = f"{type(error).__name__}: {error}"
        raise ModelError(
            f"{architecture} cannot be built for images of {size} ({said[:200]}).", "Choose another size or network."
        ) from error


def require(architecture: str) -> None:
    """Does nothing if there is a network of this name.

    Raises:
        ModelError: there is none; names some that are called alike.
    """
    zoo, _, name = architecture.partition(":")
    known = names(zoo)
    if name in known or (zoo == "timm" and name.partition(".")[0] in known and _tagged(name)):
        return
    alike = ", ".join(near(architecture))
    raise ModelError(
        f"{zoo} has no image classifier {name!r}." if zoo != "mine" else f"This server has no network {name!r} of its own.",
        f"Called alike: {alike}." if alike else mine.REMEDY if zoo == "mine" else "Choose another name.",
    )


@lru_cache(maxsize=256)
def published(architecture: str) -> Published:
    """What is known of a network's weights.

    Raises:
        ModelError: there is no such network.
    """
    zoo, _, name = architecture.partition(":")
    require(architecture)
    if zoo == "mine":
        return mine.published(name)
    return _published_by_timm(name) if zoo == "timm" else _published_by_torchvision(name)


def unused(architecture: str) -> tuple[str, ...]:
    """How the keys of weights begin that the network has in training alone."""
    return _AUXILIARY.get(architecture.partition(":")[2], ()) if architecture.startswith("torchvision:") else ()


def _tagged(name: str) -> bool:
    """Whether there are weights of this tag."""
    return name in timm().list_models(f"{name.partition('.')[0]}.*", include_tags=True)


def _of_timm(name: str, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    told: dict[str, Any] = {"num_classes": outputs, "in_chans": input_shape[0]}
    config = timm().get_pretrained_cfg(name, allow_unregistered=True)
    if config is not None and config.fixed_input_size:
        told["img_size"] = tuple(input_shape[1:])
    made: nn.Module = timm().create_model(name, pretrained=False, **told)
    return made


def _of_torchvision(name: str, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    channels, height, width = input_shape
    if channels != 3:
        raise ModelError(f"torchvision’s {name} reads colour images; these have {channels} channels.", "Choose a network of timm.")
    told: dict[str, Any] = {"num_classes": outputs}
    if name in _AUXILIARY:
        told |= {"aux_logits": False, "init_weights": True}
    if name.startswith("vit_"):
        if height != width:
            raise ModelError(f"{name} reads square images; these have {height} × {width} pixels.", "Choose another network.")
        told["image_size"] = height
    made: nn.Module = torchvision().models.get_model(name, weights=None, **told)
    return made


def _published_by_timm(name: str) -> Published:
    config = timm().get_pretrained_cfg(name, allow_unregistered=True)
    plain = f"{name}.safetensors", f"{name}.pth"
    if config is None:
        return Published(plain)
    url, begins = "", ""
    if config.hf_hub_id:
        url = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/{config.hf_hub_filename or 'model.safetensors'}"
    elif isinstance(config.url, str) and not config.custom_load:
        url, begins = config.url, _begins(config.url)
    return Published(
        plain,
        url,
        begins,
        tuple(config.mean),
        tuple(config.std),
        config.input_size[-1],
        config.crop_pct,
        config.interpolation,
        config.fixed_input_size,
    )


def _published_by_torchvision(name: str) -> Published:
    weights = torchvision().models.get_model_weights(name).DEFAULT
    prepared = weights.transforms()
    return Published(
        (f"{name}.safetensors", f"{name}.pth", weights.url.rpartition("/")[2]),
        weights.url,
        _begins(weights.url),
        tuple(prepared.mean),
        tuple(prepared.std),
        prepared.crop_size[0],
        prepared.crop_size[0] / prepared.resize_size[0],
        prepared.interpolation.value,
        name.startswith("vit_"),
    )


def _begins(url: str) -> str:
    found = _HASH.search(url)
    return found[1] if found else ""
