"""Where one wanted to be before one logged in: in a signed cookie meanwhile, since a provider sends everybody back to the start.

A page's address comes with the request that begins a login, as what refers to it.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from itsdangerous import BadSignature

from ntkcore.settings import Settings
from pages.shared.gate.paths import known
from pages.shared.signing import timed_signer

COOKIE = "ntk_after"
_SALT, _LIFE = "after", 900  # seconds that a login may take
_LONGEST = 3_800  # characters: browsers keep cookies of 4,096


def kept(referrer: str, host: str, base: str, settings: Settings) -> str | None:
    """The cookie's value for a page of this server that refers to the login; None: there is nothing to keep."""
    parts = urlsplit(referrer)
    if parts.netloc != host or not parts.path.startswith("/") or not _is_page(parts.path, base):
        return None
    whole = f"{parts.path}?{parts.query}" if parts.query else parts.path
    value = _sign(whole, settings)
    return value if len(value) <= _LONGEST else _sign(parts.path, settings)


def wanted(cookies: str, base: str, settings: Settings) -> str | None:
    """The address that a cookie keeps, as this server signed it."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
        said = timed_signer(settings, _SALT).unsign(found.value, max_age=_LIFE).decode() if found else ""
    except (BadSignature, CookieError, UnicodeDecodeError):
        return None
    whole = unquote(said)
    return whole if whole.startswith("/") and not whole.startswith("//") and _is_page(urlsplit(whole).path, base) else None


def set_cookie(value: str | None, base: str) -> bytes:
    """The header that keeps it; None: that lets go of it."""
    path = f"/{base.strip('/')}"
    return f"{COOKIE}={value or ''}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={_LIFE if value else 0}".encode()


def _sign(whole: str, settings: Settings) -> str:
    return timed_signer(settings, _SALT).sign(quote(whole, safe="/?&=~")).decode()


def _is_page(path: str, base: str) -> bool:
    found = known(path, base)
    return found is not None and found.action is None and not path.rstrip("/").endswith(("auth/login", "auth/logout", "oauth2callback"))
