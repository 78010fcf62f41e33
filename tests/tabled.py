"""An own set of small pictures that came with a table of further columns."""

from pathlib import Path

import numpy as np
from PIL import Image

from ntkcore.data import import_images
from ntkcore.settings import Settings

N = 24
HEIGHTS = [None if at % 7 == 3 else 1.5 * at for at in range(N)]
PLACES = [("garden", "yard", "")[at % 3] for at in range(N)]


def tabled(folder: Path, settings: Settings) -> str:
    """Two classes; a column ``height`` of numbers and ``place`` of words, some without: the set's id."""
    folder.mkdir()
    rows = ["path,label,height,place"]
    for at in range(N):
        pixels = np.random.default_rng(at).integers(0, 200, (8, 8), np.uint8) + np.uint8(40 * (at % 2))
        Image.fromarray(pixels).save(folder / f"{at:02}.png")
        rows.append(f"{at:02}.png,{('cat', 'dog')[at % 2]},{'' if HEIGHTS[at] is None else HEIGHTS[at]},{PLACES[at]}")
    (folder / "table.csv").write_text("\n".join(rows))
    return import_images(folder, settings, name="tabled", side=8).content_id
