"""Headers on every answer, and no websocket for another origin's page."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ntkcore.settings import Settings
from pages.shared.headers import Headers, is_local


def sent(scope, *, local=True, **chosen):
    """What the middleware sends around an application that accepts and answers everything."""
    messages = []

    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            headers = [(b"x-content-type-options", b"odd"), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"x"})

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        messages.append(message)

    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        other.submit(asyncio.run, Headers(app, Settings(**chosen), local=local)(scope, receive, send)).result()
    return messages


def answered(**chosen):
    start = sent({"type": "http", "method": "GET", "path": "/", "headers": []}, **chosen)[0]
    names = [name for name, _ in start["headers"]]
    assert len(set(names)) == len(names)
    return {name.decode(): value.decode() for name, value in start["headers"]}


def opens(origin, host, *, local=True, **chosen):
    headers = [(b"host", host.encode())] + ([(b"Origin", origin.encode())] if origin is not None else [])
    (message,) = sent({"type": "websocket", "path": "/_stcore/stream", "headers": headers}, local=local, **chosen)
    return message["type"] == "websocket.accept"


def test_headers_on_every_answer():
    found = answered()
    assert found["x-content-type-options"] == "nosniff" and found["referrer-policy"] == "same-origin"
    assert found["content-type"] == "text/plain"
    policy = dict(part.split(" ", 1) for part in found["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'" and policy["default-src"] == "'self'"
    assert not any("http" in value or "*" in value for value in policy.values())


def test_who_may_embed():
    policy = answered(embed_from=("https://a.example", "'self'"))["content-security-policy"]
    assert policy.endswith("frame-ancestors https://a.example 'self'")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501"),
        ("http://localhost:8501", "localhost:8501"),
        ("http://[::1]:8501", "[::1]:8501"),
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost"),
    ],
)
def test_its_own_pages_open_the_websocket(origin, host):
    assert opens(origin, host) and opens(origin, host, local=False)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "localhost:8501"),
        ("", "localhost:8501"),
        ("null", "localhost:8501"),
        ("http://localhost:9000", "localhost:8501"),  # another server of the same machine
        ("http://127.0.0.1:8501", "localhost:8501"),
        ("https://evil.example", "localhost:8501"),
        ("http://localhost:8501.evil.example", "localhost:8501"),
        ("http://localhost:8501@evil.example", "localhost:8501"),
        ("http://evil.example:8501", "evil.example:8501"),  # a name of another's that was made to point to this machine
        ("file://", "localhost:8501"),
        ("http://localhost:99999999", "localhost:8501"),
    ],
)
def test_others_do_not(origin, host):
    assert not opens(origin, host)


def test_a_server_for_others_and_one_behind_a_proxy():
    assert opens("http://lab.example:8501", "lab.example:8501", local=False)
    assert not opens("http://evil.example", "lab.example:8501", local=False)
    assert opens("https://atlas.example", "127.0.0.1:8501", origins=("https://atlas.example",))
    assert opens("https://atlas.example", "atlas.example", origins=("https://atlas.example",))
    assert not opens("http://atlas.example", "127.0.0.1:8501", origins=("https://atlas.example",))


def test_addresses_of_this_machine():
    assert all(map(is_local, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_local, (None, "", "0.0.0.0", "::", "192.168.1.2", "lab.example")))


def status(method="GET", path="/thumbnails/x/1", **headers):
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost:8501", **headers}.items()]
    return sent({"type": "http", "method": method, "path": path, "headers": told})[0]["status"]


def test_another_sites_page_gets_nothing_but_what_following_a_link_asks_for():
    assert status() == status(sec_fetch_site="same-origin") == status(sec_fetch_site="none") == 200
    assert status(sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200
    for site in ("cross-site", "same-site"):  # another server of the same machine is of the same site
        assert status(sec_fetch_site=site, sec_fetch_mode="no-cors") == status(sec_fetch_site=site, sec_fetch_mode="cors") == 403
    assert status("POST", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403
    assert status(path="/auth/logout", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403
    assert status("PUT", origin="http://localhost:8501") == 200 and status("PUT", origin="http://localhost:9000") == 403
    assert status("PUT", origin="null") == 403


def test_a_name_that_was_made_to_point_here_reads_nothing_by_the_api():
    assert status(path="/api/v1/analyses") == 200
    assert status(path="/api/v1/analyses", host="evil.example:8501") == status(path="/api/v1/analyses", host="") == 403
