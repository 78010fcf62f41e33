"""Thumbnails over HTTP: content-addressed, cached for good by the browser, and only for who got the address from a page."""

import html
import os
import re
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, Signer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ntkcore.data import ThumbnailPack, open_pack
from ntkcore.settings import Settings, settings
from ntkcore.store.files import guarded
from ntkcore.store.lock import exclusive

_CACHE = {"Cache-Control": "private, max-age=31536000, immutable"}

_EXCERPT = 240  # characters of a text on a card
_SECRET = re.compile(rb"[0-9a-f]{64}")


def thumbnail_base(pack: str) -> str:
    """Address under which the thumbnails of a pack are served: append ``<image>.png``.

    Addresses are signed: a page makes them only for whoever may open it, and nobody can make one for another pack.
    """
    return f"/thumbnails/{_signer(settings()).sign(pack).decode()}/"


def text(pack: str, image: int) -> str | None:
    """The text that an image of a pack is a drawing of; None for an image."""
    found = open_pack(pack, settings())
    return None if found is None else found.text(image)


def what(pack: str) -> str:
    """What a pack shows: ``"images"`` or ``"texts"``."""
    return "images" if text(pack, 0) is None else "texts"


def noun(pack: str) -> str:
    """What one thing of a pack is called: ``"image"`` or ``"text"``; cheap enough for every card."""
    found = open_pack(pack, settings())
    return "image" if found is None else _noun(found)


def excerpts(base: str) -> tuple[str, ...] | None:
    """The beginnings of the texts whose drawings are served under an address; None for images."""
    found = open_pack(_signer(settings()).unsign(base.split("/")[-2]).decode(), settings())
    return None if found is None else _excerpts(found)


def picture(pack: str, image: int, name: str, title: str = "") -> str:
    """HTML of one image, or of the beginning of one text; ``title`` is said when pointed at."""
    base = thumbnail_base(pack)
    hint = f' title="{html.escape(title)}"' if title else ""
    if (begun := excerpts(base)) is not None:
        return f'<div class="atlas-snippet"{hint}>{html.escape(begun[image])}</div>'
    return f'<img src="{base}{image}.png" alt="{html.escape(name)}"{hint}>'


def routes() -> list[Route]:
    """The routes beside the pages."""
    return [Route("/thumbnails/{token}/{image:int}.png", _thumbnail)]


async def _thumbnail(request: Request) -> Response:
    try:
        pack_id = _signer(settings()).unsign(request.path_params["token"]).decode()
    except BadSignature:
        return PlainTextResponse("This address was not made by this server.", status_code=403)
    content = await run_in_threadpool(_png, pack_id, request.path_params["image"])
    if content is None:
        return PlainTextResponse("There is no such image; reload the page.", status_code=404)
    return Response(content, media_type="image/png", headers=_CACHE)


def _png(pack_id: str, image: int) -> bytes | None:
    pack = open_pack(pack_id, settings())
    if pack is None or not 0 <= image < len(pack):
        return None
    return pack.png(image)


@lru_cache(maxsize=8)
def _excerpts(pack: ThumbnailPack) -> tuple[str, ...] | None:
    return pack.excerpts(_EXCERPT)


@lru_cache(maxsize=64)
def _noun(pack: ThumbnailPack) -> str:
    return "image" if not len(pack) or pack.text(0) is None else "text"


@lru_cache(maxsize=4)
def _signer(chosen: Settings) -> Signer:
    return Signer(_secret(chosen), salt="thumbnails")


def _secret(chosen: Settings) -> str:
    """The configured key, or one made once and kept in the cache, readable by its owner alone; a damaged one is made anew."""
    if chosen.secret:
        return chosen.secret
    path = chosen.cache_dir / "secret"
    with exclusive(chosen.cache_dir / "locks" / "secret.lock"), guarded(path.parent):
        kept = path.read_bytes() if path.exists() else b""
        if not _SECRET.fullmatch(kept):
            kept = secrets.token_hex(32).encode()
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(kept)
    return kept.decode()
