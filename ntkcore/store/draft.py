"""A draft: an artifact being computed; what is finished of it survives any interruption."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import CorruptArtifact, StoreError
from ntkcore.private import touch_private
from ntkcore.store.artifact import MANIFEST, USED, Artifact
from ntkcore.store.files import (
    Damaged,
    crc32c,
    guarded,
    make_folder,
    read_checked,
    read_json,
    remove_temporaries,
    sync_folder,
    tree_bytes,
    with_checksum,
    write_durably,
    write_json,
)
from ntkcore.store.tiles import Layout, Tile, damaged_tiles, read_array, read_tile, whole, write_tile

STATE = "draft.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Draft:
    """An artifact being computed, held by one process at a time (:meth:`ntkcore.store.Store.draft`).

    Attributes:
        resumed: whether an earlier attempt left something here.
        repaired: sentences about what was found damaged in its published form.
    """

    def __init__(self, folder: Path, target: Path, kind: str, key: str, identity: dict[str, Any]) -> None:
        """Open or begin the draft in ``folder``; the caller holds its lock.

        Raises:
            StoreError: an earlier attempt under this key has another identity; or the disk refuses.
        """
        self._folder, self._target, self.kind, self.key = folder, target, kind, key
        self._layouts: dict[str, Layout] = {}
        state = read_state(folder)
        if state is None and folder.exists():
            with guarded(folder):
                shutil.rmtree(folder)
        self.resumed = state is not None
        earlier = state["identity"] if state else None
        if earlier is not None and earlier != _plain(identity):
            raise StoreError(
                f"An unfinished result under the key {key[:12]} was begun from {_difference(earlier, _plain(identity))}.",
                "Remove it from what is kept if it is not needed; then compute again.",
                place=folder,
            )
        self._identity = identity
        self.repaired: list[str] = list(state["repaired"]) if state else []
        write_state(folder, identity, self.repaired)
        with guarded(folder):
            remove_temporaries(folder)
            for path in (folder / "documents").glob("*"):
                if (self.get_json if path.suffix == ".json" else self.get_blob)(path.stem) is None:
                    path.unlink()

    def create(self, name: str, shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...]) -> None:
        """Declare an array; one that exists keeps its sound tiles, unless it had another shape, dtype or tile shape.

        Args:
            name: letters, digits, ``_ . -``.
            shape: the array's shape.
            dtype: NumPy dtype of numbers or bool.
            chunks: a tile's shape; tiles at the edges are smaller.

        Raises:
            ValueError: a name, shape or dtype that cannot be stored.
            StoreError: the disk is full or refuses.
        """
        layout = Layout.of(tuple(shape), dtype, tuple(chunks))
        folder = self._array(name)
        metadata = layout.metadata()
        if name in self._layouts and self._layouts[name] == layout:
            return
        stored = folder / "zarr.json"
        if stored.exists() and stored.read_bytes() == metadata:
            with guarded(folder):
                for tile in damaged_tiles(folder, layout, absent=False):
                    layout.file(folder, tile).unlink()
        else:
            with guarded(folder):
                shutil.rmtree(folder, ignore_errors=True)
            write_durably(stored, metadata)
        self._layouts[name] = layout

    def missing(self, name: str) -> list[Tile]:
        """Indices of the tiles not done yet, in C order."""
        layout = self.layout(name)
        return [tile for tile in layout.tiles() if not whole(self._array(name), layout, tile)]

    def write(self, name: str, tile: Tile, block: ArrayLike) -> None:
        """Write one tile; when this returns it is durable and done.

        Args:
            name: an array declared by :meth:`create`.
            tile: the tile's index in the grid of tiles.
            block: its values, of the tile's shape within the array.

        Raises:
            IndexError, ValueError: no such tile, or values of another shape or kind.
            StoreError: the disk is full or refuses; finished tiles stay.
        """
        write_tile(self._array(name), self.layout(name), tile, block)

    def read(self, name: str) -> NDArray:
        """A whole array of which every tile is done.

        Raises:
            ValueError: tiles are missing.
            CorruptArtifact: a tile is damaged.
        """
        if missing := self.missing(name):
            raise ValueError(f"{name}: {len(missing)} tiles are not done yet, the first is {missing[0]}")
        folder, layout = self._array(name), self.layout(name)
        try:
            with guarded(folder):
                return read_array(folder, layout)
        except Damaged as damage:
            broken = damaged_tiles(folder, layout)
            raise CorruptArtifact(self.key, name, layout.number(broken[0]) if broken else None, self.kind) from damage

    def read_tile(self, name: str, tile: Tile) -> NDArray:
        """One finished tile; raises as :meth:`read`."""
        layout = self.layout(name)
        if not whole(self._array(name), layout, tile):
            raise ValueError(f"{name}: tile {tile} is not done yet")
        try:
            with guarded(self._folder):
                return read_tile(self._array(name), layout, tile)
        except Damaged as damage:
            raise CorruptArtifact(self.key, name, layout.number(tile), self.kind) from damage

    def put_json(self, name: str, content: Any) -> None:
        """Write a JSON document, replacing one of that name, all or nothing."""
        write_json(self._document(name, "json"), content)

    def get_json(self, name: str) -> Any | None:
        """A JSON document; None when there is none, or it is damaged (then it is to be made again)."""
        try:
            return read_json(self._document(name, "json"))
        except Damaged:
            return None

    def put_blob(self, name: str, data: bytes) -> None:
        """Write a blob, replacing one of that name, all or nothing."""
        write_durably(self._document(name, "blob"), with_checksum(data))

    def get_blob(self, name: str) -> bytes | None:
        """A blob; None when there is none, or it is damaged (then it is to be made again)."""
        try:
            return read_checked(self._document(name, "blob"))
        except Damaged:
            return None

    def drop(self, name: str) -> None:
        """Remove the array, document and blob of this name, as far as there are any."""
        with guarded(self._folder):
            self._layouts.pop(name, None)
            shutil.rmtree(self._array(name), ignore_errors=True)
            for form in ("json", "blob"):
                self._document(name, form).unlink(missing_ok=True)

    def publish(self, info: dict[str, Any]) -> Artifact:
        """Make the artifact readable, in one step, and close the draft.

        Args:
            info: JSON about it (device, seconds, notes); ``identity``, ``created``, ``bytes`` and ``repaired`` are added.

        Raises:
            ValueError: tiles are missing, or ``info`` is not JSON.
            StoreError: the disk is full or refuses; the draft stays and can be published later.
        """
        arrays = self._described_arrays()
        documents = self._described_documents()
        told = _plain(info) | {
            "identity": _plain(self._identity),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "bytes": tree_bytes(self._folder),
        }
        if self.repaired:
            told["repaired"] = self.repaired
        manifest = {"format": 1, "kind": self.kind, "key": self.key, "arrays": arrays, "documents": documents, "info": told}
        write_json(self._folder / MANIFEST, manifest)
        with guarded(self._target.parent):
            touch_private(self._folder / USED)
            sync_folder(self._folder)
            make_folder(self._target.parent)
            self._folder.rename(self._target)
            sync_folder(self._target.parent)
            sync_folder(self._folder.parent)
        return Artifact(self._target, self.kind, self.key)

    def _described_arrays(self) -> dict[str, Any]:
        folder = self._folder / "arrays"
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
        for name in sorted(found - set(self._layouts)):  # left by an earlier attempt, not part of this one
            shutil.rmtree(folder / name, ignore_errors=True)
        described = {}
        for name, layout in self._layouts.items():
            if missing := self.missing(name):
                raise ValueError(f"{name}: {len(missing)} tiles are not done yet, the first is {missing[0]}")
            checksum = crc32c((folder / name / "zarr.json").read_bytes())
            described[name] = {"shape": layout.shape, "dtype": layout.dtype.str, "chunks": layout.chunks, "crc32c": checksum}
        return described

    def _described_documents(self) -> dict[str, str]:
        folder = self._folder / "documents"
        paths = sorted(folder.iterdir()) if folder.exists() else []
        return {path.stem: path.suffix[1:] for path in paths if not path.name.startswith(".")}

    def layout(self, name: str) -> Layout:
        """Shape, dtype and tiles of an array that was declared.

        Raises:
            ValueError: it was not.
        """
        if name not in self._layouts:
            raise ValueError(f"{name}: no array of this name was created")
        return self._layouts[name]

    def _array(self, name: str) -> Path:
        return self._folder / "arrays" / _checked(name)

    def _document(self, name: str, form: str) -> Path:
        return self._folder / "documents" / f"{_checked(name)}.{form}"


def read_state(folder: Path) -> dict[str, Any] | None:
    """What a draft says it is: identity (None: unknown), repaired; None when nothing usable is there."""
    try:
        state = read_json(folder / STATE)
    except Damaged:
        return None
    return dict(state)


def write_state(folder: Path, identity: dict[str, Any] | None, repaired: list[str]) -> None:
    """Write what a draft is."""
    write_json(folder / STATE, {"identity": identity, "repaired": repaired})


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"name: expected letters, digits, '_', '.' and '-', got {name!r}")
    return name


def _plain(content: Any) -> Any:
    return json.loads(json.dumps(content))


def _difference(earlier: dict[str, Any], now: dict[str, Any]) -> str:
    """The first field in which two identities differ, in words."""
    for field in sorted(set(earlier) | set(now)):
        if earlier.get(field) != now.get(field):
            return f"{field} = {str(earlier.get(field))[:80]}, but now it is {str(now.get(field))[:80]}"
    return "another specification"
