"""How many requests were answered, how, and in what time; kept in memory from the server's start on."""

import logging
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from threading import Lock

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ntkcore.hosting.metrics import Metric
from pages import PAGES

REQUESTS = "ntk_atlas.requests"
"""Where they are logged, where that is asked for."""
BOUNDS = (0.05, 0.25, 1.0, 5.0, 30.0)
"""Seconds up to which answers are counted together."""
_PAGES = frozenset(page.path for page in PAGES)
_ASKED = frozenset(("healthz", "readyz", "metrics"))
_GROUPS = frozenset(("thumbnails", "originals", "seen", "media", "static", "component", "auth", "_stcore"))


class Tally:
    """The counts of one server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._slots: dict[str, list[int]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, group: str, status: int, seconds: float) -> None:
        """One more request was answered."""
        with self._lock:
            self._answers[group, f"{status // 100}xx"] += 1
            self._slots.setdefault(group, [0] * (len(BOUNDS) + 1))[bisect_left(BOUNDS, seconds)] += 1
            self._seconds[group] += seconds

    def metrics(self) -> list[Metric]:
        """The counts as numbers."""
        with self._lock:
            answers = tuple(("", {"path": group, "status": status}, float(n)) for (group, status), n in sorted(self._answers.items()))
            times: list[tuple[str, dict[str, str], float]] = []
            for group, slots in sorted(self._slots.items()):
                for at, bound in enumerate((*(f"{bound:g}" for bound in BOUNDS), "+Inf")):
                    times.append(("_bucket", {"path": group, "le": bound}, float(sum(slots[: at + 1]))))
                times.append(("_sum", {"path": group}, self._seconds[group]))
                times.append(("_count", {"path": group}, float(sum(slots))))
        return [
            Metric("requests_total", "Requests that were answered, without websockets.", "counter", answers),
            Metric("request_seconds", "Seconds until they were answered wholly.", "histogram", tuple(times)),
        ]


TALLY = Tally()
_LOG = logging.getLogger(REQUESTS)


class Counted:
    """ASGI middleware: counts what is answered, and logs it, where that is asked for.

    Args:
        app: what answers.
        tally: where it is counted.
    """

    def __init__(self, app: ASGIApp, tally: Tally = TALLY) -> None:
        self._app, self._tally = app, tally
        self._base: str = (st.get_option("server.baseUrlPath") or "").strip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500  # that of an answer which never began

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            seconds = time.monotonic() - begun
            self._tally.add(group(scope["path"], self._base), status, seconds)
            if _LOG.isEnabledFor(logging.INFO):
                said = {"method": scope["method"], "path": shown(scope["path"], self._base), "status": status}
                _LOG.info("request", extra={"told": said | {"ms": round(1000 * seconds)}})


def group(path: str, base: str) -> str:
    """What a path is counted as: few names, whatever is asked for."""
    inside = path.lstrip("/").removeprefix(base).strip("/")
    if inside in _PAGES:
        return "page"
    first = inside.partition("/")[0]
    return first.strip("_") if first in _GROUPS else "other"


def shown(path: str, base: str) -> str:
    """A path as it is logged: of what is signed, secret or unknown, only which of our routes it is of."""
    inside = path.lstrip("/").removeprefix(base).strip("/")
    if inside in _PAGES or inside in _ASKED:
        return f"/{inside}"
    first = inside.partition("/")[0]
    return f"/{first}" if first in _GROUPS else "other"
