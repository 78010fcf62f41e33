"""What is published of a network's weights: their files, where they can be had, and how images were prepared for them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """Weights of a network by name.

    Attributes:
        files: what their file may be called in the weights folder, tried in order.
        url: where it can be downloaded; "" where nowhere.
        sha256: of the file at ``url``, or how it begins; "" where that is not published.
        mean, std: of each channel, by which images in [0, 1] were normalised; () where it is not known.
        side: of the square images they were trained on, in pixels; 0 where it is not known.
        crop: share of the shorter side that was kept, from its centre, before that.
        interpolation: by which images were resized.
        fixed: whether the network takes images of that side alone.
    """

    files: tuple[str, ...]
    url: str = ""
    sha256: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    side: int = 0
    crop: float = 1.0
    interpolation: str = "bilinear"
    fixed: bool = False
