"""Uploads in the server's memory: counted for each session, refused above its limit, and let go when no widget holds them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ntkcore.settings import Settings
from pages.shared import uploads
from pages.shared.uploads import Book, Uploads

LIMIT = 1000


def asked(book, method, file, size=None, *, session="s", status=204, path="/_stcore/upload_file"):
    """Status and text of what the middleware answers around a server that answers with ``status``."""
    messages = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"server"})

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        messages.append(message)

    headers = [] if size is None else [(b"content-length", str(size).encode())]
    scope = {"type": "http", "method": method, "path": f"{path}/{session}/{file}", "headers": headers}
    counted = Uploads(app, Settings(session_uploads=LIMIT), book)
    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        other.submit(asyncio.run, counted(scope, receive, send)).result()
    return messages[0]["status"], messages[1]["body"].decode()


def test_a_session_fills_no_more_than_its_limit():
    book = Book()
    assert asked(book, "PUT", "one", 600)[0] == 204
    refused, said = asked(book, "PUT", "two", 401)
    assert refused == 413 and "reload the page" in said and book.refused("s")
    assert asked(book, "PUT", "two", 400)[0] == 204 and not book.refused("s")
    assert asked(book, "PUT", "one", 600)[0] == 204  # the same file again
    assert asked(book, "PUT", "one", 1000, session="other")[0] == 204
    assert (book.bytes("s"), book.bytes("other"), book.bytes("third")) == (1000, 1000, 0)


def test_all_open_sessions_of_one_person_count_together(monkeypatch):
    book = Book()
    monkeypatch.setattr(uploads, "_is_open", lambda session: session != "closed")
    assert book.admit("closed", "one", 900, LIMIT, "ann") and book.admit("first", "one", 600, LIMIT, "ann")
    assert not book.admit("second", "two", 500, LIMIT, "ann") and book.admit("second", "two", 400, LIMIT, "ann")
    assert book.admit("third", "one", 1000, LIMIT, "ben")


def test_what_was_removed_or_did_not_arrive_does_not_count():
    book = Book()
    assert asked(book, "PUT", "one", 1000, status=403)[0] == 403
    assert book.bytes("s") == 0
    asked(book, "PUT", "one", 1000)
    assert asked(book, "DELETE", "one", status=403)[0] == 403
    assert book.bytes("s") == 1000
    asked(book, "PUT", "two", 1)
    assert book.refused("s")
    asked(book, "DELETE", "one")
    assert book.bytes("s") == 0 and not book.refused("s")


@pytest.mark.parametrize("path", ["/_stcore/upload_file", "/base/_stcore/upload_file"])
def test_one_that_does_not_say_its_length_is_not_taken(path):
    book = Book()
    assert asked(book, "PUT", "one", path=path)[0] == 411
    assert asked(book, "PUT", "one", size="-5", path=path)[0] == 411
    assert asked(book, "OPTIONS", "one", path=path) == (204, "server")
    assert asked(book, "GET", "one", path="/thumbnails") == (204, "server")


def test_what_no_widget_holds_is_let_go(monkeypatch):
    book = Book()
    for file in ("form", "new"):
        asked(book, "PUT", file, 10)
    book.begin("s")
    book.hold("s", "form")
    assert book.left("s") == []  # one is held, the other has just come
    book.begin("s")  # another page, or the next import
    assert book.left("s") == ["form"]
    monkeypatch.setattr(uploads, "_GRACE", -1.0)
    assert book.left("s") == ["form", "new"]
    assert book.left("other") == []


def test_sessions_of_long_ago_are_forgotten(monkeypatch):
    monkeypatch.setattr(uploads, "_SESSIONS", 2)
    book = Book()
    for session in "abc":
        asked(book, "PUT", "one", 10, session=session)
    assert [book.bytes(session) for session in "abc"] == [0, 10, 10]
