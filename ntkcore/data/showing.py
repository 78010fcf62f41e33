"""One photograph as it is looked at: its original without metadata, and the square that a network sees."""

import numpy as np
from PIL import Image

from ntkcore.data.bare import bare, encoded
from ntkcore.data.dataset import Origin
from ntkcore.data.own_store import open_own
from ntkcore.data.sizing import Sizing
from ntkcore.errors import DataError
from ntkcore.settings import Settings


def bare_original(origin: Origin, image: int, settings: Settings) -> tuple[bytes, str]:
    """The original of image ``image``, upright and without metadata, and its media type.

    Raises:
        DataMissing: its set is gone.
        DataError: the set is damaged, or the file that it refers to is gone or has changed.
    """
    source = open_own(origin.content, settings)
    if source.original is None:
        raise DataError("This set has no originals.", "Import its photographs again.")
    position = origin.positions[image]
    (name,) = source.ids(np.array([position]))
    return bare(source.original(int(position)), name, settings.image_pixels)


def seen_by_network(origin: Origin, image: int, sizing: Sizing | None, settings: Settings) -> bytes:
    """The square of image ``image`` that a network of this size of images sees, PNG. Raises as :func:`bare_original`."""
    source = open_own(origin.content, settings)
    position = origin.positions[[image]]
    pixels = source.images(position) if sizing is None or source.sized is None else source.sized(position, sizing)
    return encoded(Image.fromarray(pixels[0]), lossy=False)[0]
