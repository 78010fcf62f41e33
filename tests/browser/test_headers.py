"""Headers on whatever the server answers, and its websocket, which only its own pages open."""

import urllib.error
import urllib.request

import pytest

pytestmark = pytest.mark.browser

ASKED = ["/", "/jobs", "/_stcore/health", "/_stcore/host-config", "/favicon.png", "/thumbnails/x/0", "/nothing/at/all"]
OPEN = """url => new Promise(done => {
    const socket = new WebSocket(url, ["streamlit"]);
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
})"""


@pytest.mark.parametrize("path", ASKED)
def test_every_answer_has_the_headers(server, path):
    try:
        answer = urllib.request.urlopen(server.url + path, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"] and answer.headers["Referrer-Policy"]


def test_only_its_own_pages_open_the_websocket(server, page):
    stream = server.url.replace("http", "ws") + "/_stcore/stream"
    page.goto("about:blank")
    assert page.evaluate(OPEN, stream) == "refused"
    page.goto(f"{server.url}/_stcore/health")
    assert page.evaluate(OPEN, stream) == "open"
