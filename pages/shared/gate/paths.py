"""What a request's path is of, for the gate: open to everybody, or what one must be allowed to."""

import re
from dataclasses import dataclass
from typing import Literal

from ntkcore.roles import Action
from pages import PAGES

_PAGES = frozenset(page.path for page in PAGES)
_OPEN = re.compile(  # what the page with the login is made of, and what a login comes back to
    r"static/.+|component/.+|_stcore/bidi-components/.+|_stcore/(health|script-health-check|host-config)|favicon\.\w+|manifest\.json"
    r"|auth/log(in|out)|oauth2callback|api/v1/openapi\.json"
)
_API = re.compile(r"api/v1(/.*)?")
_PICTURES = re.compile(r"(thumbnails|originals|seen)/[^/]+/[^/]+")
_MEDIA = re.compile(r"media/([^/.]+)[^/]*")
_UPLOAD = re.compile(r"_stcore/upload_file/([^/]+)/[^/]+")


@dataclass(frozen=True, slots=True)
class Path:
    """What is asked for.

    Attributes:
        action: what one must be allowed to; None: it is open to everybody.
        of: whether it belongs to a ``"session"``, or a ``"file"`` that sessions offer; "" for neither.
        id: of that.
        api: whether programs ask for it, by a token.
    """

    action: Action | None
    of: Literal["", "session", "file"] = ""
    id: str = ""
    api: bool = False


def known(path: str, base: str) -> Path | None:
    """What a path is of, under the folder at which the app is shown; None: nothing that this server has."""
    inside = path.removeprefix(f"/{base.strip('/')}") if base.strip("/") else path
    inside = inside.lstrip("/")
    if inside.rstrip("/") in _PAGES or _OPEN.fullmatch(inside):
        return Path(None)
    if _PICTURES.fullmatch(inside):
        return Path("open")
    if _API.fullmatch(inside):
        return Path("export", api=True)
    if found := _MEDIA.fullmatch(inside):
        return Path("open", "file", found[1])
    if found := _UPLOAD.fullmatch(inside):
        return Path("upload", "session", found[1])
    return None
