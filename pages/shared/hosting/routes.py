"""The three routes. Health and readiness are open, as what stands before a server asks without a login, and name nobody and no place.

The numbers are for who has the token of ``NTK_METRICS_TOKEN``, with or without a login; for everybody else, and where none is set,
there is no such route.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ntkcore.hosting.metrics import MEDIA_TYPE, Metric, Results, measured, written
from ntkcore.hosting.ready import problems
from ntkcore.settings import settings
from pages.shared.gate import sessions
from pages.shared.hosting.counts import TALLY

_FRESH = 2.0  # seconds for which an answer holds, so that nobody keeps the database busy by asking
_UNKEPT = {"Cache-Control": "no-store"}


def routes() -> list[Route]:
    """Routes for whoever keeps the server."""
    return [Route("/healthz", _health), Route("/readyz", _Ready().answer), Route("/metrics", _Metrics().answer)]


async def _health(_: Request) -> Response:
    """The server answers."""
    return JSONResponse({"alive": True}, headers=_UNKEPT)


class _Ready:
    def __init__(self) -> None:
        self._asking, self._asked = asyncio.Lock(), -_FRESH
        self._found: Mapping[str, str] = {}

    async def answer(self, _: Request) -> Response:
        """Each part, ``"ok"`` or what is wrong with it; 503 where something is."""
        async with self._asking:  # one question at a time
            if time.monotonic() - self._asked >= _FRESH:
                self._found, self._asked = await run_in_threadpool(_problems), time.monotonic()
        ready = not any(self._found.values())
        told = {"ready": ready, "parts": {part: said or "ok" for part, said in self._found.items()}}
        return JSONResponse(told, 200 if ready else 503, headers=_UNKEPT)


class _Metrics:
    def __init__(self) -> None:
        self._results, self._asking = Results(), asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """The numbers, for who has the token."""
        token = settings().metrics_token
        given = request.headers.get("authorization", "")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse("There is nothing here.", status_code=404)
        async with self._asking:
            text = await run_in_threadpool(self._written)
        return Response(text, media_type=MEDIA_TYPE, headers=_UNKEPT)

    def _written(self) -> str:
        from ntkcore.analyses.workspace import workspace

        open_pages = Metric("sessions", "Pages that are open in browsers.", "gauge", (("", {}, sessions.count()),))
        return written([*measured(workspace(), self._results), open_pages, *TALLY.metrics()])


def _problems() -> Mapping[str, str]:
    from ntkcore.analyses.workspace import workspace

    return problems(workspace())
