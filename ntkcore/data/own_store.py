"""Imported sets on disk: ``<cache_dir>/sets/<content id>/`` with labels.npy, ids.json, set.json, and images.npy; or, of texts,
vectors.npy, texts.bin (the texts in UTF-8, one after the other) and ends.npy (where each ends in it, in bytes).

Of photographs, images.npy holds small copies, and beside it are the originals as they came, one after the other in originals.bin with
original_ends.npy, or links.json with the folder they lie in and the path, SHA-256 and size of each; and thumbnails (JPEG) in cards.bin
with card_ends.npy. Of a divided set, parts.json holds which part each image belongs to; of one that came with a table, columns.json its
further columns.

The content id is the SHA-256 of set.json, which holds that of each other file's data, their shape, the class names, and what people
read of the set: name, notes, how many of each class. Nothing of it can change without its id; when it was imported is the time of the
file. A set is checked against its id before it is used.

Sets of before (version 1 and 2 of set.json) keep their ids, which are over the data, their shape and the class names alone; version 2
has a SHA-256 of its own for the rest. That id, the data's, still tells whether the same content is there already, by whatever name.
"""

import fcntl
import hashlib
import json
import math
import os
import re
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from ntkcore.data.hashing import file_sha256
from ntkcore.data.npy import read_header
from ntkcore.data.selection import UNLABELLED, counted
from ntkcore.errors import Cancelled, DataError, DataMissing, StoreError
from ntkcore.private import FILE, make_private, open_private
from ntkcore.settings import Settings

_VERSION = 1  # of the data's id
_DESCRIPTION = 3  # version of set.json
_ID = re.compile(r"[0-9a-f]{64}")
_STALE = 24 * 3600  # seconds after which a half-written set is left from a process that died
_SUM = "sha256"  # of all else in set.json, in version 2
_NPY = np.lib.format

Kind = Literal["images", "texts"]
FILES: dict[Kind, tuple[str, ...]] = {
    "images": ("images.npy", "labels.npy", "ids.json"),  # the first holds the samples
    "texts": ("vectors.npy", "labels.npy", "ids.json", "texts.bin", "ends.npy"),
}
_FURTHER = ("originals.bin", "original_ends.npy", "links.json", "cards.bin", "card_ends.npy", "parts.json", "columns.json")
_DTYPES = {"images.npy": "u1", "vectors.npy": "<f4"} | dict.fromkeys(
    ("labels.npy", "ends.npy", "original_ends.npy", "card_ends.npy"), "<i8"
)


@dataclass(frozen=True, slots=True)
class OwnSet:
    """An imported set, as it is listed.

    Attributes:
        content_id: 64 hex digits.
        name: what its owner called it.
        class_names: the classes in label order.
        counts: images of each class.
        unlabelled: how many nobody labelled yet.
        shape: ``(c, h, w)`` of one image, ``(d,)`` of a text's vector.
        notes: what the import did to the images or texts, in sentences.
        imported: seconds since 1970.
        bytes: size on disk.
        problem: why it cannot be used, or "".
        kind: what it is a set of.
        parts: the parts of its division and how many belong to each; () where it has none.
        originals: whether it keeps, or refers to, the images as they came.
        before: content id of the set that this is a new version of, or "".
        skipped, skipped_count: what its import left out, ``"name: reason"``, the first 200, and how many there were.
    """

    content_id: str
    name: str
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    shape: tuple[int, ...]
    notes: tuple[str, ...]
    imported: float
    bytes: int
    problem: str = ""
    kind: Kind = "images"
    unlabelled: int = 0
    parts: tuple[tuple[str, int], ...] = ()
    originals: bool = False
    before: str = ""
    skipped: tuple[str, ...] = ()
    skipped_count: int = 0

    @property
    def n(self) -> int:
        """How many images."""
        return sum(self.counts) + self.unlabelled

    @property
    def what(self) -> str:
        """What they are, of one."""
        return self.kind[:-1]

    @property
    def shape_text(self) -> str:
        """Width, height and colour for people, e.g. ``"32 × 32 RGB"``; of texts, how many numbers each has become."""
        if self.kind == "texts":
            return f"{self.shape[0]} numbers each"
        if not self.shape:
            return "unreadable"
        size = f"{self.shape[2]} × {self.shape[1]} {'gray' if self.shape[0] == 1 else 'RGB'}"
        return f"originals and copies of {size}" if self.originals else size


