"""Bring your own texts: a CSV or Parquet file of texts with labels becomes a set of vectors, with the texts kept to be read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ntkcore.data.file_kinds import START, kind_of, refuse_other
from ntkcore.data.filenames import clean_class_names, shown
from ntkcore.data.image_table import columns_of_images
from ntkcore.data.import_common import Limits, keep_used_classes, skipped_note, unlabelled_note
from ntkcore.data.import_parquet import holds_images
from ntkcore.data.own_keep import Content, ImportReport, keep_set, name_of, write_array, write_bytes
from ntkcore.data.selection import UNLABELLED, require_pairs
from ntkcore.data.text.embed import DIMENSIONS, MOST_DIMENSIONS, Embedded, mean_vectors, tfidf_vectors
from ntkcore.data.text.read_csv import texts_in_csv
from ntkcore.data.text.read_parquet import texts_in_parquet
from ntkcore.data.text.table import TEXT_NAMES, Columns, TextTable, too_large
from ntkcore.errors import DataError
from ntkcore.settings import Settings

Progress = Callable[[int, int], None]

MOST_CLASSES = 1000
_STEPS = 1000  # of progress
_READ, _EMBEDDED = 100, 900  # after reading, after the vectors
_TABLE, _ARCHIVES = b"PAR1", (b"PK\x03\x04", b"PK\x05\x06")


def holds_texts(source: Path | BinaryIO, settings: Settings) -> bool:
    """Whether a file is one of texts, by its content: a Parquet file without a column of images, or one of no other known kind.

    Args:
        source: the file, or an open one, which is left at its beginning.
        settings: with the limits of what is looked at.
    """
    try:
        if isinstance(source, Path):
            columns = () if source.is_dir() else columns_of_images(source)
            if source.is_dir() or (columns and not {name.casefold() for name in columns} & set(TEXT_NAMES)):
                return False
            with source.open("rb") as file:
                return holds_texts(file, settings)
        start = source.read(START)
        if start.startswith(_TABLE):
            return not holds_images(source, Limits.of(settings))
        return bool(start) and not start.startswith(_ARCHIVES) and kind_of(start) is None
    except (OSError, DataError):
        return False  # said by whoever reads it
    finally:
        if not isinstance(source, Path):
            source.seek(0)


def import_texts(
    path: Path,
    settings: Settings,
    *,
    name: str,
    columns: Columns | None = None,
    vectors: Path | None = None,
    dimensions: int = DIMENSIONS,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ImportReport:
    """Import a set of texts. Rows without text, and texts that get no vector, are left out and listed.

    Args:
        path: a CSV or a Parquet file; which one is told by its first bytes.
        settings: where to keep the set, and the limits.
        name: what to call it.
        columns: which columns hold the texts and labels; those of the usual names if None.
        vectors: word vectors in GloVe's text format, whose mean each text becomes; None for TF-IDF and a truncated SVD.
        dimensions: numbers that TF-IDF is reduced to; word vectors have their own.
        progress: called with (steps done, steps in all); may raise Cancelled, which leaves nothing behind.
        limits: what the import may cost; from the settings if None.

    Raises:
        DataError: whatever is wrong with the files, by line or row.
        StoreError: the set cannot be written.
    """
    limits = limits or Limits.of(settings)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise DataError(f"{dimensions:,} dimensions are out of range.", f"Choose 1 to {MOST_DIMENSIONS:,}.")
    tell = progress or (lambda done, total: None)
    table = read_texts(path, columns or Columns(), limits)
    tell(_READ, _STEPS)
    kept = np.array([text != "" for text in table.texts])
    if not kept.any():
        raise DataError("All texts are empty.", "Name the column that holds the texts.")
    rows = np.flatnonzero(kept)
    texts = [table.texts[row] for row in rows]

    def told(share: float) -> None:
        tell(_READ + int((_EMBEDDED - _READ) * min(share, 1.0)), _STEPS)

    made = mean_vectors(texts, vectors, told) if vectors is not None else tfidf_vectors(texts, dimensions, told)
    tell(_EMBEDDED, _STEPS)
    placed = np.asarray(made.vectors.any(axis=1))
    without = dict.fromkeys(rows[~placed].tolist(), made.missing)
    skipped = [f"row/{row}: {without.get(row, 'empty')}" for row in sorted({*np.flatnonzero(~kept).tolist(), *without})]
    report = _keep(table, rows[placed], made, placed, skipped, settings, name_of(name, "My texts"), limits)
    tell(_STEPS, _STEPS)
    return report


def read_texts(path: Path, columns: Columns, limits: Limits) -> TextTable:
    """The texts and labels of a file. Raises :class:`DataError`: whatever is wrong with it, by line or row."""
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise DataError(
            f"The file {shown(path.name)} could not be read: {error.strerror}.", "Check its spelling and permissions."
        ) from error
    if not start:
        raise DataError("The file is empty.", "Upload it again.")
    refuse_other(start)
    table = texts_in_parquet(path, columns, limits) if start.startswith(_TABLE) else texts_in_csv(path, columns, limits)
    classes = len(table.class_names)
    if classes > min(MOST_CLASSES, max(len(table.texts) // 2, 2)):
        raise DataError(
            f"The labels are {classes:,} different ones for {len(table.texts):,} texts: too many for classes.",
            f"Name the column that holds the class; at most {MOST_CLASSES:,} classes with two texts each are possible.",
        )
    return table


def _keep(
    table: TextTable,
    rows: np.ndarray,
    made: Embedded,
    placed: np.ndarray,
    skipped: list[str],
    settings: Settings,
    name: str,
    limits: Limits,
) -> ImportReport:
    if not len(rows):
        raise DataError(f"No text is left: {made.missing}, of every one.", "Use other word vectors, or longer texts.")
    labels, class_names, gone = keep_used_classes(table.labels[rows], table.class_names, "texts")
    whole = (labels != UNLABELLED).all()  # else classes may still be without a text
    if whole and len(class_names) < 2:
        raise DataError(f"All texts are of the one class {shown(class_names[0])}.", "Bring texts of at least two classes.")
    class_names = clean_class_names(class_names)
    if whole:
        require_pairs(labels, class_names, "in this set", "Add texts of it, or leave the class out.", "text")
    values = made.vectors[placed]
    encoded = [table.texts[row].encode() for row in rows]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    if values.nbytes + int(ends[-1]) > limits.stored_bytes:
        raise too_large("The set", limits.stored_bytes)
    ids = json.dumps([f"row/{row}" for row in rows]).encode()

    notes = [*made.notes, *table.notes, *gone, *unlabelled_note(labels, "texts"), *([skipped_note(skipped, "texts")] if skipped else [])]

    def write(folder: Path) -> Content:
        hashes = {
            "vectors": write_array(folder / "vectors.npy", values.astype("<f4")),
            "labels": write_array(folder / "labels.npy", labels.astype("<i8")),
            "ids": write_bytes(folder / "ids.json", ids),
            "texts": write_bytes(folder / "texts.bin", b"".join(encoded)),
            "ends": write_array(folder / "ends.npy", ends.astype("<i8")),
        }
        return Content(class_names, labels, values.shape[1:], skipped, notes, hashes)

    return keep_set(settings, kind="texts", name=name, write=write)
