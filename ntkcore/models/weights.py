"""Pretrained weights: safetensors files, found by name, checked before use."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ntkcore.errors import DataError, DataMissing
from ntkcore.specs import PRETRAINED, ModelSpec

_REPLACE = "Replace the file by a fresh copy, or choose random weights."


def weights_file(spec: ModelSpec, weights_paths: Sequence[Path]) -> Path:
    """The file with the weights of ``spec.architecture``: the first match in ``weights_paths``.

    Raises:
        DataMissing: no folder has it.
    """
    name = f"{PRETRAINED[spec.architecture]}.safetensors"
    for folder in weights_paths:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    raise DataMissing(
        f"The pretrained weights of {spec.architecture} are not on this machine.",
        f"Put the file {name} into the weights folder (setting NTK_WEIGHTS_DIR), or choose random weights.",
    )


def weights_content(spec: ModelSpec, weights_paths: Sequence[Path] = ()) -> str:
    """SHA-256 (64 hex digits) of the weights file that ``spec`` names; ``""`` for random weights.

    Raises:
        DataMissing: the file is not there.
        DataError: the file cannot be read.
    """
    if spec.weights == "random":
        return ""
    path = weights_file(spec, weights_paths)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"The weights file {path.name} cannot be read ({error.strerror}).", _REPLACE) from error


def load_weights(network: nn.Module, path: Path, head: str, keep_head: bool) -> None:
    """Copies the tensors of ``path`` into ``network``, every one of them, after checking all.

    Args:
        network: changed in place; its parameter and buffer names are the file's keys.
        path: safetensors file with floating-point tensors.
        head: name of the last layer, whose number of outputs may differ from the file's.
        keep_head: take the head from the file, too.

    Raises:
        DataError: not a safetensors file, a key missing or not expected, a shape that differs, values that are not finite.
    """
    loaded = _read(path)
    wanted = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    for key in sorted(wanted.keys() - loaded.keys()):
        raise DataError(f"The weights file {path.name} has no tensor {key!r}.", _REPLACE)
    for key in sorted(loaded.keys() - wanted.keys()):
        raise DataError(f"The weights file {path.name} has a tensor {key!r} that the network does not have.", _REPLACE)
    for key, value in loaded.items():
        own_head = key.startswith(f"{head}.")
        expected = wanted[key].shape
        fits = value.shape[1:] == expected[1:] if own_head and not keep_head else value.shape == expected
        if not fits:
            raise DataError(
                f"In the weights file {path.name}, {key!r} has the shape {tuple(value.shape)}, not {tuple(expected)}.", _REPLACE
            )
        if not value.dtype.is_floating_point:
            raise DataError(f"In the weights file {path.name}, {key!r} does not hold floating-point numbers.", _REPLACE)
        if not bool(torch.isfinite(value).all()) or (key.endswith("running_var") and bool((value < 0).any())):
            raise DataError(f"In the weights file {path.name}, {key!r} has values that are not valid numbers.", _REPLACE)
    with torch.no_grad():
        for key, value in loaded.items():
            if keep_head or not key.startswith(f"{head}."):
                wanted[key].copy_(value)  # the state dict shares memory with the network


def _read(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise DataError(f"The weights file {path.name} is damaged or is not a safetensors file.", _REPLACE) from error
