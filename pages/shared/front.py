"""What the page that loads the browser's client is told besides: where the app's pages begin, and what of the client is needed first.

Without the former the client tries every folder of a page's address for the server, and each of those tries is an error in the browser's
console; it takes the address from ``window.__streamlit``. The latter draws a page's sentences: asked for only when the first one comes, it
comes together with the charts' library, and the sentences stand where that has been evaluated, more than a second later.
"""

import re
from pathlib import Path

import streamlit
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages import PAGES

FIRST = ("Html", "purify.es")
"""Parts of the client that draw sentences, by the beginnings of their files' names."""
_HEAD, _HEAD_ENDS = b"<head>", b"</head>"
_PAGES = "|".join(re.escape(page.path) for page in PAGES if page.path)
_SCRIPT = f"""<head><script>
      (() => {{
        const base = location.origin + location.pathname.replace(/({_PAGES})\\/?$/, "");
        window.__streamlit = {{ BACKEND_BASE_URL: base, MAIN_PAGE_BASE_URL: base }};
      }})();
    </script>""".encode()
_FILES = Path(streamlit.__file__).parent / "static" / "static" / "js"
_LOADED = "".join(
    f'<link rel="modulepreload" crossorigin href="./static/js/{found.name}">' for part in FIRST for found in _FILES.glob(f"{part}.*.js")
).encode()


class Front:
    """ASGI middleware: the page that loads the client says what is first, and where the server is, also in a folder of a proxy.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _wants_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def told(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif message["type"] == "http.response.body" and start is not None:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(start, body.replace(_HEAD, _SCRIPT, 1).replace(_HEAD_ENDS, _LOADED + _HEAD_ENDS, 1), send)
            else:
                await send(message)

        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await self._app(scope | {"headers": plain}, receive, told)


async def _send(start: Message, body: bytes, send: Send) -> None:
    others = [(name, value) for name, value in start["headers"] if name.lower() not in (b"content-length", b"etag")]
    await send(start | {"headers": [*others, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def _wants_page(scope: Scope) -> bool:
    return any(b"text/html" in value for name, value in scope["headers"] if name.lower() == b"accept")


def _is_page(message: Message) -> bool:
    return message["status"] == 200 and any(
        value.startswith(b"text/html") for name, value in message["headers"] if name.lower() == b"content-type"
    )
