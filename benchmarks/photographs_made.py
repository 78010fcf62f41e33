"""Photographs for benchmarks: generated, compressing as real ones do."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def write_zip(path: Path, images: int, side: int) -> None:
    """A zip of two classes of JPEGs of ``side`` pixels: noise, smoothed so that they compress as photographs do."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(images):
            coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88)
            archive.writestr(f"{'ab'[i % 2]}/{'train' if i % 4 else 'val'}_{i:05}.jpg", buffer.getvalue())