def own_sets(settings: Settings) -> tuple[OwnSet, ...]:
    """The imported sets, newest first; one whose description cannot be read is listed with its problem."""
    try:
        folders = [path for path in _sets(settings).iterdir() if _ID.fullmatch(path.name)]
    except FileNotFoundError:
        return ()
    found = []
    for folder in folders:
        try:
            stat = (folder / "set.json").stat()
            found.append(_listed(folder, stat.st_size, stat.st_mtime_ns))
        except (OSError, DataError):
            if folder.is_dir():  # else it was removed just now
                problem = "Its description is damaged. Remove it and import it again."
                found.append(OwnSet(folder.name, f"Damaged set {folder.name[:8]}", (), (), (), (problem,), 0.0, 0, problem))
    return tuple(sorted(found, key=lambda item: (-item.imported, item.content_id)))


def remove_own(content_id: str, settings: Settings) -> None:
    """Delete an imported set; this is the only copy the app has of it.

    Raises:
        DataMissing: there is no such set.
        StoreError: it cannot be deleted.
    """
    folder = set_folder(content_id, settings)
    aside = folder.with_name(f".removed-{uuid.uuid4().hex}")
    try:
        folder.rename(aside)  # gone at once, also for a process that is listing
    except FileNotFoundError as error:
        raise _missing() from error
    except OSError as error:
        raise StoreError(f"The set could not be removed: {error.strerror}.", "Check the permissions of the cache folder.") from error
    shutil.rmtree(aside, ignore_errors=True)


def require_own(content_id: str, settings: Settings) -> None:
    """Raises :class:`DataMissing` unless the set is there (its content is not looked at)."""
    if not (set_folder(content_id, settings) / "set.json").is_file():
        raise _missing()


def own_title(content_id: str, settings: Settings) -> str:
    """What its owner called it."""
    return str(describe_set(set_folder(content_id, settings))["name"])


def intact(content_id: str, settings: Settings) -> bool:
    """Whether a set's files are those its id was made of."""
    folder = set_folder(content_id, settings)
    try:
        description = describe_set(folder)
        further = (name for name in _FURTHER if Path(name).stem in description["hashes"])
        files = [folder / name for name in (*FILES[set_kind(description)], *further)]
        heads = {path.name: _head(path) for path in files if path.suffix == ".npy"}
        hashes = {path.stem: file_sha256(path, settings, offset=heads[path.name][1] if path.name in heads else 0) for path in files}
        if _data_id(description) != data_id_of(hashes, heads[files[0].name][0], tuple(description["class_names"])):
            return False
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        known = labels[labels != UNLABELLED]
        parts = json.loads((folder / "parts.json").read_bytes()) if "parts" in description["hashes"] else []
        return bool(
            (known >= 0).all()
            and counted_parts(parts) == description.get("parts", {})
            and counted(labels, len(description["counts"])).tolist() == description["counts"]
            and len(labels) - len(known) == description.get("unlabelled", 0)
        )
    except (OSError, ValueError, DataError):
        return False


def counted_parts(parts: Sequence[str]) -> dict[str, int]:
    """How many belong to each part, by its name; what belongs to none is not counted."""
    return dict(sorted(Counter(part for part in parts if part).items()))


def data_id_of(hashes: Mapping[str, str], shape: tuple[int, ...], class_names: tuple[str, ...]) -> str:
    """Id of a set's data: over the SHA-256 of the data of each of its files, by the file's name, its shape and class names."""
    identity = {"version": _VERSION, **hashes, "shape": list(shape), "class_names": list(class_names)}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@contextmanager
