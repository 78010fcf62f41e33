"""Arrays in tiles on disk: Zarr v3, one file a tile, bytes codec (little endian) and crc32c codec.

A tile's file is written here rather than through zarr, whose own write neither syncs the file nor leaves an edge tile
alone (it reads it first, to merge). The format is zarr's: any Zarr v3 reader opens the array.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray
from zarr.codecs import BytesCodec, Crc32cCodec
from zarr.storage import LocalStore

from ntkcore.store.files import Damaged, read_checked, with_checksum, write_durably

Tile = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Shape, dtype and tile shape of a stored array."""

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: str | np.dtype, chunks: tuple[int, ...]) -> "Layout":
        """Check and normalise: little endian, tiles of at least one element along every axis.

        Raises:
            ValueError: a dtype that is not of numbers, negative sizes, or ``chunks`` of another length than ``shape``.
        """
        kind = np.dtype(dtype)
        if kind.kind not in "biufc" or kind.itemsize > (16 if kind.kind == "c" else 8):
            raise ValueError(f"dtype: expected bool, integers, floats or complex numbers, got {kind}")
        if len(chunks) != len(shape):
            raise ValueError(f"chunks: expected {len(shape)} sizes for shape {shape}, got {chunks}")
        if any(size < 0 for size in (*shape, *chunks)):
            raise ValueError(f"shape and chunks: sizes must not be negative, got {shape} and {chunks}")
        return cls(tuple(map(int, shape)), kind.newbyteorder("<"), tuple(max(int(size), 1) for size in chunks))

    @cached_property
    def grid(self) -> tuple[int, ...]:
        """Tiles along each axis."""
        return tuple(math.ceil(size / chunk) for size, chunk in zip(self.shape, self.chunks, strict=True))

    @cached_property
    def tile_bytes(self) -> int:
        """Bytes of one tile's file; edge tiles are padded to full size."""
        return math.prod(self.chunks) * self.dtype.itemsize + 4

    def tiles(self) -> list[Tile]:
        """Index of every tile, in C order."""
        return list(product(*map(range, self.grid)))

    def tile_shape(self, tile: Tile) -> tuple[int, ...]:
        """Shape of the part of ``tile`` that lies in the array.

        Raises:
            IndexError: there is no such tile.
        """
        if len(tile) != len(self.grid) or any(not 0 <= at < count for at, count in zip(tile, self.grid, strict=True)):
            raise IndexError(f"tile: expected an index into the grid {self.grid}, got {tile}")
        return tuple(min(chunk, size - at * chunk) for at, chunk, size in zip(tile, self.chunks, self.shape, strict=True))

    def number(self, tile: Tile) -> int:
        """Number of a tile, counted in C order."""
        return int(np.ravel_multi_index(tile, self.grid)) if tile else 0

    def file(self, folder: Path, tile: Tile) -> Path:
        """The tile's file under the array's folder."""
        return folder.joinpath("c", *map(str, tile))

    def metadata(self) -> bytes:
        """Content of ``zarr.json``."""
        memory: dict = {}
        zarr.create_array(
            memory,
            shape=self.shape,
            dtype=self.dtype,
            chunks=self.chunks,
            serializer=BytesCodec(),
            compressors=(Crc32cCodec(),),
            filters=None,
            fill_value=0,
        )
        return bytes(memory["zarr.json"].to_bytes())


def write_tile(folder: Path, layout: Layout, tile: Tile, block: ArrayLike) -> None:
    """Write one tile durably; its file appears whole or not at all, and its presence is the mark that it is done.

    Raises:
        ValueError: ``block`` has another shape than the tile, or values its dtype cannot hold safely.
        StoreError: the disk is full or refuses.
    """
    values = np.asarray(block)
    expected = layout.tile_shape(tile)
    if values.shape != expected:
        raise ValueError(f"block: tile {tile} has shape {expected}, got {values.shape}")
    if not np.can_cast(values.dtype, layout.dtype, "same_kind"):
        raise ValueError(f"block: {values.dtype} values do not fit into an array of {layout.dtype}")
    padded = np.zeros(layout.chunks, layout.dtype)
    padded[tuple(slice(size) for size in expected)] = values
    write_durably(layout.file(folder, tile), with_checksum(padded.tobytes()))


def read_tile(folder: Path, layout: Layout, tile: Tile) -> NDArray:
    """One tile, shape ``layout.tile_shape(tile)``.

    Raises:
        Damaged: missing, truncated or changed.
    """
    expected = layout.tile_shape(tile)
    data = read_checked(layout.file(folder, tile))
    if len(data) != layout.tile_bytes - 4:
        raise Damaged(str(layout.file(folder, tile)))
    padded = np.frombuffer(data, layout.dtype).reshape(layout.chunks)
    return np.array(padded[tuple(slice(size) for size in expected)], dtype=layout.dtype.newbyteorder("="), order="C")


def read_array(folder: Path, layout: Layout) -> NDArray:
    """The whole array, through zarr, which checks every tile's checksum.

    Raises:
        Damaged: a tile is missing, truncated or changed.
    """
    # zarr takes a missing tile for one full of zeros, so their presence is checked here.
    for tile in layout.tiles():
        if not whole(folder, layout, tile):
            raise Damaged(str(layout.file(folder, tile)))
    try:
        values = zarr.open_array(LocalStore(folder, read_only=True), mode="r")[...]
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise Damaged(str(folder)) from error
    return np.asarray(values, dtype=layout.dtype.newbyteorder("="))


def whole(folder: Path, layout: Layout, tile: Tile) -> bool:
    """Whether the tile's file is there in full size; its content is not read."""
    try:
        return layout.file(folder, tile).stat().st_size == layout.tile_bytes
    except (FileNotFoundError, NotADirectoryError):
        return False


def damaged_tiles(folder: Path, layout: Layout, *, absent: bool = True) -> list[Tile]:
    """Tiles whose content does not match their checksum, every file read.

    Args:
        folder: the array's folder.
        layout: its layout.
        absent: whether a tile without a file is damage; else it is passed over.
    """
    found = []
    for tile in layout.tiles():
        path = layout.file(folder, tile)
        if not absent and not path.exists():
            continue
        try:
            sound = len(read_checked(path)) == layout.tile_bytes - 4
        except Damaged:
            sound = False
        if not sound:
            found.append(tile)
    return found
