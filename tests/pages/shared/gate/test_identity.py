"""Who a login or a proxy's headers say that somebody is, and whom they say nothing of."""

import pytest
import streamlit as st

from pages.shared.gate import identity as identities
from pages.shared.gate.identity import identity, of_connection

HEADERS = {"X-Forwarded-User": "sub", "X-Forwarded-Email": "email", "X-Forwarded-Groups": "groups"}


@pytest.fixture
def settings(cache, monkeypatch):
    """Of a server behind a proxy that says who somebody is."""
    asked = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: HEADERS if name == "server.trustedUserHeaders" else asked(name))
    return cache.model_copy(update={"role_claim": "groups", "role_names": (("lab-staff", "analyst"),)})


def _of(settings, *headers):
    sent = [(name.lower().encode(), value.encode()) for name, value in headers]
    return of_connection({"type": "http", "method": "GET", "path": "/", "headers": sent}, settings)


def test_a_proxy_says_who_it_is_and_in_which_groups(settings):
    ann = _of(settings, ("X-Forwarded-User", "u1"), ("X-Forwarded-Email", "Ann@Example.org"), ("X-Forwarded-Groups", "guests, lab-staff"))
    assert ann.subject == "ann@example.org" and ann.names == {"u1", "ann@example.org"} and ann.claimed == "analyst"
    assert _of(settings, ("X-Forwarded-User", "u1")).id == ann.id, "the same person, whatever else is said"
    assert _of(settings, ("X-Forwarded-User", "u2")).id != ann.id
    assert _of(settings, ("X-Forwarded-User", "u1"), ("X-Forwarded-Groups", "guests")).claimed is None


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("X-Forwarded-User", ""),),
        (("X-Forwarded-User", "  "),),
        (("X-Forwarded-Groups", "administrator"),),
        (("X-Forwarded-User", "u1"), ("X-Forwarded-User", "u2")),
        (("X-Forwarded-User", "u1"), ("X-Forwarded-Groups", "guests"), ("X-Forwarded-Groups", "administrator")),
        (("Cookie", "_streamlit_user=anything"),),
    ],
    ids=["none", "empty", "blank", "a group alone", "twice", "groups twice", "a cookie"],
)
def test_headers_that_are_nobodys(settings, headers):
    assert _of(settings, *headers) is None


def test_an_address_is_somebodys_where_the_provider_has_verified_it(cache, monkeypatch):
    monkeypatch.setattr(identities, "login", lambda: "provider")
    claims = {"is_logged_in": True, "iss": "https://login.example.org", "sub": "u1", "iat": 1.0, "email": "Ann@example.org"}
    for verified in (None, False, "true", 1):
        found = identity(claims | {"email_verified": verified}, cache)
        assert found.names == {"u1"} and found.subject == "u1"
    assert identity(claims | {"email_verified": True}, cache).names == {"u1", "ann@example.org"}
    for missing in ("iss", "sub", "iat", "is_logged_in"):
        assert identity({name: value for name, value in claims.items() if name != missing}, cache) is None
