"""Whose a session of the running server is, and whose the files are that it offers. Streamlit keeps both to itself: a test holds this."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from streamlit import runtime

_KEPT = 10_000  # downloads that are remembered


def claims_of(session: str) -> Mapping[str, Any] | None:
    """What the login of a session's person says; None: there is no such session now."""
    found = _manager().get_active_session_info(session) if runtime.exists() else None
    return None if found is None else dict(found.session._user_info)


def count() -> int:
    """How many pages are open in browsers now."""
    return _manager().num_active_sessions() if runtime.exists() else 0


def sessions_of(file: str) -> frozenset[str]:
    """The sessions that offer a file of Streamlit's media route; its id has no ending."""
    if not runtime.exists():
        return frozenset()
    manager = runtime.get_instance()._media_file_mgr
    with manager._lock:
        offered = {session for session, files in manager._files_by_session_and_coord.items() if file in files.values()}
    with _LOCK:
        return frozenset(offered | _MADE.get(file, set()))


def watch_downloads() -> None:
    """Remember whose the files are that are made when a button is pressed, of which Streamlit keeps only that they are."""
    manager = runtime.get_instance()._media_file_mgr
    make = manager.execute_deferred

    def made(asked: str) -> str:
        session = manager._deferred_callables.get(asked, {}).get("session_id")
        url = make(asked)
        if session:
            with _LOCK:
                _MADE.setdefault(url.rsplit("/", 1)[-1].partition(".")[0], set()).add(session)
                while len(_MADE) > _KEPT:
                    _MADE.popitem(last=False)
        return url

    manager.execute_deferred = made  # type: ignore[method-assign]


_LOCK = threading.Lock()
_MADE: OrderedDict[str, set[str]] = OrderedDict()


def _manager() -> Any:
    return runtime.get_instance()._session_mgr
