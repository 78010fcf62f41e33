"""How people log in to this server, and who a login says that they are."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri, get_secrets_auth_section
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from ntkcore.library.members import Identity
from ntkcore.settings import Settings

Login = Literal["none", "provider", "proxy"]
"""No login; OpenID Connect; a reverse proxy that says in headers who it is."""
_NAME = 60  # characters


def login() -> Login:
    """How people log in: by the headers of ``server.trustedUserHeaders``, else by the providers in the secrets' section ``auth``."""
    if st.get_option("server.trustedUserHeaders"):
        return "proxy"
    return "provider" if get_secrets_auth_section() else "none"


def providers() -> tuple[str | None, ...]:
    """The providers to choose from, as :func:`st.login` names them; None is the one that has no name."""
    section = get_secrets_auth_section()
    named = tuple(str(name) for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value)
    return ((None,) if "client_id" in section else ()) + named


def origin() -> str | None:
    """Where a provider sends people back to; None: there is none."""
    return get_origin_from_redirect_uri() if login() == "provider" else None


def identity(claims: Mapping[str, Any], settings: Settings) -> Identity | None:
    """Who claims are of; None: nobody's, or not enough to tell.

    An e-mail address is somebody's only where the provider says that it has verified it, or a proxy says it at all.
    """
    if login() == "proxy":
        return _of_proxy(claims, settings)
    issuer, subject, since = claims.get("iss"), claims.get("sub"), claims.get("iat")
    if not (claims.get("is_logged_in") and isinstance(issuer, str) and isinstance(subject, str) and isinstance(since, int | float)):
        return None
    email = str(claims["email"]).lower() if claims.get("email") and claims.get("email_verified") is True else None
    called = claims.get("name") or claims.get("preferred_username") or email or subject
    return Identity(
        _digest("oidc", issuer, subject),
        email or subject,
        frozenset({subject, email} - {None}),
        " ".join(str(called).split())[:_NAME],
        _digest("login", issuer, subject, str(since), str(claims.get("nonce", ""))),
        float(since),
        settings.role_of(_values(claims, settings.role_claim)),
    )


def _of_proxy(claims: Mapping[str, Any], settings: Settings) -> Identity | None:
    told = {key: str(claims[key]).strip() for key in ("sub", "email", "name") if claims.get(key)}
    subject = told.get("sub") or told.get("email", "").lower()
    if not subject:
        return None
    email = told.get("email", "").lower()
    name = " ".join((told.get("name") or email or subject).split())[:_NAME]
    names = frozenset({subject, email} - {""})
    return Identity(
        _digest("proxy", subject), email or subject, names, name, claimed=settings.role_of(_values(claims, settings.role_claim))
    )


def of_connection(scope: Any, settings: Settings) -> Identity | None:
    """Who a request or a websocket is of, by the cookie that the login left or the headers of the proxy."""
    connection = HTTPConnection(scope)
    if login() == "proxy":
        found: dict[str, Any] = {}
        for header, key in st.get_option("server.trustedUserHeaders").items():
            values = connection.headers.getlist(header)
            if len(values) > 1:  # one of them is not the proxy's
                return None
            found[key] = values[0] if values else None
        return identity(found, settings)
    cookie = get_cookie_with_chunks(lambda name: _opened(connection, name), USER_COOKIE_NAME)
    try:
        claims = json.loads(cookie) if cookie else {}
    except ValueError:
        return None
    return identity(claims, settings) if isinstance(claims, dict) and claims.get("origin") == origin() else None


def _opened(connection: HTTPConnection, name: str) -> bytes | None:
    value = connection.cookies.get(name)
    return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))


def _values(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The values of a claim, named by its path with dots: text, or a list of it."""
    found: Any = claims if path else None
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset(part.strip() for part in found.replace(",", " ").split())
    return frozenset(map(str, found)) if isinstance(found, list | tuple) else frozenset()


def _digest(*parts: str) -> str:
    """An id that is safe in addresses, and in which nobody reads an e-mail address."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
