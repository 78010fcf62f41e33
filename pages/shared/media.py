"""Thumbnails and photographs over HTTP: cached by the browser, and only for whom a page made the address, until the next day ends.

A photograph is served upright and without metadata; what a network sees of it is cut when it is asked for.
"""

import html
import time
from collections.abc import Callable
from functools import lru_cache, partial
from threading import Lock

from itsdangerous import BadSignature
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ntkcore.data import Sizing, ThumbnailPack, bare_original, open_pack, seen_by_network
from ntkcore.errors import AtlasError
from ntkcore.library import asking
from ntkcore.settings import settings
from pages.shared.signing import signer

READER = "atlas.reader"
"""In a request's scope: the id of the person who makes it, whom the gate knows."""
PERSON = "atlas.person"
"""In the scope of a request to the API: that person, with the role that they have now."""
_DAY = 86_400  # seconds

_one_at_a_time = Lock()
"""A photograph is decoded whole for these: one of 25 million pixels takes a second and 150 MB."""

Served = tuple[bytes, str]
"""What is served, and its media type."""

_EXCERPT = 240  # characters of a text on a card


def thumbnail_base(pack: str, reader: str | None = None) -> str:
    """Address under which the thumbnails of a pack are served: append ``<image>``. It is the reader's; None: of whoever asks now.

    Addresses are signed: a page makes them only for whoever may open it, and nobody can make one for another pack, person or day.
    """
    return f"/thumbnails/{_signed('thumbnails', pack, reader)}/"


def original_address(pack: str, image: int) -> str | None:
    """Address of the original of a photograph; None for an image that has none beside its pixels."""
    found = open_pack(pack, settings())
    if found is None or found.origin is None:
        return None
    return f"/originals/{_signed('originals', pack)}/{image}"


def seen_address(pack: str, image: int, sizing: Sizing | None) -> str:
    """Address of what a network sees of a photograph, at a size."""
    said = "" if sizing is None else f"-{sizing.size}-{sizing.crop:g}-{sizing.interpolation}"
    return f"/seen/{_signed('seen', pack + said)}/{image}"


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
    found = open_pack(_said("thumbnails", base.split("/")[-2])[0], settings())
    return None if found is None else _excerpts(found)


def are_photographs(base: str) -> bool:
    """Whether what is served under an address are thumbnails of photographs: drawn smoothly, where others show their pixels."""
    found = open_pack(_said("thumbnails", base.split("/")[-2])[0], settings())
    return found is not None and found.origin is not None


def picture(pack: str, image: int, name: str, title: str = "") -> str:
    """HTML of one image, or of the beginning of one text; ``title`` is said when pointed at."""
    base = thumbnail_base(pack)
    hint = f' title="{html.escape(title)}"' if title else ""
    if (begun := excerpts(base)) is not None:
        return f'<div class="atlas-snippet"{hint}>{html.escape(begun[image])}</div>'
    smooth = ' class="atlas-smooth"' if are_photographs(base) else ""
    return f'<img src="{base}{image}" alt="{html.escape(name)}"{hint}{smooth}>'


async def thumbnail(request: Request) -> Response:
    """The answer to an address of :func:`thumbnail_base`."""
    return await _answer("thumbnails", _thumbnail, request)


def routes() -> list[Route]:
    """The routes beside the pages."""
    return [
        Route("/thumbnails/{token}/{image:int}", thumbnail),
        Route("/originals/{token}/{image:int}", partial(_answer, "originals", _original)),
        Route("/seen/{token}/{image:int}", partial(_answer, "seen", _seen)),
    ]


def _signed(salt: str, said: str, reader: str | None = None) -> str:
    """Part of an address: what it is of, for whom, and the day it was made."""
    return signer(settings(), salt).sign(f"{said}~{asking.reader() if reader is None else reader}~{_today()}").decode()


def _said(salt: str, token: str) -> tuple[str, str, int]:
    said, reader, day = signer(settings(), salt).unsign(token).decode().split("~")
    return said, reader, int(day)


def _today() -> int:
    return int(time.time()) // _DAY


async def _answer(salt: str, made: Callable[[str, int], Served | None], request: Request) -> Response:
    try:
        said, reader, day = _said(salt, request.path_params["token"])
    except (BadSignature, ValueError):
        return _absent()
    if reader != request.scope.get(READER) or not 0 <= _today() - day <= 1:
        return _absent()
    try:
        found = await run_in_threadpool(made, said, request.path_params["image"])
    except AtlasError as error:  # removed, moved or damaged since the page was made
        return PlainTextResponse(f"{error.message} {error.remedy}", status_code=404)
    if found is None:
        return _absent()
    left = (day + 2) * _DAY - int(time.time())
    return Response(found[0], media_type=found[1], headers={"Cache-Control": f"private, max-age={left}, immutable"})


def _absent() -> Response:
    """Whether there is none, or none for who asks, is not said."""
    return PlainTextResponse("There is no such image; reload the page.", status_code=404)


def _thumbnail(pack_id: str, image: int) -> Served | None:
    pack = open_pack(pack_id, settings())
    if pack is None or not 0 <= image < len(pack):
        return None
    data = pack.picture(image)
    return data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"


def _original(pack_id: str, image: int) -> Served | None:
    pack = open_pack(pack_id, settings())
    if pack is None or pack.origin is None or not 0 <= image < len(pack):
        return None
    with _one_at_a_time:
        return bare_original(pack.origin, image, settings())


def _seen(said: str, image: int) -> Served | None:
    pack_id, *sizing = said.split("-")
    pack = open_pack(pack_id, settings())
    if pack is None or pack.origin is None or not 0 <= image < len(pack):
        return None
    wanted = Sizing(int(sizing[0]), float(sizing[1]), "bicubic" if sizing[2] == "bicubic" else "bilinear") if sizing else None
    with _one_at_a_time:
        return seen_by_network(pack.origin, image, wanted, settings()), "image/png"


@lru_cache(maxsize=8)
def _excerpts(pack: ThumbnailPack) -> tuple[str, ...] | None:
    return pack.excerpts(_EXCERPT)


@lru_cache(maxsize=64)
def _noun(pack: ThumbnailPack) -> str:
    return "image" if not len(pack) or pack.text(0) is None else "text"
