"""The page of people: roles that are given, and the list of who did what."""

import time

import pytest
from visiting import opened

from ntkcore.library import asking, audit
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person
from ntkcore.settings import settings


class As:
    def __init__(self, asks: Person) -> None:
        self.asks = asks

    def reader(self):
        return self.asks.id

    def person(self):
        return self.asks


@pytest.fixture
def people(ws, monkeypatch):
    """An administrator by the settings, who asks, and a viewer."""
    monkeypatch.setenv("NTK_ADMINISTRATORS", '["ann"]')
    settings.cache_clear()
    members = Members(ws.library, settings())
    for name in ("ann", "ben"):
        found = members.person(Identity(f"id-{name}", name, frozenset((name,)), name.title(), f"login-{name}", time.time() - 1))
        if name == "ann":
            asking.ask_by(As(found))
    yield members
    asking.ask_by(None)


def test_a_role_is_given_and_listed(app, ws, people):
    opened(app, "people")
    assert not app.exception and not app.error
    app.selectbox(key="role_id-ben").set_value("analyst").run()
    assert not app.exception and not app.error
    assert {member.name: member.role for member in people.all()} == {"Ann": "administrator", "Ben": "analyst"}
    assert app.selectbox(key="role_id-ben").value == "analyst"
    assert "viewer → analyst" in app.dataframe[0].value["of"][0]
    app.selectbox(key="audit_person").set_value("id-ben").run()
    assert any("Nothing yet" in caption.value for caption in app.caption)
    app.selectbox(key="audit_person").set_value("").run()
    app.selectbox(key="audit_deed").set_value("deleted").run()
    assert any("Nothing yet" in caption.value for caption in app.caption)
    assert [entry.deed for entry in audit.read(ws.library)] == ["changed a role"]


def test_who_the_settings_name_has_no_choice(app, people):
    opened(app, "people")
    assert "role_id-ann" not in {box.key for box in app.selectbox}
    assert any("by the server’s settings" in said.value for said in app.markdown)


def test_somebody_is_logged_out_everywhere(app, ws, people):
    opened(app, "people")
    app.button(key="out_id-ben").click().run()
    assert not app.exception and not app.error
    assert audit.read(ws.library)[0].deed == "signed out everywhere"
    assert people.person(Identity("id-ben", "ben", frozenset(("ben",)), "Ben", "login-ben", time.time() - 1)) is None


def test_on_the_page_of_jobs_a_role_does_what_it_may(app, ws, people):
    ws.jobs.submit("map", "k1", {}, "Of Ann")
    asking.ask_by(As(Person("id-ben", "Ben", "analyst")))
    opened(app, "jobs")
    assert not app.exception and not app.error
    assert app.button(key="cancel-k1").disabled and any("by Ann" in said.value for said in app.markdown)
    ws.jobs.submit("map", "k2", {}, "Of Ben")
    app.run()
    assert not app.button(key="cancel-k2").disabled
    app.button(key="cancel-k2").click().run()
    assert ws.jobs.state("k2").status == "cancelled" and ws.jobs.state("k1").status == "queued"
    asking.ask_by(As(Person("id-ann", "Ann", "administrator")))
    ws.jobs.submit("map", "k2", {}, "Of Ben")  # whose it is now
    app.run()
    assert not app.button(key="cancel-k1").disabled and not app.button(key="cancel-k2").disabled
