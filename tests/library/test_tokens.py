"""Personal tokens: whose they are, until when they hold, and that nothing keeps what they say."""

import re
import time

import pytest
import sqlalchemy as sa

from ntkcore.errors import DataError, LibraryError
from ntkcore.library import audit, tokens
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person, Refused, local
from ntkcore.library.tables import TOKENS
from ntkcore.library.tokens import Tokens


@pytest.fixture
def served(both, opened):
    """The members and tokens of a server on which Ann is the administrator by the settings."""
    library, chosen = opened(both), both.model_copy(update={"administrators": ("sub-ann",)})
    return Members(library, chosen), Tokens(library, chosen)


def _come(members, name):
    """Whoever logs in."""
    names = frozenset((f"sub-{name}", f"{name}@lab"))
    return members.person(Identity(f"id-{name}", f"{name}@lab", names, name, f"l-{name}", time.time() - 9))


def test_a_token_is_its_persons_with_the_role_that_they_have_when_they_ask(served):
    members, found = served
    ann, ben = _come(members, "ann"), _come(members, "ben")
    said = found.make("  my   script ", ben)
    assert re.fullmatch(r"atlas_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", said)
    assert found.person(said) == Person("id-ben", "ben", "viewer")
    members.give(ben.id, "analyst", ann)
    assert found.person(said).role == "analyst"
    (one,) = found.of(ben.id)
    assert one.name == "my script" and one.used is not None and abs(one.used - time.time()) < 60 and not found.of(ann.id)


def test_nobody_stays_administrator_whom_the_setting_no_longer_names(served):
    members, found = served
    said = found.make("script", _come(members, "ann"))
    assert found.person(said).administrator
    later = Tokens(found._library, found._settings.model_copy(update={"administrators": ()}))
    assert later.person(said).role == "viewer"
    strict = Tokens(found._library, found._settings.model_copy(update={"administrators": (), "default_role": "none"}))
    assert strict.person(said).role is None


def test_what_is_no_token_that_holds_is_nobodys(served):
    members, found = served
    ben = _come(members, "ben")
    said = found.make("script", ben)
    other = found.make("other", ben)
    mixed = f"{said[:19]}{other[19:]}"
    for wrong in ("", "atlas", said[:-1], f"{said}x", said.upper(), said[:-1] + ("A" if said[-1] != "A" else "B"), mixed, f" {said}"):
        assert found.person(wrong) is None
    (token,) = (one for one in found.of(ben.id) if one.name == "script")
    found.revoke(token.id, _come(members, "ann"))  # not hers
    assert found.person(said) is not None
    found.revoke(token.id, ben)
    found.revoke(token.id, ben)
    assert found.person(said) is None and found.person(other) is not None
    deeds = [(entry.deed, entry.thing, entry.person) for entry in audit.read(members._library)]
    assert deeds == [
        ("revoked a token", "script", "id-ben"),
        ("made a token", "other", "id-ben"),
        ("made a token", "script", "id-ben"),
    ]


def test_signing_out_everywhere_ends_tokens_too(served):
    members, found = served
    ann, ben = _come(members, "ann"), _come(members, "ben")
    theirs, hers = found.make("script", ben), found.make("script", ann)
    with pytest.raises(Refused, match="administrator"):
        members.sign_out(ann.id, ben)
    with pytest.raises(LibraryError, match="no such person"):
        members.sign_out("nobody", ann)
    members.sign_out(ben.id, ann)
    assert found.person(theirs) is None and found.person(hers) is not None and _come(members, "ben") is None
    assert audit.read(members._library)[0].thing == "ben (ben@lab)"


def test_the_secret_is_kept_nowhere(served):
    members, found = served
    secret = found.make("script", _come(members, "ben"))[19:]
    with found._library.reading() as connection:
        assert secret not in str(connection.execute(sa.select(TOKENS)).all())
    assert secret not in str(audit.read(found._library)) and secret not in str(found.of("id-ben"))


def test_which_tokens_there_cannot_be(served, monkeypatch):
    members, found = served
    ben = _come(members, "ben")
    with pytest.raises(DataError, match="needs a name"):
        found.make("  ", ben)
    with pytest.raises(LibraryError, match="Without a login"):
        found.make("script", local("Ann"))
    with pytest.raises(Refused):
        found.make("script", Person("id-ben", "ben", None))
    monkeypatch.setattr(tokens, "MOST", 2)
    found.make("one", ben)
    found.make("two", ben)
    with pytest.raises(LibraryError, match="as many as one person may have"):
        found.make("three", ben)
