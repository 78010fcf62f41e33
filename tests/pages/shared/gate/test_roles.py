"""Every role and every action, from the one table: allowed and refused, at pages, routes, the job queue and the library."""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from ntkcore.analyses import imports
from ntkcore.errors import AtlasError, DataMissing, LibraryError
from ntkcore.jobs import Asker
from ntkcore.library import Content, Labels, Saved, asking, personal
from ntkcore.library.members import Identity, Members
from ntkcore.library.notes import Notes
from ntkcore.library.people import LOCAL, Person
from ntkcore.library.tags import Tags
from ntkcore.library.tokens import Tokens
from ntkcore.roles import ALLOWED, JOB_ACTIONS, ROLES, least, may, starting
from pages import PAGES
from pages.shared.gate import gate as gates
from pages.shared.gate import guard, sessions
from pages.shared.media import READER

CONTENT = Content(page="map", spec={}, view={}, title="One")
OTHER = Asker("other", "Other")


class As:
    """Whoever the test says asks."""

    def __init__(self, role) -> None:
        self.asks = Person(LOCAL, "Ann", role)  # whose row is in the table of people

    def reader(self):
        return self.asks.id

    def person(self):
        return self.asks


@pytest.fixture
def ask_as():
    def begin(role) -> Person:
        asking.ask_by(found := As(role))
        return found.asks

    yield begin
    asking.ask_by(None)


def _submitted(ws, kind):
    return ws.jobs.submit(kind, f"key-{kind}", {}, kind)


def _stop(ws, owner):
    ws.jobs._guard.stop(owner, "A job")


def _give(ws, asks):
    try:
        Members(ws.library, ws.settings).give("nobody", "viewer", asks)
    except LibraryError as error:
        if "no such person" not in error.message:
            raise


def _remove(ws, asks):
    with suppress(DataMissing):  # nobody has it any more
        imports.remove("0" * 64, "x", ws)


def _make_token(ws, asks):
    try:
        Tokens(ws.library, ws.settings).make("script", asks)
    except LibraryError as error:
        if "Without a login" not in error.message:
            raise


def _delete_own(ws, asks):
    try:
        personal.delete(ws.library, asks)
    except LibraryError as error:
        if "Without a login" not in error.message:
            raise


DEEDS: dict[str, Callable] = {
    "note": lambda ws, asks: Notes(ws.library).write("A note", asks, image="ab"),
    "token": _make_token,
    "own data": _delete_own,
    "label": lambda ws, asks: Labels(ws.library).begin("label", "Title", {}, "Ann"),
    "tag": lambda ws, asks: Tags(ws.library).put("odd", ["ab"], asks),
    "train": lambda ws, asks: _submitted(ws, "label-network"),
    "save": lambda ws, asks: Saved(ws.library).save(CONTENT, asks),
    "compute": lambda ws, asks: _submitted(ws, "map"),
    "import": lambda ws, asks: _submitted(ws, "import"),
    "upload": lambda ws, asks: imports.keep_upload(io.BytesIO(b"x"), 1, ws),
    "cancel": lambda ws, asks: _stop(ws, Asker(asks.id, asks.name)),
    "cancel others": lambda ws, asks: _stop(ws, OTHER),
    "remove others' sets": _remove,
    "people": _give,
}
"""What an action does, where the place that does it can be called; those of pages alone are below."""
ON_PAGES = {"open", "export", "forget", "check", "remove set", "start workers", "keep results", "remove results", "tidy"}


def test_the_table_says_of_every_action_who_may():
    assert set(DEEDS) | ON_PAGES == set(ALLOWED) and not set(DEEDS) & ON_PAGES
    for action, allowed in ALLOWED.items():
        assert "administrator" in allowed and least(action) in allowed and not may(None, action)
        assert allowed == set(ROLES[ROLES.index(least(action)) :])  # for now each role may what those before it may


