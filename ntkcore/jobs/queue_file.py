"""The file of a queue on SQLite, and how a damaged one is moved aside.

It holds the list of jobs and nothing else: what they computed is in the store.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ntkcore.private import close_file
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

_LOG = logging.getLogger("ntkcore.jobs")
_BESIDE = ("", "-wal", "-shm")  # endings of the files that are one database


def of(settings: Settings) -> Path | None:
    """The file; None where the queue is in another database."""
    url = sa.make_url(settings.queue_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def close_to_others(settings: Settings) -> None:
    """Make the file, and what is beside it, its owner's alone; what SQLite puts there later has the file's rights."""
    if (path := of(settings)) is not None:
        for ending in _BESIDE:
            close_file(path.with_name(path.name + ending))


def set_aside(path: Path) -> Path:
    """Rename the file so that a new one can be begun; returns its new name.

    Raises:
        StoreError: the folder cannot be written.
    """
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    with guarded(path.parent):
        for ending in reversed(_BESIDE):  # the file itself last: whoever finds none begins a new one
            source = path.with_name(path.name + ending)
            if source.exists():
                source.rename(aside.with_name(aside.name + ending))
    _LOG.warning("%s is damaged and was moved aside as %s: the list of jobs begins anew, and what was computed is kept.", path, aside.name)
    return aside


def found_aside(path: Path) -> tuple[Path, ...]:
    """Files moved aside, the last one first."""
    return tuple(sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"), reverse=True))


def remove(aside: Path) -> None:
    """Delete a file moved aside.

    Raises:
        StoreError: the folder cannot be written.
    """
    with guarded(aside.parent):
        for ending in _BESIDE:
            aside.with_name(aside.name + ending).unlink(missing_ok=True)
