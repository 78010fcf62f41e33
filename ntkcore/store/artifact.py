"""A published artifact: arrays in tiles, JSON and blobs, every byte of it checksummed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkcore.errors import CorruptArtifact, StoreError
from ntkcore.private import touch_private
from ntkcore.store.files import Damaged, crc32c, guarded, read_checked, read_json
from ntkcore.store.tiles import Layout, Tile, damaged_tiles, read_array, read_tile

MANIFEST = "manifest.json"
USED = "used"
PINNED = "pinned"
SAVED = "saved"


class Artifact:
    """A published artifact, read only; safe to use from several threads.

    Attributes:
        kind, key: its address.
        info: what its publisher said, and ``identity``, ``created`` (UTC, ISO 8601), ``bytes``; ``repaired`` (list of
            sentences) when parts of it were found damaged and computed again.
    """

    def __init__(self, folder: Path, kind: str, key: str) -> None:
        self.folder, self.kind, self.key = folder, kind, key
        with self._corrupt(None):
            manifest = read_json(folder / MANIFEST)
            if manifest["kind"] != kind or manifest["key"] != key:
                raise Damaged(str(folder / MANIFEST))
        self._arrays: dict[str, dict[str, Any]] = manifest["arrays"]
        self._documents: dict[str, str] = manifest["documents"]
        self.info: dict[str, Any] = manifest["info"]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._arrays)

    @property
    def documents(self) -> tuple[str, ...]:
        """Names of the JSON documents and blobs."""
        return tuple(self._documents)

    def layout(self, name: str) -> Layout:
        """Shape, dtype and tiles of an array.

        Raises:
            KeyError: no such array.
        """
        told = self._arrays[name]
        return Layout.of(tuple(told["shape"]), told["dtype"], tuple(told["chunks"]))

    def read(self, name: str) -> NDArray:
        """A whole array, checked against its checksums.

        Raises:
            KeyError: no such array.
            CorruptArtifact: a tile is damaged or missing.
            StoreError: the artifact was removed meanwhile, or the disk refuses.
        """
        layout = self.layout(name)
        with self._corrupt(name):
            self._check_metadata(name)
        try:
            with guarded(self._array(name)):
                return read_array(self._array(name), layout)
        except Damaged as damage:
            self._check_present(damage)
            for tile in damaged_tiles(self._array(name), layout):
                raise self._damage(name, layout.number(tile)) from damage
            raise self._damage(name) from damage

    def read_tile(self, name: str, tile: Tile) -> NDArray:
        """One tile of an array, by its index in the grid of tiles.

        Raises:
            KeyError, IndexError: no such array or tile.
            CorruptArtifact: it is damaged or missing.
        """
        layout = self.layout(name)
        with self._corrupt(name, layout.number(tile) if layout.tile_shape(tile) is not None else None):
            return np.asarray(read_tile(self._array(name), layout, tile))

    def json(self, name: str) -> Any:
        """A JSON document.

        Raises:
            KeyError: no such document.
            CorruptArtifact: it is damaged or missing.
        """
        with self._corrupt(name):
            return read_json(self._document(name, "json"))

    def blob(self, name: str) -> bytes:
        """A blob; raises as :meth:`json`."""
        with self._corrupt(name):
            return read_checked(self._document(name, "blob"))

    def verify(self) -> list[CorruptArtifact]:
        """Read everything and compare every checksum; what is damaged, or ``[]``."""
        found = []
        for name in self._arrays:
            try:
                with self._corrupt(name):
                    self._check_metadata(name)
            except CorruptArtifact as damage:
                found.append(damage)
            layout = self.layout(name)
            found += [self._damage(name, layout.number(tile)) for tile in damaged_tiles(self._array(name), layout)]
        for name, form in self._documents.items():
            try:
                _ = self.json(name) if form == "json" else self.blob(name)
            except CorruptArtifact as damage:
                found.append(damage)
        return found

    def touch(self) -> None:
        """Remember that it was used now; on a disk that refuses, nothing is remembered and nothing else is lost."""
        with suppress(OSError):
            touch_private(self.folder / USED)

    def _array(self, name: str) -> Path:
        return self.folder / "arrays" / name

    def _document(self, name: str, form: str) -> Path:
        if self._documents[name] != form:
            raise KeyError(name)
        return self.folder / "documents" / f"{name}.{form}"

    def _check_metadata(self, name: str) -> None:
        try:
            content = (self._array(name) / "zarr.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Damaged(name) from error
        if crc32c(content) != self._arrays[name]["crc32c"]:
            raise Damaged(name)

    def _damage(self, name: str | None, tile: int | None = None) -> CorruptArtifact:
        return CorruptArtifact(self.key, name, tile, self.kind)

    def _check_present(self, damage: BaseException) -> None:
        if not self.folder.is_dir():
            raise StoreError(f"The stored result {self.key[:12]} was removed while it was read.", "Compute it again.") from damage

    @contextmanager
    def _corrupt(self, name: str | None, tile: int | None = None) -> Iterator[None]:
        """Say what is damaged."""
        try:
            with guarded(self.folder):
                yield
        except Damaged as damage:
            self._check_present(damage)
            raise self._damage(name, tile) from damage
