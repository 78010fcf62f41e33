"""The API through the gate: what each role gets, what nobody gets, and that everything it says is JSON as its schema has it."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from recording import Recording
from small_analyses import SMALL
from starlette.applications import Starlette
from visiting import kept_cache

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.workspace import workspace
from ntkcore.library import audit
from ntkcore.library.members import Identity, Members
from ntkcore.library.tokens import Tokens
from ntkcore.permalink import ADDRESSES
from ntkcore.roles import ROLES
from ntkcore.settings import settings
from pages.shared import api
from pages.shared.gate import Gate

SPEC, VIEW = ADDRESSES["influence"].read(SMALL["influence"])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server on which there is a person of each role, one whose role was taken, and Ann's two analyses: the team's and her own."""
    with kept_cache(tmp_path_factory.mktemp("api")):
        ws = workspace()
        INFLUENCE.compute(SPEC, ws, Recording())
        chosen = settings().model_copy(update={"administrators": ("ann",), "default_role": "none"})
        members, tokens = Members(ws.library, chosen), Tokens(ws.library, chosen)

        def come(name):
            return members.person(Identity(f"id-{name}", f"{name}@lab", frozenset((name,)), name, f"l-{name}", time.time() - 9))

        ann = come("ann")
        said = {"ann": tokens.make("script", ann)}
        for role in ROLES:
            come(role)
            members.give(f"id-{role}", role, ann)
            said[role] = tokens.make("script", members.of(f"id-{role}"))
        come("gone")
        members.give("id-gone", "viewer", ann)
        said["gone"] = tokens.make("script", members.of("id-gone"))
        members.give("id-gone", None, ann)
        team = saving.save("influence", SPEC, VIEW, ann, ws, title="For all", visibility="team").version
        private = saving.save("influence", SPEC, VIEW, ann, ws, title="Hers alone", visibility="private").version
        gate = Gate(Starlette(routes=api.routes()), chosen, "provider", lambda: members, lambda: tokens)
        yield SimpleNamespace(
            ask=_asking(gate, said), said=said, team=team, private=private, ws=ws, members=members, ann=ann, tokens=tokens
        )
        ws.library.close()


def _asking(gate, said):
    def ask(path, who="viewer", method="GET", headers=None):
        """Status, headers and content of the answer."""
        answer = SimpleNamespace(status=0, headers={}, content=b"")

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.content += message.get("body", b"")

        inside, _, query = path.partition("?")
        if headers is None:
            headers = [] if who is None else [(b"authorization", f"Bearer {said[who]}".encode())]
        scope = {"type": "http", "method": method, "path": inside, "raw_path": inside.encode(), "query_string": query.encode()}
        scope |= {"headers": headers, "http_version": "1.1", "root_path": "", "scheme": "http"}
        with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
            other.submit(asyncio.run, gate(scope, receive, send)).result()
        if answer.headers["content-type"] == "application/json":
            answer.json = json.loads(answer.content) if answer.content else None
        return answer

    return ask


def test_every_role_reads_what_is_the_teams(served):
    team = served.team.analysis
    for role in ROLES:
        found = served.ask("/api/v1/analyses", role)
        seen = ["Hers alone", "For all"] if role == "administrator" else ["For all"]
        assert found.status == 200 and [one["title"] for one in found.json["analyses"]] == seen and found.json["count"] == len(seen)
        assert found.headers["cache-control"] == "no-store"
        for kind in ("analyses", "results", "images"):
            assert served.ask(f"/api/v1/{kind}/{team}", role).status == 200
    assert {one["title"] for one in served.ask("/api/v1/analyses", "ann").json["analyses"]} == {"For all", "Hers alone"}


def test_anothers_private_analysis_is_as_one_that_there_is_not(served):
    for who in ROLES[:-1]:  # an administrator sees everything
        for kind in ("analyses", "results", "images"):
            for which in (served.private.analysis, served.private.reference):
                hidden, absent = served.ask(f"/api/v1/{kind}/{which}", who), served.ask(f"/api/v1/{kind}/ZZZZ", who)
                assert hidden.status == absent.status == 404 and hidden.json == absent.json
    assert served.ask(f"/api/v1/results/{served.private.analysis}", "ann").status == 200
    assert served.ask("/api/v1/analyses?search=alone").json["count"] == 0


