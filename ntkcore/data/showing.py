"""One photograph as it is looked at: its original without metadata, and the square that a network sees."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from ntkcore.data.bare import bare, encoded
from ntkcore.data.dataset import Origin
from ntkcore.data.own_read import open_own
from ntkcore.data.sizing import Sizing
from ntkcore.errors import DataError
from ntkcore.settings import Settings


def bare_original(origin: Origin, image: int, settings: Settings) -> tuple[bytes, str]:
    """The original of image ``image``, upright and without metadata, and its media type.

    Raises:
        DataMissing: its set is gone.
        DataError: the set is damaged, or the file that it refers to is gone or has changed.
    """
    position = origin.positions[image]
    (name,) = open_own(origin.content, settings).ids(np.array([position]))
    return bare(own_originals(origin.content, settings)(int(position)), name, settings.image_pixels)


def own_originals(content_id: str, settings: Settings) -> Callable[[int], bytes]:
    """What reads the images of a set as they came, by their position in it: not to be shown, for they may say where they were taken.

    Raises:
        DataMissing: the set is gone.
        DataError: it is damaged, or has no originals.
    """
    read = open_own(content_id, settings).original
    if read is None:
        raise DataError("This set has no originals.", "Import its photographs again.")
    return read


def seen_by_network(origin: Origin, image: int, sizing: Sizing | None, settings: Settings) -> bytes:
    """The square of image ``image`` that a network of this size of images sees, PNG. Raises as :func:`bare_original`."""
    source = open_own(origin.content, settings)
    position = origin.positions[[image]]
    pixels = source.images(position) if sizing is None or source.sized is None else source.sized(position, sizing)
    return encoded(Image.fromarray(pixels[0]), lossy=False)[0]