def test_every_kind_of_job_needs_an_action():
    from ntkcore.analyses import catalogue
    from ntkcore.analyses.label import network

    assert {starting(one.kind) for one in catalogue.ANALYSES} == {"compute"} and starting(network.KIND) == "train"
    assert set(JOB_ACTIONS) - {network.KIND} == set(imports.handlers(imports.Settings()))


@pytest.mark.parametrize("action", DEEDS)
@pytest.mark.parametrize("role", [None, *ROLES])
def test_what_is_done(ws, ask_as, role, action):
    asks = ask_as(role)
    if may(role, action):
        DEEDS[action](ws, asks)
    else:
        with pytest.raises(AtlasError, match=r"needs the role|is Other’s|somebody else’s|somebody else's"):
            DEEDS[action](ws, asks)


@pytest.mark.parametrize("role", [None, *ROLES])
def test_which_pages_there_are(ask_as, role):
    asks = ask_as(role)
    assert {page.name for page in guard.pages(asks)} == {page.name for page in PAGES if may(role, page.action)}
    asking.ask_by(None)
    assert {page.name for page in guard.pages(asking.person())} == {page.name for page in PAGES} - {"people"}


ROUTES = {
    "/": None,
    "/influence": None,
    "/static/js/index.js": None,
    "/thumbnails/x/1": "open",
    "/originals/x/1": "open",
    "/seen/x/1": "open",
    "/media/mine.csv": "open",
    "/_stcore/upload_file/mine/f": "upload",
}
FOR_PROGRAMS = ("/api/v1/analyses", "/api/v1/results/7Q2M", "/api/v1/images/7Q2M", "/api/v1/thumbnails/x/1", "/api/v1/nothing")
NEVER = ("/media/others.csv", "/_stcore/upload_file/others/f", "/_stcore/metrics", "/nowhere")


class Everybody:
    """Members of whom a test says the role."""

    def __init__(self, role) -> None:
        self._role = role

    def person(self, found):
        return Person(found.id, found.name, self._role)

    def stands(self, found):
        return True


def _asked(path, settings, role, monkeypatch, *, known=True, how="provider"):
    """Status of a request through the gate, and the reader that what answers is told."""
    me = Identity("ann", "ann", frozenset(), "Ann")
    monkeypatch.setattr(gates, "of_connection", lambda scope, settings: me if known else None)
    monkeypatch.setattr(gates, "identity", lambda claims, settings: Identity(claims["sub"], "", frozenset(), ""))
    monkeypatch.setattr(sessions, "claims_of", lambda session: {"sub": "ann" if session == "mine" else "ben"})
    monkeypatch.setattr(sessions, "sessions_of", lambda file: frozenset((file,)))
    messages, readers = [], []

    async def app(scope, receive, send):
        readers.append(scope[READER])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "scheme": "http"}
    through = gates.Gate(app, settings, how, lambda: Everybody(role), lambda: None)
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, through(scope, None, send)).result()
    return messages[0]["status"], readers


@pytest.mark.parametrize("role", [None, *ROLES])
def test_which_routes_answer(cache, role, monkeypatch):
    for path, action in ROUTES.items():
        status, readers = _asked(path, cache, role, monkeypatch)
        allowed = action is None or may(role, action)
        assert status == (200 if allowed else 404), path
        assert readers == ([] if not allowed else [None if action is None else "ann"])
        assert _asked(path, cache, role, monkeypatch, known=False)[0] == (200 if action is None else 404)
        assert _asked(path, cache, role, monkeypatch, how="none") == (200, [LOCAL])
    for path in FOR_PROGRAMS:  # by the login, as a browser asks
        allowed = may(role, "export")
        assert _asked(path, cache, role, monkeypatch) == ((200, ["ann"]) if allowed else (401, []))
        assert _asked(path, cache, role, monkeypatch, known=False) == (401, [])
        assert _asked(path, cache, role, monkeypatch, how="none") == (200, [LOCAL])
    assert _asked("/api/v1/openapi.json", cache, role, monkeypatch, known=False)[0] == 200
    for path in NEVER:
        assert _asked(path, cache, role, monkeypatch)[0] == 404
