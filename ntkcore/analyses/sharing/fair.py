"""How much of the disk one person may fill: with the results that their saved analyses keep, their imported sets, and uploads."""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ntkcore.data import own_sets
from ntkcore.errors import StoreError
from ntkcore.library import LOCAL, Person, Saved
from ntkcore.library.saved import Key

if TYPE_CHECKING:  # loads what computes, which a worker that only imports does without
    from ntkcore.analyses.workspace import Workspace

_REMEMBERED = 2_000  # jobs among which a person's imports are looked for


def limit_of(person: Person, ws: "Workspace") -> int:
    """Bytes that a person may fill; 0: any number. The local person has no limit."""
    return 0 if person.id == LOCAL else ws.settings.person_disk


def used_by(person: Person, ws: "Workspace", keys: Sequence[Key] = ()) -> int:
    """Bytes that a person fills; with further stored results, each counted once. Raises ``AtlasError`` where it cannot be known."""
    imports = (job for job in ws.jobs.list(_REMEMBERED) if job.kind == "import" and job.owner == person.id)
    theirs = {job.result.get("content_id") for job in imports}
    sets = sum(item.bytes for item in own_sets(ws.settings) if item.content_id in theirs)
    uploads = 0
    for path in (ws.settings.cache_dir / "uploads").glob(f"*-{mark(person)}-*"):
        with contextlib.suppress(FileNotFoundError):  # its import has ended
            uploads += path.stat().st_size
    return Saved(ws.library).bytes_of(person.id, keys) + sets + uploads


def require_room(person: Person, ws: "Workspace", *, keys: Sequence[Key] = (), more: int = 0) -> None:
    """Refuse what would fill more than a person may: stored results that are to be kept, or further bytes.

    Raises:
        StoreError: it would, and says how much there is.
    """
    limit = limit_of(person, ws)
    if not limit:
        return
    used = used_by(person, ws, keys) + more
    if used > limit:
        raise StoreError(
            f"This would make {used / 2**20:,.0f} MiB of yours; one person may fill {limit / 2**20:,.0f} MiB of this server's disk.",
            "Throw away saved analyses, whose results are let go after their days in the trash, or remove a set that you imported.",
        )


def mark(person: Person) -> str:
    """What the name of an upload says of whose it is."""
    return hashlib.sha256(person.id.encode()).hexdigest()[:16]
