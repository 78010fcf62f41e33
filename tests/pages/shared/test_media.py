"""Thumbnails over HTTP: only by an address a page made."""

import asyncio
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from ntkcore.data import Sizing, import_images, load_dataset, own_sets, remove_own, thumbnail_pack
from ntkcore.library import LOCAL
from ntkcore.specs import DatasetSpec
from pages.shared import media, signing

SECRET = "taken at home"


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


def get(path: str, reader: str | None = LOCAL) -> Answer:
    """One request to the routes by ASGI, without a server, of a person whom the gate knows."""
    answer = Answer()

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.content += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "headers": []}
    scope |= {media.READER: reader} if reader is not None else {}
    app = Starlette(routes=media.routes())
    with ThreadPoolExecutor(1) as other:  # the tests' own thread may have a loop running, of a browser
        other.submit(asyncio.run, app(scope | {"http_version": "1.1", "root_path": "", "scheme": "http"}, receive, send)).result()
    return answer


@pytest.fixture
def pack(cache):
    return thumbnail_pack(np.random.default_rng(0).integers(0, 255, (5, 8, 8), dtype=np.uint8), cache)


def test_signed_address_serves_the_image_until_the_next_day_ends(pack, monkeypatch):
    monkeypatch.setattr(media.time, "time", lambda: 100.5 * media._DAY)
    address = f"{media.thumbnail_base(pack.id)}3"
    answer = get(address)
    assert answer.status == 200
    assert answer.content == pack.picture(3)
    assert answer.headers["cache-control"] == f"private, max-age={media._DAY * 3 // 2}, immutable"
    for days, status in ((101.9, 200), (102.1, 404), (99.9, 404)):
        monkeypatch.setattr(media.time, "time", lambda days=days: days * media._DAY)
        assert get(address).status == status


def test_an_address_is_of_one_person(pack):
    address = f"{media.thumbnail_base(pack.id)}3"
    assert get(address).status == 200
    assert {get(address, reader).status for reader in ("somebody", "", None)} == {404}


def test_address_is_the_same_every_time(pack):
    assert media.thumbnail_base(pack.id) == media.thumbnail_base(pack.id)


@pytest.mark.parametrize("image", ["5", "99999", "-1", "x", "..%2f..%2fsecret"])
def test_images_that_do_not_exist(pack, image):
    assert get(f"{media.thumbnail_base(pack.id)}{image}").status == 404


@pytest.fixture
def photographs(cache, tmp_path):
    """A pack of four photographs that say where they were taken, with the sizes of their originals."""
    tags = Image.Exif()
    tags[0x010E], tags[0x0112] = SECRET, 6
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for i in range(4):
            buffer = io.BytesIO()
            Image.fromarray(np.full((90, 120, 3), 50 * i, np.uint8)).save(buffer, "JPEG", exif=tags.tobytes())
            archive.writestr(f"{'ab'[i % 2]}/{i}.jpg", buffer.getvalue())
    own = import_images(tmp_path / "p.zip", cache, name="p").content_id
    data = load_dataset(DatasetSpec(name="own", own=own, n=4), cache)
    return thumbnail_pack(data.pixels, cache, origin=data.origin)


def test_an_original_is_served_upright_and_without_metadata(cache, photographs):
    answer = get(media.original_address(photographs.id, 2))
    assert answer.status == 200 and answer.headers["content-type"] == "image/jpeg" and SECRET.encode() not in answer.content
    assert Image.open(io.BytesIO(answer.content)).size == (90, 120)
    thumbnail = get(f"{media.thumbnail_base(photographs.id)}2")
    assert thumbnail.headers["content-type"] == "image/jpeg" and SECRET.encode() not in thumbnail.content
    for sizing, side in ((Sizing(48, 0.875, "bicubic"), 48), (None, 64)):
        seen = get(media.seen_address(photographs.id, 2, sizing))
        assert seen.headers["content-type"] == "image/png" and Image.open(io.BytesIO(seen.content)).size == (side, side)
    assert 'class="atlas-smooth"' in media.picture(photographs.id, 0, "x")
    assert media.are_photographs(media.thumbnail_base(photographs.id))
    (own,) = own_sets(cache)
    remove_own(own.content_id, cache)
    gone = get(media.original_address(photographs.id, 2))
    assert gone.status == 404 and b"not on this machine" in gone.content
    assert get(f"{media.thumbnail_base(photographs.id)}2").status == 200  # a pack is whole by itself


def test_originals_only_by_an_address_a_page_made(pack, photographs):
    assert media.original_address(pack.id, 0) is None
    token = media.thumbnail_base(photographs.id).split("/")[-2]
    for kind in ("originals", "seen"):
        assert get(f"/{kind}/{token}/0").status == 404  # signed for thumbnails alone
    address = media.original_address(photographs.id, 0)
    assert get(address[:-1] + "4").status == 404
    other = media._signed("originals", pack.id)
    assert get(f"/originals/{other}/0").status == 404


def test_unsigned_and_altered_addresses_are_refused(pack):
    assert get(f"/thumbnails/{pack.id}/0").status == 404
    altered = media.thumbnail_base(pack.id).replace(pack.id[:6], "000000")
    assert get(f"{altered}0").status == 404
    token = media.thumbnail_base(pack.id).split("/")[-2]
    for edited in (token.replace("~local~", "~somebody~"), token.replace("~local", ""), token[:-1], f"{token}x"):
        assert get(f"/thumbnails/{edited}/0").status == 404
    half = signing.signer(media.settings(), "thumbnails").sign(pack.id).decode()  # as it was once: for ever and anybody's
    assert get(f"/thumbnails/{half}/0").status == 404


@pytest.fixture
def texts(cache):
    return thumbnail_pack(np.zeros((2, 8, 8), np.uint8), cache, ("A <b>good</b> film &amp; more\n" + "word " * 200, "Another"))


def test_the_beginnings_of_texts_are_found_by_their_address(pack, texts):
    assert media.excerpts(media.thumbnail_base(pack.id)) is None
    first, second = media.excerpts(media.thumbnail_base(texts.id))
    assert second == "Another"
    assert first.startswith("A <b>good</b> film &amp; more word word")
    assert len(first) == 240
    assert first.endswith("…")


def test_a_picture_of_an_image_is_one_and_a_text_is_never_markup(pack, texts):
    assert media.picture(pack.id, 3, 'say "a"').startswith(f'<img src="{media.thumbnail_base(pack.id)}3" alt="say &quot;a&quot;"')
    shown = media.picture(texts.id, 0, "good", 'number "0"')
    assert shown.startswith('<div class="atlas-snippet" title="number &quot;0&quot;">A &lt;b&gt;good&lt;/b&gt; film &amp;amp; more word')
    assert "<img" not in shown


def test_the_whole_text_for_a_reader(pack, texts):
    assert media.text(texts.id, 0).endswith("word ")
    assert len(media.text(texts.id, 0)) > 1000
    assert media.text(pack.id, 0) is None
    assert media.text("0" * 64, 0) is None
    assert (media.what(pack.id), media.what(texts.id)) == ("images", "texts")


def test_thumbnails_that_are_gone_are_no_texts(texts):
    base = media.thumbnail_base(texts.id)
    texts.path.unlink()
    assert media.excerpts(base) is None
