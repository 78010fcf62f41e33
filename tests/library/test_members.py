"""People who log in: which role holds, which logins hold, what the audit list says of it."""

import time
from dataclasses import replace

import pytest

from ntkcore.errors import LibraryError
from ntkcore.library import audit
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person, Refused, local

ANN = Identity("oidc:a", "ann@lab.example", frozenset(("ann@lab.example", "sub-a")), "Ann")


def login(of: Identity, number: int = 1, ago: float = 10.0, **changes) -> Identity:
    return replace(of, login=f"{of.id}-{number}", since=time.time() - ago, **changes)


BEN = Identity("oidc:b", "ben@lab.example", frozenset(("ben@lab.example",)), "Ben")


@pytest.fixture
def members(both, opened):
    return Members(opened(both), both.model_copy(update={"administrators": ("sub-a",)}))


def test_the_settings_name_the_first_administrator_and_others_get_the_default(members):
    assert members.person(login(ANN)) == Person("oidc:a", "Ann", "administrator")
    assert members.person(login(BEN)) == Person("oidc:b", "Ben", "viewer")
    ann, ben = sorted(members.all(), key=lambda one: one.id)
    assert (ann.role, ann.named, ben.role, ben.named, ben.given) == ("administrator", True, "viewer", False, None)
    strict = Members(members._library, members._settings.model_copy(update={"default_role": "none"}))
    found = strict.person(login(BEN))
    assert found.role is None and not found.may("open")


def test_a_role_that_is_given_holds_at_once_before_the_one_that_is_claimed(members):
    ann, ben = members.person(login(ANN)), login(BEN, claimed="labeller")
    assert members.person(ben).role == "labeller"
    members.give(BEN.id, "analyst", ann)
    assert members.person(ben).role == "analyst"
    members.give(BEN.id, None, ann)
    assert members.person(ben).role == "labeller"
    first, second = audit.read(members._library, person=ANN.id, deed="changed a role")[::-1]
    assert first.thing == "Ben (ben@lab.example): labeller → analyst" and second.thing.endswith("analyst → as the login says")
    assert first.name == "Ann" and not audit.read(members._library, person=BEN.id) and not audit.read(members._library, deed="deleted")


def test_only_an_administrator_gives_roles_and_none_is_taken_from_whom_the_settings_name(members):
    ann, ben = members.person(login(ANN)), members.person(login(BEN))
    with pytest.raises(Refused, match="administrator"):
        members.give(BEN.id, "administrator", ben)
    with pytest.raises(LibraryError, match="settings"):
        members.give(ANN.id, "viewer", ann)
    with pytest.raises(LibraryError, match="no such person"):
        members.give("oidc:c", "viewer", ann)
    assert members.person(login(BEN)).role == "viewer" and not audit.read(members._library)


def test_a_login_that_was_ended_holds_in_no_tab_and_others_of_the_person_do(members):
    one, other = login(ANN, 1), login(ANN, 2)
    assert members.person(one) and members.person(other)
    members.end(one)
    members.end(one)
    assert members.person(one) is None and members.person(other) is not None
    members.end_all(other, members.person(other))
    assert members.person(other) is None and members.person(login(ANN, 3, ago=-2)) is not None
    assert [entry.deed for entry in audit.read(members._library)] == ["signed out everywhere"]


def test_a_login_expires(members):
    hours = members._settings.login_hours
    assert members.stands(login(BEN, ago=hours * 3600 - 60)) and not members.stands(login(BEN, ago=hours * 3600 + 60))
    assert not members.stands(login(BEN, ago=-3600))  # of tomorrow


def test_without_a_login_nothing_is_audited(both, opened):
    library = opened(both)
    audit.write(library, local("Ann"), "deleted", "all")
    assert library.file is None or not library.file.exists()
