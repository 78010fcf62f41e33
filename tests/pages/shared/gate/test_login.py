"""Logging in at a real OpenID provider, on a running server: over HTTP and a page's websocket, as a browser does it."""

import json
import re
import socket
import time
from urllib.parse import urljoin

import pytest
from caches import begun
from running_app import Server
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from visitor import FOLLOWED, Provider, Visitor, cookie_of

from ntkcore.library import Library
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import local
from ntkcore.library.tokens import Tokens
from ntkcore.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"
DEEP = "/learnability?n=500"
PICTURE = re.compile(r"/thumbnails/[^/\"\\]+/")
PEOPLE = (
    {"sub": "ann", "name": "Ann", "email": "ann@lab.example", "email_verified": True},
    {"sub": "ben", "name": "Ben", "email": "ann@lab.example", "email_verified": False},
)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with two providers, on which Ann is the administrator by the settings."""
    folder = tmp_path_factory.mktemp("people")
    first, second = Provider(_port(), *PEOPLE), Provider(_port())
    found = Server(begun(folder / "cache"), NTK_ADMINISTRATORS='["ann@lab.example"]', NTK_START_WORKER="false")
    wanted = f'redirect_uri = "{found.url}/oauth2callback"\ncookie_secret = "{KEY}"\n'
    client = 'client_id = "atlas"\nclient_secret = "x"\nserver_metadata_url = "{}/.well-known/openid-configuration"\n'
    secrets = folder / "secrets.toml"
    secrets.write_text(f"[auth]\n{wanted}{client.format(first.url)}[auth.other]\n{client.format(second.url)}")
    found.environment["STREAMLIT_SECRETS_FILES"] = str(secrets)
    try:
        yield found.start()
    finally:
        found.stop()
        first.stop()
        second.stop()


@pytest.fixture
def members(server):
    settings = Settings(cache_dir=server.cache)
    library = Library(settings)
    yield Members(library, settings)
    library.close()


@pytest.fixture(scope="module")
def visit(server):
    """Opens browsers, and closes them at the end."""
    opened: list[Visitor] = []

    def begin() -> Visitor:
        opened.append(Visitor(server))
        return opened[-1]

    yield begin
    for one in opened:
        one.http.close()


@pytest.fixture(scope="module")
def ann(visit):
    found = visit()
    answer = found.log_in(DEEP, "ann")
    assert answer.status_code == 302 and answer.headers["location"] == DEEP
    user = cookie_of(answer, "_streamlit_user")
    assert user["httponly"] and user["samesite"].lower() == "lax" and cookie_of(answer, "ntk_after")["max-age"] == "0"
    return found


def test_who_is_not_logged_in_sees_the_door_and_nothing_else(server, visit):
    visitor = visit()
    with visitor.tab(DEEP) as tab:
        tab.run()
        assert set(tab.ids) == {"login_None", "login_other"} and not PICTURE.search(tab.shown) and "n=500" not in tab.shown
    for path in ("/thumbnails/x/1", "/media/x.csv", "/_stcore/metrics", "/nowhere"):
        assert visitor.get(path).status_code == 404
    closed, schema = visitor.get("/api/v1/analyses"), visitor.get("/api/v1/openapi.json")
    assert closed.status_code == 401 and closed.json()["remedy"] and schema.status_code == 200
    assert visitor.http.put(urljoin(server.url, "/_stcore/upload_file/a/b"), content=b"x").status_code == 404
    assert visitor.get(DEEP, **FOLLOWED).status_code == 200  # the page that loads the client: it holds nothing


def test_a_link_is_kept_over_the_login_and_the_settings_name_the_administrator(ann):
    with ann.tab("/") as tab:
        assert "People" in tab.run().pages
    with ann.tab("/people") as tab:
        assert "Last seen" in tab.run().shown


def test_a_role_that_is_given_holds_at_the_next_click_of_a_page_that_is_open(server, visit, ann, members):
    ben = visit()
    ben.log_in("/", "ben")  # whose e-mail address nobody has verified
    with ben.tab("/") as tab:
        tab.run()
        assert "Learnability" in tab.pages and not {"Jobs and cache", "People", "Label", "Your data"} & set(tab.pages)
        person = next(member for member in members.all() if member.name == "Ben")
        assert person.role == "viewer" and person.subject == "ben"
        with ann.tab("/people") as people:
            people.run().run(**{f"role_{person.id}": "analyst"})
        tab.run()
        assert {"Jobs and cache", "Label", "Your data"} <= set(tab.pages) and "People" not in tab.pages
        members.give(person.id, None, local("Ann"))
        assert "Jobs and cache" not in tab.run().pages
    with ben.tab("/people") as tab:  # as a page that there is not
        assert "People" not in tab.run().pages and "Last seen" not in tab.shown


def test_a_picture_is_its_readers_alone(server, visit, ann):
    found = PICTURE.search(_start(ann))
    assert found is not None
    address = f"{found[0]}0"
    assert ann.get(address).status_code == 200
    ben = visit()
    assert ben.get(address).status_code == 404
    ben.log_in("/", "ben")
    assert ben.get(address).status_code == 404
    theirs = PICTURE.search(_start(ben))
    assert theirs is not None and theirs[0] != found[0] and ben.get(f"{theirs[0]}0").status_code == 200
    assert ann.get(address, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert ben.http.put(urljoin(server.url, "/_stcore/upload_file/a/b"), content=b"x").status_code == 404


def _start(visitor: Visitor) -> str:
    with visitor.tab("/") as tab:
        return tab.run().shown


def test_logging_out_ends_every_tab_and_a_copied_cookie_opens_nothing(server, visit):
    cay = visit()
    cay.log_in("/settings", "cay")
    copied = visit()
    copied.http.cookies.update(cay.http.cookies)
    with cay.tab("/") as first, cay.tab("/settings") as second:
        first.run()
        address = f"{PICTURE.search(first.shown)[0]}0"
        assert copied.get(address).status_code == 200
        second.run().press("log_out")
        assert second.redirect.endswith("/auth/logout")
        assert first.ended()
    assert copied.get(address).status_code == 404
    with copied.tab("/") as tab:
        assert "login_None" in tab.run().ids
    assert cay.get("/auth/logout", **FOLLOWED).status_code == 302
    with cay.tab("/") as tab:
        assert "login_None" in tab.run().ids
    assert cay.log_in("/map", "cay").headers["location"] == "/map"


def test_a_login_expires_and_one_that_is_made_up_is_none(server, visit):
    def visiting(key: str = KEY, **claims) -> Visitor:
        now = time.time()
        told = {"iss": "x", "sub": "dan", "iat": now, "is_logged_in": True, "origin": server.url, "provider": "default"} | claims
        value = create_signed_value(key, "_streamlit_user", json.dumps(told)).decode()
        found = visit()
        found.http.cookies.set("_streamlit_user", value)
        return found

    def comes_in(visitor: Visitor) -> bool:
        with visitor.tab("/") as tab:
            return "login_None" not in tab.run().ids

    assert comes_in(visiting())
    assert not comes_in(visiting(iat=time.time() - 8 * 86_400))
    assert not comes_in(visiting("another key, of somebody else's"))
    assert not comes_in(visiting(origin="https://elsewhere.example"))
    assert not comes_in(visiting(sub=None))


def test_the_same_name_at_another_provider_is_somebody_else(server, visit, members):
    other = visit()
    other.log_in("/", "ann", button="login_other")
    with other.tab("/") as tab:
        assert "People" not in tab.run().pages
    assert len([member for member in members.all() if member.subject in ("ann", "ann@lab.example")]) == 2


def test_nothing_of_a_login_is_in_the_log(server):
    log = (server.cache.parent / "server.log").read_text()
    assert KEY not in log and "id_token" not in log and "access_token" not in log and "_streamlit_user" not in log


def test_a_token_reads_on_a_running_server_until_it_is_signed_out(members, visit):
    cleo = members.person(Identity("id-cleo", "cleo", frozenset(), "Cleo", "l-cleo", time.time() - 9))
    said = {"Authorization": f"Bearer {Tokens(members._library, members._settings).make('script', cleo)}"}
    visitor = visit()
    found = visitor.get("/api/v1/analyses", **said)
    assert found.status_code == 200 and found.json()["first"] == 0
    assert visitor.get("/thumbnails/x/1", **said).status_code == 404  # of the API alone
    members.end_all(Identity("id-cleo", "cleo", frozenset(), "Cleo"), cleo)
    assert visitor.get("/api/v1/analyses", **said).status_code == 401
