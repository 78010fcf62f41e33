"""Bring your own images: a zip or folder with one folder per class or with a table, Parquet files, or an npz.

Images that all have one size of at most 64 × 64 are kept as they are. Others are photographs: their originals are kept as they came, or
referred to where they lie on the server, so that each analysis can have them at its own size. Beside them stand small copies for where
no size is asked for: scaled, bilinear and antialiased, so that the short side is the target, and cropped to the central square; the
target is the side asked for, or the median of the short sides, at least 8 and at most 64.

An image that cannot be read is left out and listed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.decode import Head
from ntkcore.data.filenames import shown
from ntkcore.data.import_common import ArrayImages, EncodedImages, Limits, keep_used_classes, skipped_note, too_big, unlabelled_note
from ntkcore.data.merged import encoded_arrays
from ntkcore.data.open_images import opened_images
from ntkcore.data.own_keep import Content, ImportReport, keep_set, name_of, write_array
from ntkcore.data.own_store import counted_parts
from ntkcore.data.own_write import Lost, read_heads, write_arrays, write_images, write_json
from ntkcore.data.selection import UNLABELLED, require_pairs
from ntkcore.errors import DataError
from ntkcore.settings import Settings

Progress = Callable[[int, int], None]

MIN_SIDE, MAX_SIDE = 4, 256
_AUTO = (8, 64)


def import_images(
    path: Path | Sequence[Path],
    settings: Settings,
    *,
    name: str,
    side: int | Literal["auto"] = "auto",
    refer: bool = False,
    more: str | None = None,
    names: Sequence[str] = (),
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ImportReport:
    """Import an image set; the kind of file is told by its first bytes, not by its name.

    Whoever lets strangers name a path checks it with :func:`~ntkcore.data.check_server_path` first.

    Args:
        path: a zip, a Parquet file, an npz, a folder, a table of images in one; or several of them, which become one set.
        settings: where to keep the set, and the limits.
        name: what to call it.
        side: side of the small square images in pixels (4 to 256), or ``"auto"`` for the rule above.
        refer: to the photographs of a folder where they lie, rather than keep their bytes.
        more: id of a set whose images these are added to: together they are a new set, and the old one stays.
        names: of the files, where those of the paths say nothing (uploads).
        progress: called with (steps done, steps in all); may raise Cancelled: the same import then goes on where it was, for a day.
        limits: what the import may cost; from the settings if None.

    Raises:
        DataError: whatever is wrong with the file, by name.
        DataMissing: the set to add to is not here.
        StoreError: the set cannot be written (disk full).
    """
    limits = limits or Limits.of(settings)
    if side != "auto" and not MIN_SIDE <= side <= MAX_SIDE:
        raise DataError(f"The side of {side} pixels is out of range.", f"Choose {MIN_SIDE} to {MAX_SIDE} pixels.")
    name = name_of(name, "My images")
    report = progress or (lambda done, total: None)
    paths = [path] if isinstance(path, Path) else list(path)
    with opened_images(paths, settings, limits, more, names) as images:
        return _keep(images, settings, name, side, report, limits, refer=refer, before=more)


def _keep(
    found: EncodedImages | ArrayImages,
    settings: Settings,
    name: str,
    side: int | Literal["auto"],
    progress: Progress,
    limits: Limits,
    *,
    refer: bool,
    before: str | None,
) -> ImportReport:
    _require_classes(found.labels, found.class_names, ())
    lost, n = Lost(found.ids), len(found.ids)
    total = n if isinstance(found, ArrayImages) else 2 * n
    done = total - n
    every = ""
    if isinstance(found, ArrayImages):
        named = [(found.ids[0], Head(found.shape[2], found.shape[1], len(found.shape) == 3, False, False))]
    else:
        read, every = read_heads(found, lost, limits, lambda count: progress(count, total))
        named = [(name, head) for name, head in zip(found.ids, read, strict=True) if head is not None]
        if not named:
            raise next(iter(lost.why.values()))
    heads = [head for _, head in named]
    target, note = _target(heads, side)
    gray = all(head.gray for head in heads)
    height, width = (target, target) if target else (heads[0].height, heads[0].width)
    small = (height, width) if gray else (height, width, 3)
    if n * height * width * (1 if gray else 3) > limits.stored_bytes:
        raise too_big("The set", limits.stored_bytes)
    images = encoded_arrays(found) if isinstance(found, ArrayImages) else found
    refer = refer and images.root is not None and target is not None

    def tell(count: int) -> None:
        progress(done + count, total)

    def write(folder: Path) -> Content:
        if isinstance(found, ArrayImages) and target is None:
            kept, hashes = list(range(n)), {"images": write_arrays(folder / "images.npy", found, small, tell)}
        else:
            scaled = target is not None
            kept, hashes = write_images(folder, images, lost, limits, gray=gray, shape=small, scaled=scaled, refer=refer, progress=tell)
        skipped = [*images.skipped, *lost.lines()]
        if not kept:
            raise next(iter(lost.why.values()))
        labels, class_names, gone = keep_used_classes(images.labels[kept], images.class_names)
        _require_classes(labels, class_names, skipped if lost.why else ())
        parts = [images.parts[place] for place in kept] if images.parts else []
        columns = {column: [values[place] for place in kept] for column, values in images.columns.items()}
        hashes["labels"] = write_array(folder / "labels.npy", labels.astype("<i8"))
        hashes["ids"] = write_json(folder / "ids.json", [images.ids[place] for place in kept])
        if any(parts):
            hashes["parts"] = write_json(folder / "parts.json", parts)
        if columns:
            hashes["columns"] = write_json(folder / "columns.json", columns)
        notes = [note, *images.notes, *_kept_notes(target is not None, refer, parts, columns), *_notes(named, skipped), *gone]
        shape = (1 if gray else 3, height, width)
        return Content(class_names, labels, shape, skipped, [*notes, *unlabelled_note(labels)], hashes, parts, before)

    identity = [every, found.ids, found.labels.tolist(), found.class_names, target, gray, refer, limits.pixels]
    going_on = hashlib.sha256(json.dumps(identity).encode()).hexdigest() if every and target else ""
    return keep_set(settings, kind="images", name=name, write=write, going_on=going_on)


def _require_classes(labels: NDArray[np.int64], class_names: tuple[str, ...], skipped: Sequence[str]) -> None:
    """Refuse what no network can tell apart: one class, or a class of one image. What is not labelled throughout may still get some."""
    if (labels == UNLABELLED).any():
        return
    left = f" {skipped_note(skipped)}" if skipped else ""
    if len(class_names) < 2:
        raise DataError(
            f"All images are of the one class {shown(class_names[0])}.{left}", "Bring at least two classes: one folder or label for each."
        )
    try:
        require_pairs(labels, class_names, "in this set", "Add images of it, or leave the class out.")
    except DataError as error:
        raise DataError(f"{error.message}{left}", error.remedy) from error


def _target(heads: list[Head], side: int | Literal["auto"]) -> tuple[int | None, str]:
    """The side to scale to, or None to keep the images as they are; and the sentence that says so."""
    sizes = {(head.width, head.height) for head in heads}
    width, height = next(iter(sizes))
    if len(sizes) == 1 and (max(width, height) <= _AUTO[1] if side == "auto" else width == height == side):
        return None, f"All images have {width} × {height} pixels and were kept as they are."
    shorts = [min(size) for size in ((head.width, head.height) for head in heads)]
    target = int(np.clip(round(float(np.median(shorts))), *_AUTO)) if side == "auto" else side
    had = f"{width} × {height}" if len(sizes) == 1 else f"different sizes, the short side from {min(shorts)} to {max(shorts)}"
    return target, (
        f"Images of {had} pixels were scaled so that the short side has {target} and cropped to the central {target} × {target}."
    )


def _kept_notes(scaled: bool, refer: bool, parts: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if scaled:
        where = "stay where they are, and the set refers to them" if refer else "are kept as they came"
        yield f"The originals {where}: each analysis can have them at a size of its own, 32 to 384 pixels."
    if counts := counted_parts(parts):
        listed = ", ".join(f"{part} ({count:,})" for part, count in counts.items())
        yield f"The division into {listed} is kept: an analysis can train on one part and hold out images of the others."
    if columns:
        yield f"Further columns of the table are kept: {', '.join(columns)}."


def _notes(named: list[tuple[str, Head]], skipped: Sequence[str]) -> Iterator[str]:
    heads = [head for _, head in named]
    grays = sum(head.gray for head in heads)
    if 0 < grays < len(heads):
        yield f"Gray ({grays:,}) and colour ({len(heads) - grays:,}) images were mixed: all became RGB."
    if clear := sum(head.alpha for head in heads):
        yield f"{clear:,} images with transparency were put on white."
    if moving := [name for name, head in named if head.frames]:
        yield f"{len(moving):,} images have several frames ({shown(moving[0])} is one): the first was used."
    if skipped:
        yield skipped_note(skipped)
