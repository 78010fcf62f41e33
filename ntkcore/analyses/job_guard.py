"""Who may start and stop jobs: what the roles say of whoever asks."""

from ntkcore.errors import AtlasError
from ntkcore.jobs import Asker
from ntkcore.library import LOCAL, Library, asking, audit
from ntkcore.roles import starting
from ntkcore.settings import Settings


class JobGuard:
    """The job queue's guard (:class:`ntkcore.jobs.turns.Guard`).

    Args:
        settings: how many jobs of one person may wait.
        library: where it is kept that somebody stopped another's job.
    """

    def __init__(self, settings: Settings, library: Library) -> None:
        self._settings, self._library = settings, library

    def start(self, kind: str) -> Asker:
        """Whoever asks, where their role allows to start a job of a kind; the local person has no limit."""
        asks = asking.require(starting(kind))
        return Asker(asks.id, asks.name, 0 if asks.id == LOCAL else self._settings.waiting_jobs)

    def stop(self, owner: Asker | None, title: str) -> None:
        """Only whose job it is stops it, or an administrator, which is kept."""
        asks = asking.require("cancel")
        if owner is not None and owner.person == asks.id:
            return
        if not asks.may("cancel others"):
            whose = f"{owner.name}’s" if owner is not None and owner.name else "somebody else’s"
            raise AtlasError(f"The job {title!r} is {whose}.", "Only they, or an administrator, may stop it.")
        audit.write(self._library, asks, "cancelled", f"{title}, of {owner.name}" if owner is not None else title)
