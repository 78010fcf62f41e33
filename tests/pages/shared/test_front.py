"""The page that loads the browser's client says where the server is; nothing else is touched."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit

from pages import PAGES
from pages.shared.front import FIRST, Front

PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body></body></html>"


def answered(body=PAGE, kind=b"text/html; charset=utf-8", *, method="GET", accept=b"text/html,*/*", status=200, pieces=1):
    messages, asked = [], []

    async def app(scope, receive, send):
        asked.append(dict(scope["headers"]))
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        step = -(-len(body) // pieces)
        parts = [body[at : at + step] for at in range(0, len(body), step)]
        for at, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": at < len(parts) - 1})

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": method, "path": "/influence", "headers": [(b"accept", accept), (b"accept-encoding", b"gzip")]}
    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        other.submit(asyncio.run, Front(app)(scope, receive, send)).result()
    return dict(messages[0]["headers"]), b"".join(message["body"] for message in messages[1:]), asked[0]


@pytest.mark.parametrize("pieces", [1, 7])
def test_the_page_is_told_where_the_server_is(pieces):
    headers, body, asked = answered(pieces=pieces)
    assert b"BACKEND_BASE_URL" in body and body.endswith(PAGE.split(b"</head>")[1])
    assert headers[b"content-length"] == str(len(body)).encode() and b"etag" not in headers
    assert b"accept-encoding" not in asked  # or it would come packed
    assert all(page.path.encode() in body for page in PAGES)


def test_what_draws_sentences_is_loaded_first():
    _, body, _ = answered()
    found = re.findall(rb'<link rel="modulepreload" crossorigin href="\./static/(js/[^"]+)">', body.split(b"</head>")[0])
    assert len(found) == len(FIRST)
    assert all((Path(streamlit.__file__).parent / "static" / "static" / name.decode()).is_file() for name in found)


@pytest.mark.parametrize("other", [{"kind": b"text/css"}, {"method": "HEAD"}, {"accept": b"image/png"}, {"status": 404}])
def test_all_else_is_as_it_was(other):
    headers, body, _ = answered(**other)
    assert body == PAGE and headers[b"content-length"] == str(len(PAGE)).encode() and headers[b"etag"] == b'"1"'
