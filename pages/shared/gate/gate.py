"""The gate on the server's side: every request and every message of a page's websocket passes here, before anything answers it."""

from collections.abc import Callable, Iterable

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME

from ntkcore.errors import LibraryError
from ntkcore.library import LOCAL
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person, local
from ntkcore.library.tokens import Tokens
from ntkcore.roles import Action
from ntkcore.settings import Settings
from pages.shared.api.errors import refusal
from pages.shared.gate import after, sessions
from pages.shared.gate.identity import Login, identity, of_connection
from pages.shared.gate.paths import Path, known
from pages.shared.media import PERSON, READER

Headers = Iterable[tuple[bytes, bytes]]


class Gate:
    """ASGI middleware: who is not allowed to have something is told that there is none.

    Args:
        app: what answers.
        settings: say how long a login holds, and under which addresses the app is reached.
        how: how people log in.
        members: whom logins are of; asked only where there is a login.
        tokens: whom tokens are of; as the members.
    """

    def __init__(self, app: ASGIApp, settings: Settings, how: Login, members: Callable[[], Members], tokens: Callable[[], Tokens]) -> None:
        self._app, self._settings, self._how, self._members, self._tokens = app, settings, how, members, tokens
        self._base: str = st.get_option("server.baseUrlPath") or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that there is nothing."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket" and self._how != "none":
            await self._converse(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = self._telling(scope, send)
        if self._how == "none":
            await self._app(scope | {READER: LOCAL, PERSON: local("")}, receive, told)
            return
        path = known(scope["path"], self._base)
        if path is not None and path.api and path.action is not None:
            await self._answer_program(path.action, scope, receive, told)
            return
        reader = await run_in_threadpool(self._allowed, scope, path) if path is not None and path.action is not None else None
        if path is None or (path.action is not None and reader is None):
            await PlainTextResponse("There is nothing here.", status_code=404)(scope, receive, told)
            return
        await self._app(scope | {READER: reader}, receive, told)

    async def _answer_program(self, action: Action, scope: Scope, receive: Receive, told: Send) -> None:
        """The API, to whom a token or a login is of; what answers does not see the token."""
        try:
            person = await run_in_threadpool(self._asks, scope)
        except LibraryError as error:
            await refusal(503, error.message, error.remedy)(scope, receive, told)
            return
        if person is None or not person.may(action):
            said = refusal(
                401, "This needs a token that holds.", "Make one on the page Settings, and send it: Authorization: Bearer TOKEN."
            )
            said.headers["WWW-Authenticate"] = "Bearer"
            await said(scope, receive, told)
            return
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"authorization"]
        await self._app(scope | {"headers": headers, READER: person.id, PERSON: person}, receive, told)

    def _asks(self, scope: Scope) -> Person | None:
        """Whoever asks the API: by the token that they say, or where they say none by their login.

        Raises:
            LibraryError: nobody can be known.
        """
        said = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        if said:
            way, _, token = said[0].decode("latin-1").partition(" ")
            return self._tokens().person(token.strip()) if len(said) == 1 and way.lower() == "bearer" else None
        found = of_connection(scope, self._settings)
        return None if found is None else self._members().person(found)

    def _allowed(self, scope: Scope, path: Path) -> str | None:
        """The id of the person who asks, where they may have it."""
        found = of_connection(scope, self._settings)
        person = self._person(found) if found is not None else None
        if person is None or path.action is None or not person.may(path.action):
            return None
        if path.of:
            asked = frozenset((path.id,)) if path.of == "session" else sessions.sessions_of(path.id)
            if not any(self._is_theirs(person, session) for session in asked):
                return None
        return person.id

    def _is_theirs(self, person: Person, session: str) -> bool:
        claims = sessions.claims_of(session)
        found = identity(claims, self._settings) if claims else None
        return found is not None and found.id == person.id

    def _person(self, found: Identity) -> Person | None:
        try:
            return self._members().person(found)
        except LibraryError:  # whoever cannot be known is nobody
            return None

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page's websocket: its session is the person's whose login holds, else nobody's; and it ends when the login does."""
        found = of_connection(scope, self._settings)
        if found is not None and await run_in_threadpool(self._person, found) is None:
            found = None
        if found is None:
            scope = scope | {"headers": _anonymous(scope["headers"], self._how)}

        async def heard() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or found is None or await run_in_threadpool(self._stands, found):
                return message
            await send({"type": "websocket.close", "code": 1008, "reason": "The login has ended."})
            return {"type": "websocket.disconnect", "code": 1008}

        await self._app(scope, heard, send)

    def _stands(self, found: Identity) -> bool:
        try:
            return self._members().stands(found)
        except LibraryError:
            return False

    def _telling(self, scope: Scope, send: Send) -> Send:
        """What is sent on the way out: cookies that other sites' pages do not get, and where one goes after a login."""
        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, inside = given.get(b"host", ""), scope["path"].removeprefix(f"/{self._base.strip('/')}" if self._base.strip("/") else "")
        secure = scope.get("scheme") == "https" or any(
            address.startswith("https://") and address.partition("://")[2].rstrip("/") == host for address in self._settings.origins
        )

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.lower(), value) for name, value in message.get("headers", ())]
                if inside == "/auth/login" and (value := after.kept(given.get(b"referer", ""), host, self._base, self._settings)):
                    headers.append((b"set-cookie", after.set_cookie(value, self._base)))
                if inside == "/oauth2callback" and message["status"] == 302 and _logs_in(headers):
                    to = after.wanted(given.get(b"cookie", ""), self._base, self._settings)
                    if to is not None:
                        headers = [(name, to.encode("latin-1") if name == b"location" else value) for name, value in headers]
                        headers.append((b"set-cookie", after.set_cookie(None, self._base)))
                message = message | {
                    "headers": [(name, _closed(value, secure) if name == b"set-cookie" else value) for name, value in headers]
                }
            await send(message)

        return told


def _logs_in(headers: Headers) -> bool:
    begins = f"{USER_COOKIE_NAME}=".encode()
    return any(name == b"set-cookie" and value.startswith(begins) and b"max-age=0" not in value.lower() for name, value in headers)


def _closed(cookie: bytes, secure: bool) -> bytes:
    """A cookie that no other site's page has sent along, and that no network hears where the browser speaks TLS."""
    said = cookie.lower()
    return cookie + (b"" if b"samesite=" in said else b"; SameSite=Lax") + (b"; Secure" if secure and b"; secure" not in said else b"")


def _anonymous(headers: Headers, how: Login) -> list[tuple[bytes, bytes]]:
    """A request's headers without those that say who it is of."""
    named = {name.lower().encode() for name in st.get_option("server.trustedUserHeaders")} if how == "proxy" else set()
    kept = []
    for name, value in headers:
        if name.lower() == b"cookie":
            parts = [part for part in value.split(b";") if not part.strip().startswith(_WHO)]
            value = b";".join(parts)
        if name.lower() not in named:
            kept.append((name, value))
    return kept


_WHO = tuple(name.encode() for name in (USER_COOKIE_NAME, TOKENS_COOKIE_NAME))
