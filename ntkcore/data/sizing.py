"""Images at the size a network wants: the short side scaled, antialiased, and the central square cut out.

As torchvision's ``Resize`` and ``CenterCrop`` do it on Pillow's images, with ``floor(size / crop)`` for the short side as timm has it,
so that published weights see what they were trained on.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntkcore.specs import DatasetSpec, Interpolation

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True, slots=True)
class Sizing:
    """How an image becomes a square; the fields are those of :class:`~ntkcore.specs.DatasetSpec`."""

    size: int
    crop: float = 1.0
    interpolation: Interpolation = "bilinear"

    def cut(self, image: Image.Image) -> Image.Image:
        """The ``size`` × ``size`` square of an image."""
        short = math.floor(self.size / self.crop)
        width, height = image.size
        if min(width, height) != short:
            scaled = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
            image = image.resize(scaled, _FILTERS[self.interpolation])
        left, top = round((image.width - self.size) / 2), round((image.height - self.size) / 2)
        return image.crop((left, top, left + self.size, top + self.size))


def sizing_of(spec: DatasetSpec) -> Sizing | None:
    """The size a specification asks for; None leaves the images as they were imported."""
    return None if spec.size is None else Sizing(spec.size, spec.crop, spec.interpolation)


def cut_pixels(images: NDArray[np.uint8], sizing: Sizing) -> NDArray[np.uint8]:
    """Images uint8 ``(k, h, w)`` or ``(k, h, w, 3)`` at that size."""
    found = np.empty((len(images), sizing.size, sizing.size, *images.shape[3:]), np.uint8)
    for place, image in enumerate(images):
        found[place] = np.asarray(sizing.cut(Image.fromarray(image)))
    return found