def test_who_has_no_token_that_holds_and_no_role_gets_nothing(served):
    good = served.said["viewer"]
    wrong = ("", "Bearer", f"Bearer {good[:-1]}", f"Bearer {good}x", f"Basic {good}", good, "Bearer atlas_\xff")
    asked = [[(b"authorization", one.encode("latin-1"))] for one in wrong]
    asked += [[], [(b"authorization", f"Bearer {good}".encode())] * 2]
    for headers in asked:
        for path in ("/api/v1/analyses", f"/api/v1/images/{served.team.analysis}", "/api/v1/thumbnails/x/1", "/api/v1/nothing"):
            found = served.ask(path, headers=headers)
            assert found.status == 401 and found.json["remedy"] and found.headers["www-authenticate"] == "Bearer"
    assert served.ask("/api/v1/analyses", "gone").status == 401
    assert served.ask(f"/api/v1/analyses?token={good}", None).status == 401


def test_a_revoked_token_and_a_changed_role_hold_from_the_next_request(served):
    served.members.give("id-gone", "viewer", served.ann)
    assert served.ask("/api/v1/analyses", "gone").status == 200
    served.members.sign_out("id-gone", served.ann)
    assert served.ask("/api/v1/analyses", "gone").status == 401


def test_what_cannot_be_asked_is_said(served):
    team = served.team.analysis
    for path in (
        "analyses?count=0",
        "analyses?count=101",
        "analyses?first=x",
        "analyses?scope=theirs",
        "analyses?nonsense=1",
        "analyses?first=1&first=2",
        f"analyses/{team}?first=1",
        f"results/{team}?count=10001",
        f"images/{team}?first=-1",
    ):
        found = served.ask(f"/api/v1/{path}")
        assert found.status == 400 and found.json["message"] and "openapi" in found.json["remedy"], path
    for path in ("", "/", "/nothing", "/analyses/7Q2M/x", "/results/" + "0" * 64, "/results/x", "/thumbnails/x/1", "/thumbnails/x/y"):
        found = served.ask(f"/api/v1{path}")
        assert found.status == 404 and found.json["message"], path
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        found = served.ask("/api/v1/analyses", method=method)
        assert found.status == 405 and found.headers["allow"] == "GET, HEAD" and found.json["remedy"]
    assert served.ask("/api/v1/analyses", method="HEAD").status == 200


def test_a_result_is_what_its_page_says(served):
    team = served.team
    found = served.ask(f"/api/v1/results/{team.reference}").json
    opened = INFLUENCE.open(SPEC, served.ws)
    table = INFLUENCE.table(opened, VIEW, served.ws)
    assert found["answer"] == list(INFLUENCE.answer(opened, VIEW, served.ws)) and found["columns"] == list(table.columns)
    assert found["count"] == len(found["rows"]) == len(table) and found["reference"] == team.reference
    part = served.ask(f"/api/v1/results/{team.analysis}?first=2&count=3").json
    assert part["rows"] == found["rows"][2:5] and part["first"] == 2 and part["count"] == found["count"]
    by_key = served.ask(f"/api/v1/results/{found['key']}?analysis=influence").json
    assert by_key["key"] == found["key"] and by_key["reference"] is None
    whole = served.ask(f"/api/v1/analyses/{team.analysis}").json
    assert whole["spec"] and {(one["kind"], one["key"]) for one in whole["results"]} == set(INFLUENCE.artifacts(SPEC, served.ws))
    taken = audit.read(served.ws.library)
    assert any(entry.deed == "exported" and team.reference in entry.thing and entry.person == "id-viewer" for entry in taken)


def test_images_come_with_thumbnails_of_whoever_asked(served):
    found = served.ask(f"/api/v1/images/{served.team.analysis}?count=4").json
    assert len(found["images"]) == 4 and found["kind"] == "image" and found["count"] >= 30
    address = found["images"][0]["thumbnail"]
    shown = served.ask(address)
    assert shown.status == 200 and shown.headers["content-type"] in ("image/png", "image/jpeg")
    assert served.ask(address, "analyst").status == 404 and served.ask(address, None).status == 401


def test_the_schema_describes_what_is_answered(served):
    found = served.ask("/api/v1/openapi.json", None)
    assert found.status == 200 and found.json["openapi"] == "3.1.0"
    schemas = found.json["components"]["schemas"]
    answers = {"analyses": "Listed", f"analyses/{served.team.analysis}": "Whole"}
    answers |= {f"results/{served.team.analysis}": "Result", f"images/{served.team.analysis}": "Images", "nothing": "Problem"}
    for path, name in answers.items():
        assert set(served.ask(f"/api/v1/{path}").json) == set(schemas[name]["properties"])
    routed = {route.path.removeprefix("/api/v1").replace(":int", "") for route in api.routes()}
    assert set(found.json["paths"]) == routed - {"", "/openapi.json", "/{rest:path}"}
