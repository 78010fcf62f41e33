"""Errors a person can act on: each says what is wrong and what to do about it.

Message and remedy are shown to whoever visits a page, so they name sets and files, never where these lie on the server.
"""

from pathlib import Path


class AtlasError(Exception):
    """Something a user can mend.

    Attributes:
        message: what is wrong, in one sentence.
        remedy: what to do about it, in one sentence.
        place: the file or folder on this machine that it is about; told on the command line alone.
    """

    def __init__(self, message: str, remedy: str = "", *, place: Path | None = None) -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy
        self.place = place


class SpecError(AtlasError):
    """A specification that names something unknown, out of range or contradictory."""


class DataError(AtlasError):
    """Images, labels or files that cannot be used as they are."""


class DataMissing(DataError):
    """A data set or weights file that is not on this machine; it may be downloadable."""


class WeightsMissing(DataMissing):
    """Pretrained weights that are not on this machine.

    Attributes:
        architecture: whose.
    """

    def __init__(self, message: str, remedy: str, architecture: str, *, place: Path | None = None) -> None:
        super().__init__(message, remedy, place=place)
        self.architecture = architecture


class ModelError(AtlasError):
    """A network that does not fit the data or the computation."""


class ComputationError(AtlasError):
    """A computation that ran and could not finish (training diverged, a kernel that is not finite)."""


class StoreError(AtlasError):
    """The store could not read or write (disk full, no permission)."""


class LibraryError(AtlasError):
    """The library of what people decided is damaged, cannot be reached, or was made by a later version."""


class CorruptArtifact(StoreError):
    """A stored tile or manifest whose checksum does not match its content.

    Attributes:
        key: the artifact's key.
        array: the damaged array or document, or None when the manifest itself is damaged.
        tile: number of the damaged tile, counted in C order over the grid of tiles, or None.
        kind: the artifact's kind, where known.
    """

    def __init__(self, key: str, array: str | None = None, tile: int | None = None, kind: str | None = None) -> None:
        where = "manifest" if array is None else f"array {array!r}" + ("" if tile is None else f", tile {tile}")
        super().__init__(f"A stored result is damaged ({where} of {key[:12]}).", "It is recomputed from its specification.")
        self.key = key
        self.array = array
        self.tile = tile
        self.kind = kind


class Cancelled(Exception):
    """Raised inside a computation when its user cancelled it; not an error."""
