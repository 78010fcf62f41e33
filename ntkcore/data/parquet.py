"""Parquet as dataset hubs lay it out: ``image {bytes, path}`` or binary ``image``, and ``label``."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ntkcore.data.binary import damaged
from ntkcore.data.decode import decode, read_head


def names_in(metadata: dict[bytes, bytes] | None, column: str = "label") -> tuple[str, ...] | None:
    """Class names in the ``huggingface`` schema metadata, or None if it has none (or none that can be read)."""
    try:
        names = json.loads((metadata or {})[b"huggingface"])["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(names) if isinstance(names, list) and names and all(isinstance(name, str) for name in names) else None


def label_names(path: Path) -> tuple[str, ...] | None:
    """Class names of a Parquet file, from its footer alone; None if it has none.

    Raises:
        DataError: not a Parquet file, or a damaged one.
    """
    try:
        return names_in(pq.read_schema(path).metadata)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path) from error


def read_labels(path: Path, class_names: tuple[str, ...]) -> NDArray[np.int64]:
    """int64 ``(N,)`` labels of a named set's Parquet file.

    Raises:
        DataError: no integer column ``label``, or labels outside the class names.
    """
    try:
        labels = pq.read_table(path, columns=["label"]).column("label").to_numpy()
    except (pa.ArrowException, OSError, KeyError) as error:
        raise damaged(path) from error
    if labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0 or labels.max() >= len(class_names):
        raise damaged(path)
    return labels.astype(np.int64)


def decode_rows(path: Path, index: NDArray[np.int64], *, pixels: int) -> NDArray[np.uint8]:
    """Images ``(k, h, w)`` or ``(k, h, w, 3)`` of the rows ``index`` of a named set's Parquet file; only these are decoded.

    Raises:
        DataError: a damaged file or image, or images of several sizes.
    """
    try:
        column = pc.take(pq.read_table(path, columns=["image"]).column("image").combine_chunks(), pa.array(index))
        encoded = (pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column).to_pylist()
    except (pa.ArrowException, OSError, KeyError) as error:
        raise damaged(path) from error
    if not all(isinstance(data, bytes) for data in encoded):
        raise damaged(path)
    gray = read_head(encoded[0], f"row {index[0]}", pixels).gray
    images = [decode(data, f"row {row}", pixels, gray=gray) for row, data in zip(index, encoded, strict=True)]
    if len({image.shape for image in images}) > 1:
        raise damaged(path)
    return np.stack(images)
