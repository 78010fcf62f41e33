"""Readers of the published binary formats: idx (the MNIST family), CIFAR's binary version, SVHN's MATLAB file.

All of them check that the file is whole; nothing is unpickled.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntkcore.errors import DataError

_IDX_UINT8 = 0x08


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Array of an idx file of unsigned bytes, plain or ``.gz``.

    Raises:
        DataError: not an idx file of unsigned bytes, or not whole.
    """
    data = _read(path)
    if len(data) < 4 or data[0] or data[1] or data[2] != _IDX_UINT8 or len(data) < 4 + 4 * data[3]:
        raise damaged(path)
    start = 4 + 4 * int(data[3])
    shape = tuple(int(size) for size in data[4:start].view(">u4"))
    count = 1
    for size in shape:  # Python integers: sizes of a damaged header must not overflow
        count *= size
    if len(data) != start + count:
        raise damaged(path)
    return data[start:].reshape(shape)


def read_mnist(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(n, h, w)`` and labels ``(n,)`` of a set of the MNIST family.

    Raises:
        DataError: a damaged file, or files that do not belong together.
    """
    pixels, digits = read_idx(images), read_idx(labels)
    if pixels.ndim != 3 or digits.ndim != 1 or len(pixels) != len(digits) or (len(digits) and digits.max() > 9):
        raise damaged(images)
    return pixels, digits.astype(np.int64)


def read_cifar(paths: tuple[Path, ...], *, label_bytes: int, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(n, 3, 32, 32)`` and labels ``(n,)`` of CIFAR's binary version.

    Args:
        paths: the files, in order.
        label_bytes: bytes before the 3072 of each image; the last is the label (CIFAR-100 has the coarse one before it).
        classes: number of classes.

    Raises:
        DataError: a file that is not whole or has labels out of range.
    """
    parts = []
    for path in paths:
        data = _read(path)
        if not len(data) or len(data) % (label_bytes + 3072):
            raise damaged(path)
        records = data.reshape(-1, label_bytes + 3072)
        if records[:, label_bytes - 1].max() >= classes:
            raise damaged(path)
        parts.append(records)
    every = np.concatenate(parts)
    return every[:, label_bytes:].reshape(-1, 3, 32, 32), every[:, label_bytes - 1].astype(np.int64)


def read_svhn(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(32, 32, 3, n)``, as stored, and labels ``(n,)`` of SVHN's cropped digits; the file's label 10 is digit 0.

    Raises:
        DataError: a damaged file.
    """
    from scipy.io import loadmat  # takes a while to import, and only SVHN needs it

    try:
        content = loadmat(path, variable_names=["X", "y"])
        images, labels = np.asarray(content["X"]), np.asarray(content["y"]).ravel().astype(np.int64) % 10
    except Exception as error:  # the reader raises many kinds on damaged files
        raise damaged(path) from error
    if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)):
        raise damaged(path)
    return images, labels


def damaged(path: Path) -> DataError:
    """The error for a file of a named set that is not what it should be."""
    return DataError(
        f"The data file {path.name} is damaged or of another kind.", "Delete the file, and download the set again.", place=path
    )


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return np.frombuffer(file.read(), np.uint8)
        return np.fromfile(path, np.uint8)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path) from error
