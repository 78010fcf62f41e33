"""Whatever a person brings: the file's content says whether it is a set of images or of texts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ntkcore.data.own import import_images
from ntkcore.data.own_keep import ImportReport
from ntkcore.data.text import DIMENSIONS, Columns, holds_texts, import_texts
from ntkcore.settings import Settings


@dataclass(frozen=True, slots=True)
class TextWishes:
    """What is to become of texts; the fields are those of :func:`~ntkcore.data.import_texts`."""

    columns: Columns = field(default_factory=Columns)
    vectors: Path | None = None
    dimensions: int = DIMENSIONS


def import_set(
    path: Path,
    settings: Settings,
    *,
    name: str,
    side: int | Literal["auto"] = "auto",
    texts: TextWishes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import images or texts; arguments and errors are those of :func:`~ntkcore.data.import_images` and ``import_texts``."""
    if not holds_texts(path, settings):
        return import_images(path, settings, name=name, side=side, progress=progress)
    wanted = texts or TextWishes()
    return import_texts(
        path, settings, name=name, columns=wanted.columns, vectors=wanted.vectors, dimensions=wanted.dimensions, progress=progress
    )