def half_written(settings: Settings, going_on: str = "") -> Iterator[Path]:
    """A folder to write a new set into; whatever is still in it at the end is deleted. Those of dead processes go too.

    Args:
        settings: where.
        going_on: identity of what is written, 64 hex digits, where it can go on after a stop: the folder then is that of the last time,
            unless another process has it, and stays when the writing is stopped or killed; for a day.
    """
    sets = _sets(settings)
    try:
        make_private(sets)
        for left in [*sets.glob(".new-*"), *sets.glob(".removed-*"), *sets.glob(".half-*")]:
            with suppress(FileNotFoundError):  # another import has just ended
                if left.stat().st_mtime < time.time() - _STALE:
                    shutil.rmtree(left, ignore_errors=True)
        held = _reserved(going_on, settings) if going_on else None
        folder = sets / (f".new-{os.getpid()}-{uuid.uuid4().hex}" if held is None else f".half-{going_on}")
        make_private(folder)
    except OSError as error:
        raise StoreError(f"The cache folder cannot be written: {error.strerror}.", "Check its permissions and the disk.") from error
    kept = False
    try:
        yield folder
    except Cancelled:
        kept = held is not None
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _reserved(going_on: str, settings: Settings) -> int | None:
    """A handle that holds the folder of what is gone on with, until it is closed; None where another process does."""
    locks = settings.cache_dir / "locks"
    make_private(locks)
    handle = os.open(locks / f"half-{going_on[:1]}.lock", os.O_RDWR | os.O_CREAT, FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def remove_half_written(process: int, settings: Settings) -> None:
    """Delete what a process, which has ended, was writing."""
    for folder in _sets(settings).glob(f".new-{process}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def write_header(file: BinaryIO, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    """Start a .npy file, whose data follows in C order."""
    _NPY.write_array_header_1_0(file, {"descr": _NPY.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape})


def publish(folder: Path, description: Mapping[str, Any], settings: Settings) -> tuple[str, bool]:
    """Give a written folder its place: its content id, and False if an intact set of the same data is there already, whose id it is.

    A damaged set of the same data is mended: it keeps its id, and its description where that is whole.
    """
    data_id = _data_id(description)
    with _alone(settings):
        there = _same(data_id, settings)
        if there is not None and intact(there, settings):
            return there, False
        if there is not None:
            told = (set_folder(there, settings) / "set.json").read_bytes()
        elif set_folder(data_id, settings).exists():  # of before, without a description that can be read
            there, told = data_id, _told({**description, "version": 2, "imported": time.time()})
        else:
            told = _told({**description, "version": _DESCRIPTION})
            there = hashlib.sha256(told).hexdigest()
        with open_private(folder / "set.json", "wb") as file:
            file.write(told)
            file.flush()
            os.fsync(file.fileno())
        target = set_folder(there, settings)
        _move_away(target)
        folder.rename(target)
    return there, True


def take_in(folder: Path, settings: Settings) -> bool:
    """Give a set that lies whole in a folder of the same disk, named by its content id, its place; False: it is there, intact.

    Raises:
        DataError: it is not what its id says; OSError: the disk refuses.
    """
    describe_set(folder)
    with _alone(settings):
        if intact(folder.name, settings):
            return False
        target = set_folder(folder.name, settings)
        make_private(target.parent)
        _move_away(target)
        folder.rename(target)
    return True


def _move_away(target: Path) -> None:
    """Remove a set in whose place another one comes; it is gone at once."""
    if target.exists():
        aside = target.with_name(f".removed-{uuid.uuid4().hex}")
        target.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _same(data_id: str, settings: Settings) -> str | None:
    """The set of the same data, by whatever name, whole or not; None if there is none that says so."""
    for item in own_sets(settings):
        with suppress(DataError):
            if _data_id(describe_set(set_folder(item.content_id, settings))) == data_id:
                return item.content_id
    return None


def _told(description: Mapping[str, Any]) -> bytes:
    """What set.json holds."""
    if description["version"] == 2:
        description = {**description, _SUM: _checksum(description)}
    return json.dumps(description, ensure_ascii=False, sort_keys=True).encode()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One import at a time looks whether its content is there, and puts it there."""
    locks = settings.cache_dir / "locks"
    make_private(locks)
    handle = os.open(locks / "sets.lock", os.O_RDWR | os.O_CREAT, FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@lru_cache(maxsize=256)
def _listed(folder: Path, size: int, mtime_ns: int) -> OwnSet:
    """One set's entry; size and time only tell one version of the description from the next."""
    description = describe_set(folder)
    return OwnSet(
        content_id=folder.name,
        name=description["name"],
        class_names=tuple(description["class_names"]),
        counts=tuple(description["counts"]),
        shape=tuple(description["shape"]),
        notes=tuple(description["notes"]),
        imported=float(description["imported"]),
        bytes=int(description["bytes"]),
        kind=set_kind(description),
        unlabelled=int(description.get("unlabelled", 0)),
        parts=tuple(description.get("parts", {}).items()),
        originals="cards" in description["hashes"],
        before=description.get("before", ""),
        skipped=tuple(description.get("skipped", ())),
        skipped_count=int(description.get("skipped_count", 0)),
    )


def set_kind(description: Mapping[str, Any]) -> Kind:
    """What a set is one of, by its description."""
    return "texts" if description.get("kind") == "texts" else "images"


def describe_set(folder: Path) -> dict[str, Any]:
    """What a set's description says. Raises DataError: it is damaged."""
    try:
        written = (folder / "set.json").read_bytes()
        description = json.loads(written)
        parts = description.get("parts", {})
        texts = [description["name"], *description["class_names"], *description["notes"], *parts]
        texts += [description.get("before", ""), *description.get("skipped", ())]
        numbers = [description["bytes"], *description["counts"], *description["shape"], *parts.values()]
        numbers += [description.get("unlabelled", 0), description.get("skipped_count", 0)]
        if description["version"] == _DESCRIPTION:
            description["imported"] = (folder / "set.json").stat().st_mtime
            unchanged = hashlib.sha256(written).hexdigest() == folder.name
        else:
            numbers.append(description["imported"])
            checksum = description.pop(_SUM, None)
            unchanged = checksum == (_checksum(description) if description["version"] != 1 else None)
        whole = (
            unchanged
            and all(isinstance(text, str) for text in texts)
            and all(math.isfinite(number) for number in numbers)
            and len(description["counts"]) == len(description["class_names"])
            and len(description["shape"]) == (1 if set_kind(description) == "texts" else 3)
            and (description["version"] == _DESCRIPTION or _data_id(description) == folder.name)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise damaged_set(folder) from error
    if not whole:
        raise damaged_set(folder)
    return dict(description)


def _data_id(description: Mapping[str, Any]) -> str:
    """The id of the data that a description speaks of."""
    n, shape = sum(description["counts"]) + description.get("unlabelled", 0), list(description["shape"])
    stored = [n, *shape] if len(shape) == 1 else [n, *shape[1:], *([] if shape[0] == 1 else [shape[0]])]
    return data_id_of(description["hashes"], tuple(stored), tuple(description["class_names"]))


def _checksum(description: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _head(path: Path) -> tuple[tuple[int, ...], int]:
    """Shape of the array in a .npy file, and where its data begin. Raises ValueError: it is not as it was written."""
    with path.open("rb") as file:
        shape, by_columns, dtype = read_header(file)
        start = file.tell()
    size = start + math.prod(shape) * dtype.itemsize
    if by_columns or dtype != np.dtype(_DTYPES[path.name]) or path.stat().st_size != size:
        raise ValueError(f"{path.name}: not as it was written")
    return shape, start


def set_folder(content_id: str, settings: Settings) -> Path:
    """Where a set lies. Raises DataMissing: this is no set's id."""
    if not _ID.fullmatch(content_id):
        raise _missing()
    return _sets(settings) / content_id


def _sets(settings: Settings) -> Path:
    return settings.cache_dir / "sets"


def _missing() -> DataMissing:
    return DataMissing("This set is not on this machine.", "Import it here, or choose another set.")


def damaged_set(folder: Path) -> DataError:
    """The error for a set that is not what its id says."""
    kind = "texts" if (folder / FILES["texts"][0]).exists() else "images"
    return DataError("This set is damaged on disk.", f"Import the same {kind} again under the same name, which replaces it; or remove it.")
