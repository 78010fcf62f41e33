"""Pretrained weights: safetensors files or state dicts, found by name, checked before use. Nothing is unpickled."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ntkcore.errors import DataError, DataMissing, WeightsMissing
from ntkcore.models.zoo import mine, published
from ntkcore.specs import PRETRAINED, ModelSpec, by_name

_REPLACE = "Replace the file by a fresh copy, or choose random weights."
_SAID = 3  # keys that differ
_NUMBERS = r"((?:[\s,]*\d*\.\d+)+)"
_PREPARED = re.compile(rf"mean{_NUMBERS}\W+std{_NUMBERS}")  # as the metadata of a weights file says it


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file, read: its tensors by key, and by what mean and deviation of each channel images were normalised; () where the file
    does not say."""

    name: str
    tensors: Mapping[str, Tensor]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


def weights_file(spec: ModelSpec, weights_paths: Sequence[Path]) -> Path:
    """The file with the weights of ``spec.architecture``: the first match in ``weights_paths``.

    Raises:
        DataMissing: no folder has it.
        ModelError: there is no such network.
    """
    names = _files(spec.architecture)
    for folder in weights_paths:
        for name in names:
            if (Path(folder) / name).is_file():
                return Path(folder) / name
    where = Path(weights_paths[0]) / names[0] if names and weights_paths else None
    if not names:
        raise DataMissing(f"NTK_NETWORKS names no weights of {spec.architecture}.", "Name their file there, or choose random weights.")
    had = "download them, " if by_name(spec.architecture) and published(spec.architecture).url else ""
    raise WeightsMissing(
        f"The pretrained weights of {spec.architecture} are not on this machine.",
        f"Put the file {names[0]} into the weights folder (setting NTK_WEIGHTS_DIR), {had}or choose random weights.",
        spec.architecture,
        place=where,
    )


def weights_content(spec: ModelSpec, weights_paths: Sequence[Path] = ()) -> str:
    """SHA-256 (64 hex digits) of the weights file that ``spec`` names; ``""`` for random weights.

    Of a server's own network it covers the file of its function, too, whose numbers no specification tells apart.

    Raises:
        DataMissing: the file is not there.
        DataError: the file cannot be read.
        ModelError: there is no such network.
    """
    found = _hash_of(weights_file(spec, weights_paths)) if spec.weights == "pretrained" else ""
    if not spec.architecture.startswith("mine:"):
        return found
    code = mine.code_of(spec.architecture.partition(":")[2])
    return hashlib.sha256(f"{code} {found}".encode()).hexdigest()


def read_weights(path: Path) -> Weights:
    """All tensors of a safetensors file, or of a state dict as ``torch.save`` writes it.

    Raises:
        DataError: it is damaged, or holds something else.
    """
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_state_dict(path)


def load_weights(network: nn.Module, found: Weights, head: str, keep_head: bool, unused: tuple[str, ...] = ()) -> None:
    """Copies the tensors of a file into ``network``, every one of them, after checking all.

    Args:
        network: changed in place; its parameter and buffer names are the file's keys.
        found: the file's tensors.
        head: name of the last layer, whose number of outputs may differ from the file's.
        keep_head: take the head from the file, too.
        unused: how keys begin that the network has in training alone.

    Raises:
        DataError: a key missing or not expected, a shape that differs, values that are not finite.
    """
    wanted = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    loaded = {key: value for key, value in found.tensors.items() if not key.endswith("num_batches_tracked") and not key.startswith(unused)}
    _require_same_keys(found.name, wanted, loaded, "" if keep_head else f"{head}.")
    for key, value in loaded.items():
        own_head = key.startswith(f"{head}.")
        if own_head and key not in wanted:
            continue
        expected = wanted[key].shape
        fits = value.shape[1:] == expected[1:] if own_head and not keep_head else value.shape == expected
        if not fits:
            raise DataError(
                f"In the weights file {found.name}, {key!r} has the shape {tuple(value.shape)}, not {tuple(expected)}.",
                "Choose a new head: these data have other classes." if own_head else _REPLACE,
            )
        if not value.dtype.is_floating_point and wanted[key].is_floating_point():
            raise DataError(f"In the weights file {found.name}, {key!r} does not hold floating-point numbers.", _REPLACE)
        if not bool(torch.isfinite(value).all()) or (key.endswith("running_var") and bool((value < 0).any())):
            raise DataError(f"In the weights file {found.name}, {key!r} has values that are not valid numbers.", _REPLACE)
    with torch.no_grad():
        for key, value in loaded.items():
            if keep_head or not key.startswith(f"{head}."):
                wanted[key].copy_(value)  # the state dict shares memory with the network


def _files(architecture: str) -> tuple[str, ...]:
    return published(architecture).files if by_name(architecture) else (f"{PRETRAINED[architecture]}.safetensors",)


def _require_same_keys(name: str, wanted: Iterable[str], loaded: Iterable[str], new: str) -> None:
    """Refuse other keys, but for those of a layer that is ``new``."""
    own, given = ({key for key in keys if not new or not key.startswith(new)} for keys in (wanted, loaded))
    missing, more = sorted(own - given), sorted(given - own)
    if not missing and not more:
        return
    said = [f"has no tensor {_list(missing)}"] if missing else []
    said += [f"has a tensor {_list(more)} that the network does not have"] if more else []
    another = len(missing) + len(more) > max(_SAID, len(own) // 4)
    raise DataError(
        f"The weights file {name} {' and '.join(said)}.",
        "These are weights of another architecture: name that one, or put this one's file there." if another else _REPLACE,
    )


def _list(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _SAID:,} more" if len(keys) > _SAID else ""
    return ", ".join(map(repr, keys[:_SAID])) + more


def _read_safetensors(path: Path) -> Weights:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            told = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        cut = " (it is cut off)" if "ncomplete" in str(error) else ""
        raise DataError(f"The weights file {path.name} is damaged or is not a safetensors file{cut}.", _REPLACE) from error
    found = _PREPARED.search(" ".join(told.values()))
    mean, std = (_numbers(found[1]), _numbers(found[2])) if found else ((), ())
    return Weights(path.name, tensors, mean, std)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, re.findall(r"\d*\.\d+", text)))


def _read_state_dict(path: Path) -> Weights:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is something else has many ways to fail
        raise DataError(f"The weights file {path.name} is damaged, or holds more than tensors.", _REPLACE) from error
    while isinstance(found, Mapping) and isinstance(inner := found.get("state_dict", found.get("model")), Mapping):
        found = inner
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(f"The weights file {path.name} is not a state dict.", _REPLACE)
    return Weights(path.name, {str(key): value for key, value in found.items()})


def _hash_of(path: Path) -> str:
    try:
        status = path.stat()
        return _hashed(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"The weights file {path.name} cannot be read ({error.strerror}).", _REPLACE) from error


@lru_cache(maxsize=64)
def _hashed(path: Path, size: int, changed: int) -> str:
    """SHA-256 of a file of this size and time of change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
