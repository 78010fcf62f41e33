"""Uploads while they are in the server's memory: how much of it a session may fill with them, and that those go which no widget holds.

Streamlit keeps what was sent to it until the session ends, also when its widget is gone: after an import, or on another page.
"""

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ntkcore.library import LOCAL, asking
from ntkcore.settings import Settings
from pages.shared.gate import sessions
from pages.shared.media import READER

_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_SESSIONS = 10_000  # that are remembered; of those that have ended nothing is left but this
_GRACE = 60.0  # seconds between a file's end and the run in which its widget has it


@dataclass(slots=True)
class _File:
    size: int
    since: float
    held: bool = False  # by a widget of this run
    was_held: bool = False  # by one of a run before


@dataclass(slots=True)
class _Session:
    files: dict[str, _File] = field(default_factory=dict)
    reader: str = ""  # whose it is, where people are told apart
    refused: bool = False


class Book:
    """Which files of which session are in memory; thread-safe."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, session: str, file: str, size: int, limit: int, reader: str = "") -> bool:
        """Count a file that is about to be sent, unless the session's files would then take more than the limit.

        Where people are told apart, all sessions of its reader that are open count.
        """
        with self._lock:
            found = self._sessions.setdefault(session, _Session())
            self._sessions.move_to_end(session)
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
            found.reader = reader
            others = sum(kept.size for name, kept in found.files.items() if name != file)
            if reader:
                beside = (one for name, one in self._sessions.items() if one.reader == reader and name != session and _is_open(name))
                others += sum(kept.size for one in beside for kept in one.files.values())
            found.refused = others + size > limit
            if not found.refused:
                found.files[file] = _File(size, time.monotonic())
            return not found.refused

    def forget(self, session: str, file: str) -> None:
        """A file is no longer in memory, or never came there."""
        with self._lock:
            found = self._sessions.get(session, _Session())
            if found.files.pop(file, None) is not None:
                found.refused = False

    def refused(self, session: str) -> bool:
        """Whether the last file of a session was refused."""
        with self._lock:
            return self._sessions.get(session, _Session()).refused

    def bytes(self, session: str) -> int:
        """What a session's files take."""
        with self._lock:
            return sum(file.size for file in self._sessions.get(session, _Session()).files.values())

    def begin(self, session: str) -> None:
        """A page begins: no widget of it holds anything yet."""
        with self._lock:
            for file in self._sessions.get(session, _Session()).files.values():
                file.held = False

    def hold(self, session: str, file: str) -> None:
        """A widget of the page holds a file."""
        with self._lock:
            if file in (files := self._sessions.get(session, _Session()).files):
                files[file].held = files[file].was_held = True

    def left(self, session: str) -> list[str]:
        """At a page's end: the files that no widget holds, but for those that have just come."""
        with self._lock:
            files = self._sessions.get(session, _Session()).files
            old = time.monotonic() - _GRACE
            return [name for name, file in files.items() if not file.held and (file.was_held or file.since < old)]


BOOK = Book()
"""Of this server."""


def _is_open(session: str) -> bool:
    return sessions.claims_of(session) is not None


class Uploads:
    """ASGI middleware: a session's uploads are counted, and refused where they would take too much.

    Args:
        app: what answers.
        settings: ``session_upload_bytes`` is the limit.
        book: where they are counted.
    """

    def __init__(self, app: ASGIApp, settings: Settings, book: Book = BOOK) -> None:
        self._app, self._limit, self._book = app, settings.session_upload_bytes, book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        found = _PATH.search(scope.get("path", "")) if scope["type"] == "http" else None
        if found is None or scope["method"] not in ("PUT", "DELETE"):
            await self._app(scope, receive, send)
            return
        session, file = found.groups()
        if scope["method"] == "PUT":
            length = Headers(scope=scope).get("content-length", "")
            if not length.isdecimal():
                await PlainTextResponse("An upload says how long it is.", status_code=411)(scope, receive, send)
                return
            reader = scope.get(READER) or LOCAL
            if not self._book.admit(session, file, int(length), self._limit, "" if reader == LOCAL else reader):
                await PlainTextResponse(too_much(self._limit), status_code=413)(scope, receive, send)
                return
        status = 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            if (status < 300) == (scope["method"] == "DELETE"):
                self._book.forget(session, file)


def too_much(limit: int) -> str:
    """What is wrong where an upload is refused, and what to do."""
    whose = "person" if asking.has_people() else "session"
    return (
        f"The uploads of one {whose} may take {limit / 2**20:,.0f} MB of the server's memory, and with this file they would take more. "
        "Import or remove the files that are chosen, then choose this one again; or reload the page, which lets all of them go. "
        "A file that is larger by itself is imported on the command line."
    )


def begin() -> None:
    """Called before a page."""
    if (context := get_script_run_ctx()) is not None:
        BOOK.begin(context.session_id)


def hold(upload: Any) -> None:
    """Called with what an uploader of the page has."""
    if upload is not None and (context := get_script_run_ctx()) is not None:
        BOOK.hold(context.session_id, upload.file_id)


def let_go() -> None:
    """Called after a page: what no widget of it holds leaves memory."""
    context = get_script_run_ctx()
    if context is None:
        return
    for file in BOOK.left(context.session_id):
        # of the manager that Streamlit's own server has; it is no part of the protocol that others would keep to
        context.uploaded_file_mgr.remove_file(context.session_id, file)
        BOOK.forget(context.session_id, file)


def refused() -> bool:
    """Whether this session's last upload was refused."""
    context = get_script_run_ctx()
    return context is not None and BOOK.refused(context.session_id)
