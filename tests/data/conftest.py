"""Small image files, archives and data folders made on the spot."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ntkcore.settings import Settings


class Make:
    """Makes small files."""

    def pixels(self, shape, seed=0):
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    def encoded(self, shape=(8, 8), seed=0, kind="PNG", **options):
        buffer = io.BytesIO()
        Image.fromarray(self.pixels(shape, seed)).save(buffer, kind, **options)
        return buffer.getvalue()

    def classes(self, shape=(8, 8), names=("cat", "dog"), each=2):
        """``{"cat/0.png": bytes, …}``"""
        return {f"{name}/{i}.png": self.encoded(shape, seed=100 * c + i) for c, name in enumerate(names) for i in range(each)}

    def zip(self, path, files, method=zipfile.ZIP_STORED):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path

    def folder(self, path, files):
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path

    def idx(self, array):
        array = np.asarray(array, np.uint8)
        return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()

    def mnist(self, raw, n=60, shape=(5, 6), seed=0):
        """An MNIST folder of n images with labels 0, 1, …, 9, 0, …"""
        raw.mkdir(parents=True, exist_ok=True)
        images, labels = self.pixels((n, *shape), seed), np.arange(n) % 10
        (raw / "train-images-idx3-ubyte").write_bytes(self.idx(images))
        (raw / "train-labels-idx1-ubyte").write_bytes(self.idx(labels))
        return images, labels


@pytest.fixture
def make():
    return Make()


@pytest.fixture
def local(tmp_path):
    """Settings with a cache and a data folder of their own."""
    return Settings(cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")


@pytest.fixture
def nothing_kept(local):
    """Checks afterwards that no set, whole or half, is in the cache."""
    yield
    sets = local.cache_dir / "sets"
    assert not sets.exists() or list(sets.iterdir()) == []


@pytest.fixture
def real(real_data, tmp_path):
    """Settings that read the real data folder."""
    return Settings(cache_dir=tmp_path / "cache", data_dir=Path(real_data))
