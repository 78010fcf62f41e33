"""Reading an imported set: its labels and samples, the originals of its photographs, and what came with them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.decoded import kept_decoded
from ntkcore.data.originals import Link, Read, cut_originals, linked, packed
from ntkcore.data.own_store import FILES, damaged_set, describe_set, intact, require_own, set_folder, set_kind
from ntkcore.data.sizing import Sizing
from ntkcore.data.sources import Source
from ntkcore.errors import DataError
from ntkcore.settings import Settings


def open_own(content_id: str, settings: Settings) -> Source:
    """Open an imported set after checking it against its id (remembered until a file changes).

    Raises:
        DataMissing: there is no such set.
        DataError: it is damaged.
    """
    require_own(content_id, settings)
    folder = set_folder(content_id, settings)
    if not intact(content_id, settings):
        raise damaged_set(folder)
    try:
        description = describe_set(folder)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        ids = json.loads((folder / "ids.json").read_bytes())
        kind = set_kind(description)
        samples = np.load(folder / FILES[kind][0], mmap_mode="r", allow_pickle=False)
        original, card = _originals(folder, description)
        parts = tuple(json.loads((folder / "parts.json").read_bytes())) if "parts" in description["hashes"] else None
        ends = np.load(folder / "ends.npy", allow_pickle=False) if kind == "texts" else np.empty(0, np.int64)
        written = np.memmap(folder / "texts.bin", np.uint8, "r") if kind == "texts" else np.empty(0, np.uint8)
    except (OSError, ValueError) as error:
        raise damaged_set(folder) from error

    def read(index: NDArray[np.int64]) -> NDArray[Any]:
        return np.asarray(samples[index])

    def texts(index: NDArray[np.int64]) -> tuple[str, ...]:
        starts = np.concatenate([[0], ends[:-1]])
        return tuple(written[starts[position] : ends[position]].tobytes().decode() for position in index)

    def named(index: NDArray[np.int64]) -> tuple[str, ...]:
        return tuple(ids[position] for position in index)

    def sized(index: NDArray[np.int64], sizing: Sizing) -> NDArray[np.uint8]:
        assert original is not None
        gray = description["shape"][0] == 1

        def decode(some: NDArray[np.int64]) -> NDArray[np.uint8]:
            return cut_originals(original, named(some), some, sizing, gray=gray, pixels=settings.image_pixels)

        shape = (sizing.size, sizing.size) if gray else (sizing.size, sizing.size, 3)
        return kept_decoded(f"{content_id} {sizing}", shape, len(labels), index, decode, settings)

    return Source(
        tuple(description["class_names"]),
        labels,
        read,
        named,
        texts=texts if kind == "texts" else None,
        parts=parts,
        sized=None if original is None else sized,
        original=original,
        card=card,
    )


def own_columns(content_id: str, settings: Settings) -> dict[str, list[Any]]:
    """The further columns of the table that a set came with, a value or None of each image. Raises as :func:`open_own`."""
    folder = set_folder(content_id, settings)
    if not intact(content_id, settings):
        raise damaged_set(folder)
    if "columns" not in describe_set(folder)["hashes"]:
        return {}
    columns: dict[str, list[Any]] = json.loads((folder / "columns.json").read_bytes())
    return columns


def own_links(content_id: str, settings: Settings) -> tuple[Path | None, tuple[str, ...]]:
    """The server folder that a set's originals lie in, and the path of each below it; None and () where the set has them itself."""
    folder = set_folder(content_id, settings)
    if "links" not in describe_set(folder)["hashes"]:
        return None, ()
    told = json.loads((folder / "links.json").read_bytes())
    return Path(told["root"]), tuple(path for path, _, _ in told["files"])


def own_digests(content_id: str, index: NDArray[np.int64], settings: Settings) -> list[str]:
    """SHA-256 (hex) of the originals at these positions of a set, byte for byte as they came when it was imported.

    Raises:
        DataMissing: there is no such set.
        DataError: it is damaged, or keeps no originals.
    """
    folder = set_folder(content_id, settings)
    source = open_own(content_id, settings)
    if source.original is None:
        raise DataError("This set has no originals.", "Import its photographs again.")
    if "links" in describe_set(folder)["hashes"]:  # files that may be gone or changed meanwhile
        files = json.loads((folder / "links.json").read_bytes())["files"]
        return [str(files[position][1]) for position in index]
    return [hashlib.sha256(source.original(int(position))).hexdigest() for position in index]


def _originals(folder: Path, description: Mapping[str, Any]) -> tuple[Read | None, Read | None]:
    """What reads the originals of a set's images, and their thumbnails; None for a set without them."""
    hashes = description["hashes"]
    if "cards" not in hashes:
        return None, None
    card = packed(folder / "cards.bin", np.load(folder / "card_ends.npy", allow_pickle=False))
    if "originals" in hashes:
        return packed(folder / "originals.bin", np.load(folder / "original_ends.npy", allow_pickle=False)), card
    told = json.loads((folder / "links.json").read_bytes())
    return linked(Path(told["root"]), [Link(*link) for link in told["files"]]), card
