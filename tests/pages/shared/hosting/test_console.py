"""A running server, with a login by a proxy's headers and a later program's library: what it tells without a login, and what it logs."""

import json
import time
import urllib.error
import urllib.request

import pytest
import sqlalchemy as sa
from caches import begun
from running_app import PATIENT, Server

from ntkcore.library import Library
from ntkcore.settings import Settings

TOKEN, KEY, SIGNED = "scrape-me-not", "sign-me-not-0123456789", "signed-me-not"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """As it starts on a machine: one process of its own, without workers."""
    cache = begun(tmp_path_factory.mktemp("log") / "cache")
    library = Library(Settings(cache_dir=cache))
    with library.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    library.close()
    found = Server(
        cache,
        NTK_START_WORKER="false",
        NTK_METRICS_TOKEN=TOKEN,
        NTK_SECRET=KEY,
        NTK_LOG_FORMAT="json",
        NTK_LOG_REQUESTS="true",
        STREAMLIT_SERVER_TRUSTED_USER_HEADERS='{"X-Forwarded-User": "sub"}',
    )
    try:
        yield found.start()
    finally:
        found.stop()


def asked(server, path, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(server.url + path, headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_whoever_has_no_login_is_told_what_machines_ask(server):
    assert asked(server, "/healthz") == (200, '{"alive":true}')
    status, text = asked(server, "/readyz")
    assert status == 503 and "a later version" in json.loads(text)["parts"]["library"] and str(server.cache) not in text
    assert asked(server, "/metrics")[0] == 404
    status, text = asked(server, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200 and 'ntk_atlas_requests_total{path="other",status="5xx"}' in text


def test_requests_are_logged_without_what_is_secret_in_them(server):
    asked(server, f"/thumbnails/{SIGNED}/3?token={SIGNED}")
    asked(server, f"/{SIGNED}")
    asked(server, f"/influence?code={SIGNED}", Accept="text/html", Authorization=f"Bearer {TOKEN}", Cookie=f"x={SIGNED}")
    for _ in range(2):  # an answer is logged when it was sent: the first before the second
        asked(server, "/healthz")
    text = (server.cache.parent / "server.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["logger"] == "ntk_atlas.requests"]
    seen = {(line["method"], line["path"], line["status"]) for line in requests}
    assert {("GET", "/thumbnails", 404), ("GET", "other", 404), ("GET", "/influence", 200), ("GET", "/healthz", 200)} <= seen
    assert all(secret not in text for secret in (TOKEN, KEY, SIGNED))


def test_an_older_program_says_at_its_start_that_the_library_is_a_later_one_s(server):
    said, until = (
        "The library was made by a later version of this program. Start that version; nothing was written.",
        time.monotonic() + PATIENT / 1000,
    )
    while said not in (text := (server.cache.parent / "server.log").read_text()):
        assert time.monotonic() < until, text
        time.sleep(0.1)
