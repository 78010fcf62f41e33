"""Whether a server can serve: each of its parts is asked for something small."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ntkcore.errors import AtlasError, StoreError
from ntkcore.jobs import QUEUES
from ntkcore.private import make_private, touch_private
from ntkcore.store.files import guarded

if TYPE_CHECKING:  # loads torch, without which the server is up sooner
    from ntkcore.analyses.workspace import Workspace

_PROBE = "probe"  # in the cache: a file that is written to see whether files can be
_LEAST = 1 << 20  # bytes of disk below which nothing can be kept


def problems(ws: "Workspace") -> Mapping[str, str]:
    """The parts of a server, ``library``, ``store``, ``jobs`` and ``worker``, and what is wrong with each; "" for one that answers."""
    return {name: _said(ask, ws) for name, ask in (("library", _library), ("store", _store), ("jobs", _jobs), ("worker", _worker))}


def _said(ask: "Callable[[Workspace], None]", ws: "Workspace") -> str:
    try:
        ask(ws)
    except AtlasError as error:
        return error.message
    return ""


def _library(ws: "Workspace") -> None:
    problem = ws.library.problem()
    if problem is not None:
        raise problem


def _store(ws: "Workspace") -> None:
    with guarded(ws.store.root):
        make_private(ws.store.root)
        touch_private(ws.store.root / _PROBE)
    if ws.store.room() < _LEAST:
        raise StoreError("The disk is full.")


def _jobs(ws: "Workspace") -> None:
    ws.jobs.counts()


def _worker(ws: "Workspace") -> None:
    served = {worker.lane for worker in ws.jobs.workers() if worker.alive}
    if missing := [lane for lane in QUEUES if lane not in served]:
        raise AtlasError(f"No worker lives that takes {' and '.join(f'{lane} jobs' for lane in missing)}.")
