"""What an image is, wherever it is shown: a hash of its content, so that a note on it is found in every draw of every set that has it.

Of a text that is its characters; of an image without an original its pixels (a thumbnail of which keeps all, up to 256 of a side), however
they are coded; of a photograph the small copy that its set keeps, since decoding an original takes too long for a whole gallery.
"""

import hashlib
import io
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from PIL import Image

from ntkcore.data.thumbnails import ThumbnailPack

_PNG = b"\x89PNG"


def content_of_image(pack: ThumbnailPack, image: int) -> str:
    """32 hex digits of an image of a pack. Raises as :meth:`ThumbnailPack.picture`."""
    data, text = pack.picture(image), pack.text(image)
    if text is not None:
        return _hash(b"text", text.encode())
    if not data.startswith(_PNG):
        return _hash(b"photograph", data)
    with Image.open(io.BytesIO(data)) as found:
        pixels = np.asarray(found)
    return _hash(b"pixels", repr(pixels.shape).encode(), pixels.tobytes())


@lru_cache(maxsize=16)
def contents(pack: ThumbnailPack) -> tuple[str, ...]:
    """That of every image of a pack, kept in memory. Raises as :func:`content_of_image`."""
    return tuple(content_of_image(pack, image) for image in range(len(pack)))


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(_framed(parts)).hexdigest()[:32]


def _framed(parts: Iterable[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)
