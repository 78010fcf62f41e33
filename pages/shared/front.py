"""Where the app's pages begin, told to the browser's client, which would otherwise try every folder of a page's address for the server.

Each of those tries is an error in the browser's console. The client takes the address from ``window.__streamlit``.
"""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages import PAGES

_HEAD = b"<head>"
_PAGES = "|".join(re.escape(page.path) for page in PAGES if page.path)
_SCRIPT = f"""<head><script>
      (() => {{
        const base = location.origin + location.pathname.replace(/({_PAGES})\\/?$/, "");
        window.__streamlit = {{ BACKEND_BASE_URL: base, MAIN_PAGE_BASE_URL: base }};
      }})();
    </script>""".encode()


class Front:
    """ASGI middleware: the page that loads the client says where the server is; also behind a proxy that shows the app in a folder.

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
                    await _send(start, body.replace(_HEAD, _SCRIPT, 1), send)
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
