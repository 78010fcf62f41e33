"""The API over HTTP, without a server: what it answers, to whom, and what it refuses; all of it JSON."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import visiting
from recording import Recording
from small_analyses import SMALL
from starlette.applications import Starlette

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.sharing import saving
from ntkcore.library import audit
from ntkcore.library.members import Identity, Members
from ntkcore.library.notes import Notes
from ntkcore.library.people import Person, local
from ntkcore.permalink import ADDRESSES
from pages.shared import api
from pages.shared.media import PERSON, READER

SPEC, _ = ADDRESSES["learnability"].read(SMALL["learnability"])
VIEW = ADDRESSES["learnability"].view(basket=(5, 7))
ANN, BEN = Person("ann", "Ann", "analyst"), Person("ben", "Ben", "viewer")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A server on which Ann saved one analysis for the team and one for herself; tests only read it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("api")) as ws:
        LEARNABILITY.compute(SPEC, ws, Recording())
        for name in ("ann", "ben"):
            Members(ws.library, ws.settings).person(Identity(name, f"{name}@lab", frozenset((name,)), name.title(), name, time.time()))
        team = saving.save("learnability", SPEC, VIEW, ANN, ws, title="Easy ones").version
        own = saving.save("learnability", SPEC, VIEW, ANN, ws, title="Mine alone", visibility="private").version
        Notes(ws.library).write("a note", ANN, analysis=team.analysis)
        yield SimpleNamespace(ws=ws, team=team, own=own)
        ws.library.close()


def get(path, person=BEN, *, method="GET", **asked):
    """Status and JSON (or the bytes of a picture) of one request by a person whom the gate knows."""
    found = {"status": 0, "body": b"", "headers": {}}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            found.update(status=message["status"], headers={name.decode(): value.decode() for name, value in message["headers"]})
        found["body"] += message.get("body", b"")

    query = urlencode(asked, doseq=True).encode()
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query, "headers": []}
    scope |= {READER: person.id, PERSON: person, "http_version": "1.1", "root_path": "", "scheme": "http"}
    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        other.submit(asyncio.run, Starlette(routes=api.routes())(scope, receive, send)).result()
    if found["headers"].get("content-type") == "application/json":
        return found["status"], json.loads(found["body"])
    return found["status"], found["body"]


def test_the_list_is_of_what_one_may_see(kept):
    status, told = get("/api/v1/analyses")
    assert status == 200 and told["count"] == 1 and told["analyses"][0]["title"] == "Easy ones"
    assert told["analyses"][0]["notes"] == 1 and told["analyses"][0]["address"] == f"/open?a={kept.team.reference}"
    assert get("/api/v1/analyses", ANN, scope="mine")[1]["count"] == 2
    assert get("/api/v1/analyses", search="nothing has this")[1] == {"count": 0, "first": 0, "analyses": []}
    assert get("/api/v1/analyses", analysis=["map", "influence"])[1]["count"] == 0


def test_one_analysis_with_what_it_is_of(kept):
    status, told = get(f"/api/v1/analyses/{kept.team.analysis.lower()}")
    assert status == 200 and told["spec"] == SPEC.model_dump(mode="json") | told["spec"] and told["view"]["basket"] == [5, 7]
    assert {(found["kind"], found["key"]) for found in told["results"]} == set(LEARNABILITY.artifacts(SPEC, kept.ws))


@pytest.mark.parametrize("route", ["analyses", "results", "images"])
def test_anothers_private_one_is_as_if_there_were_none(kept, route):
    assert get(f"/api/v1/{route}/{kept.own.reference}", ANN)[0] == 200
    there, nowhere = get(f"/api/v1/{route}/{kept.own.reference}"), get(f"/api/v1/{route}/2222")
    assert there == nowhere and there[0] == 404


def test_a_result_by_its_code_and_by_its_key(kept):
    status, told = get(f"/api/v1/results/{kept.team.analysis}", count=3)
    result, table = LEARNABILITY.open(SPEC, kept.ws), LEARNABILITY.table(LEARNABILITY.open(SPEC, kept.ws), VIEW, kept.ws)
    assert status == 200 and told["answer"] == list(LEARNABILITY.answer(result, VIEW, kept.ws))
    assert told["columns"] == list(table.columns) and told["count"] == len(table) and len(told["rows"]) == 3
    assert told["rows"][0]["image"] == int(table["image"].iloc[0])
    by_key = get(f"/api/v1/results/{told['key']}", first=1, count=2)[1]
    assert by_key["rows"][0]["image"] == int(table["image"].iloc[1]) and by_key["reference"] is None
    assert get(f"/api/v1/results/{'0' * 64}")[0] == 404


def test_images_have_addresses_that_are_the_askers_alone(kept):
    status, told = get(f"/api/v1/images/{kept.team.analysis}", count=2)
    assert status == 200 and told["count"] == SPEC.dataset.n and len(told["images"]) == 2
    address = told["images"][0]["thumbnail"]
    assert get(address)[0] == 200 and get(address)[1][:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    assert get(address, ANN)[0] == 404
    assert get("/api/v1/thumbnails/x/1")[0] == 404


def test_what_was_taken_away_is_written_down(kept):
    before = len(audit.read(kept.ws.library))
    get(f"/api/v1/results/{kept.team.analysis}")
    get(f"/api/v1/results/{kept.team.analysis}", first=5)  # a further part of it
    said = audit.read(kept.ws.library)
    assert len(said) == before + 1 and (said[0].deed, said[0].person) == ("exported", "ben") and "by the API" in said[0].thing


@pytest.mark.parametrize(
    ("path", "asked", "says"),
    [
        ("/api/v1/analyses", {"count": 0}, "count"),
        ("/api/v1/analyses", {"count": 101}, "count"),
        ("/api/v1/analyses", {"first": "x"}, "first"),
        ("/api/v1/analyses", {"first": ["1", "2"]}, "first"),
        ("/api/v1/analyses", {"colour": "red"}, "colour"),
        ("/api/v1/analyses", {"search": "x" * 401}, "search"),
        ("/api/v1/images/2222", {"count": 10**9}, "count"),
    ],
)
def test_what_cannot_be_is_said(kept, path, asked, says):
    status, told = get(path, **asked)
    assert status == 400 and says in told["message"] and "openapi" in told["remedy"]


def test_it_only_reads_and_says_so(kept):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        status, told = get("/api/v1/analyses", method=method)
        assert status == 405 and "only reads" in told["message"]
    assert get("/api/v1/nothing")[0] == 404 and get("/api/v1/")[0] == 404


def test_without_a_login_there_is_one_who_reads_all(kept):
    nobody = local("")
    assert get("/api/v1/analyses", nobody)[0] == 200
    status, told = get("/api/v1/analyses", nobody, scope="mine")
    assert status == 400 and "Without a login" in told["message"]


def test_a_damaged_library_is_said(kept, monkeypatch):
    from ntkcore.errors import LibraryError
    from ntkcore.library.database import Library

    monkeypatch.setattr(Library, "reading", lambda _: (_ for _ in ()).throw(LibraryError("The library is damaged.", "Put a copy there.")))
    status, told = get("/api/v1/analyses")
    assert status == 503 and told == {"message": "The library is damaged.", "remedy": "Put a copy there."}


def test_its_description_names_every_route_and_refers_to_what_it_has(kept):
    status, told = get("/api/v1/openapi.json")
    paths = {route.path.removeprefix("/api/v1").replace(":int", "") for route in api.routes()}
    assert status == 200 and set(told["paths"]) == paths - {"/openapi.json", "/{rest:path}"}
    text, models = json.dumps(told), told["components"]["schemas"]
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in models
