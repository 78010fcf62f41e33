"""Whatever a person brings: the file's content says whether it is a set of images or of texts."""

from collections.abc import Callable, Sequence
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


def is_of_texts(paths: Sequence[Path], settings: Settings, more: str | None = None) -> bool:
    """Whether what is brought is a set of texts: a single file of them, that is added to no set."""
    return len(paths) == 1 and more is None and holds_texts(paths[0], settings)


def import_set(
    path: Path | Sequence[Path],
    settings: Settings,
    *,
    name: str,
    side: int | Literal["auto"] = "auto",
    refer: bool = False,
    more: str | None = None,
    names: Sequence[str] = (),
    texts: TextWishes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import images or texts; arguments and errors are those of :func:`~ntkcore.data.import_images` and ``import_texts``."""
    paths = [path] if isinstance(path, Path) else list(path)
    if not is_of_texts(paths, settings, more):
        return import_images(paths, settings, name=name, side=side, refer=refer, more=more, names=names, progress=progress)
    wanted = texts or TextWishes()
    return import_texts(
        paths[0], settings, name=name, columns=wanted.columns, vectors=wanted.vectors, dimensions=wanted.dimensions, progress=progress
    )
