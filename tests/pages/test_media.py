"""Thumbnails over HTTP: only by an address a page made."""

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ntkcore.data import thumbnail_pack
from pages.parts import media


@pytest.fixture
def client(cache):
    return TestClient(Starlette(routes=media.routes()))


@pytest.fixture
def pack(cache):
    return thumbnail_pack(np.random.default_rng(0).integers(0, 255, (5, 8, 8), dtype=np.uint8), cache)


def test_signed_address_serves_the_image_for_good(client, pack):
    answer = client.get(f"{media.thumbnail_base(pack.id)}3.png")
    assert answer.status_code == 200
    assert answer.content == pack.png(3)
    assert "immutable" in answer.headers["cache-control"]


def test_address_is_the_same_every_time(pack):
    assert media.thumbnail_base(pack.id) == media.thumbnail_base(pack.id)


@pytest.mark.parametrize("image", ["5", "99999", "-1", "x", "..%2f..%2fsecret"])
def test_images_that_do_not_exist(client, pack, image):
    assert client.get(f"{media.thumbnail_base(pack.id)}{image}.png").status_code == 404


def test_unsigned_and_altered_addresses_are_refused(client, pack):
    assert client.get(f"/thumbnails/{pack.id}/0.png").status_code == 403
    altered = media.thumbnail_base(pack.id).replace(pack.id[:6], "000000")
    assert client.get(f"{altered}0.png").status_code == 403


def test_the_key_is_kept_and_private(cache, pack):
    media.thumbnail_base(pack.id)
    path = cache.cache_dir / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) == 64
