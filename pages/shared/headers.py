"""What every answer of the server says to a browser, and which sites' pages may ask it for something."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ntkcore.settings import Settings
from pages.shared.api.errors import refusal

# Streamlit's page has scripts within it and loads components from blobs; plotly's WebGL makes functions from text.
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
_API = "/api/v1/"
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Headers:
    """ASGI middleware: headers on every answer, and nothing for a page of another origin but what following a link asks for.

    Args:
        app: what answers.
        settings: ``embed_from`` says who may show the app in a frame, ``origins`` at which other addresses it is reached.
        local: whether the server listens to this machine alone, where a name that is not this machine's was made to point here.
    """

    def __init__(self, app: ASGIApp, settings: Settings, local: bool) -> None:
        self._app, self._local = app, local
        self._origins = frozenset(_origin(text) for text in settings.origins)
        policy = _POLICY | {"frame-ancestors": " ".join(settings.embed_from) or "'none'"}
        self._headers = {
            b"content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()).encode(),
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def told(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                others = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in self._headers]
                message = message | {"headers": [*others, *self._headers.items()]}
            await send(message)

        if scope["type"] == "websocket" and not self._ours(scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "This page is not the server's own."})
            return
        if scope["type"] == "http" and self._local and _API in scope["path"] and not self._here(scope):
            # a site whose name was made to point to this machine asks as if it were the server's own page
            said = refusal(403, "This server is not reached under this name.", "Name its address in NTK_ORIGINS.")
            await said(scope, receive, told)
            return
        if scope["type"] == "http" and self._refused(scope):
            await PlainTextResponse("This page is not the server's own.", status_code=403)(scope, receive, told)
            return
        await self._app(scope, receive, told)

    def _ours(self, scope: Scope) -> bool:
        """Whether a websocket, or a change, is asked for by a page of this server: its origin is where the request goes."""
        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin = _origin(given.get(b"origin", ""))
        if origin is None or origin in self._origins:
            return origin is not None
        return origin == _origin(f"{origin[0]}://{given.get(b'host', '')}") and (not self._local or is_local(origin[1]))

    def _here(self, scope: Scope) -> bool:
        """Whether a request names this machine, or an address at which the app is known to be reached."""
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")
        asked = [found for scheme in ("http", "https") if (found := _origin(f"{scheme}://{host}")) is not None]
        return any(one in self._origins or is_local(one[1]) for one in asked)

    def _refused(self, scope: Scope) -> bool:
        """Whether a request is another site's doing: all but following a link to a page of ours."""
        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        if not reads and b"origin" in given and not self._ours(scope):
            return True
        if given.get(b"sec-fetch-site", "none") in ("same-origin", "none"):
            return False
        follows = given.get(b"sec-fetch-mode") == "navigate" and reads
        return not follows or scope["path"].endswith("/auth/logout")  # nobody is signed out by somebody else's page


def is_local(address: str | None) -> bool:
    """Whether an address, or name, is of this machine alone."""
    try:
        return address == "localhost" or ip_address(address or "::").is_loopback
    except ValueError:
        return False


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None where it is none."""
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and not parts.username else None
