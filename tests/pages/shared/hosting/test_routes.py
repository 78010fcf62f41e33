"""The three routes: who is told what."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette

from ntkcore.settings import settings
from pages.shared.hosting import routes


@pytest.fixture
def client(cache):
    app = Starlette(routes=routes())

    async def ask(path, headers):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://atlas") as asking:
            return await asking.get(path, headers=headers)

    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        yield SimpleNamespace(get=lambda path, headers=None: other.submit(asyncio.run, ask(path, headers)).result())


def test_a_server_says_that_it_lives(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200 and answer.json() == {"alive": True} and answer.headers["cache-control"] == "no-store"


def test_a_server_without_workers_is_not_ready_and_says_why(client, cache):
    answer = client.get("/readyz")
    assert answer.status_code == 503 and not answer.json()["ready"]
    parts = answer.json()["parts"]
    assert parts["library"] == parts["store"] == parts["jobs"] == "ok" and "No worker" in parts["worker"]
    assert str(cache.cache_dir) not in answer.text


def test_there_are_no_numbers_where_no_token_is_set(client):
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert client.get("/metrics", headers=headers).status_code == 404


def test_the_numbers_are_for_who_has_the_token(client, monkeypatch):
    monkeypatch.setenv("NTK_METRICS_TOKEN", "hush")
    settings.cache_clear()
    for headers in ({}, {"Authorization": "Bearer hus"}, {"Authorization": "hush"}, {"Authorization": "Bearer hush\u00e9".encode()}):
        assert client.get("/metrics", headers=headers).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": "Bearer hush"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "ntk_atlas_sessions 0" in answer.text.splitlines() and "hush" not in answer.text
