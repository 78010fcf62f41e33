"""The training split of each named set as it lies on this machine: labels at once, images when they are drawn."""

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.binary import damaged, read_cifar, read_mnist, read_svhn
from ntkcore.data.names import NAMED
from ntkcore.data.parquet import decode_rows, label_names, read_labels
from ntkcore.data.sizing import Sizing
from ntkcore.errors import DataMissing
from ntkcore.settings import Settings
from ntkcore.specs import DatasetName

_IDX_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}


@dataclass(frozen=True, slots=True)
class Source:
    """All labels of a set, and its images on demand.

    Attributes:
        class_names: the classes in label order.
        labels: int64 ``(N,)``.
        images: positions ``(k,)`` to raw images, uint8 ``(k, h, w)`` or ``(k, h, w, 3)``; of a set of texts, to their vectors,
            float32 ``(k, d)``.
        ids: positions ``(k,)`` to names.
        maximum: the raw value of full brightness.
        texts: positions ``(k,)`` to texts; None for images.
        parts: which part of the set's division each belongs to, "" for none; None for a set without one.
        sized: positions ``(k,)`` to images of another size, uint8 ``(k, s, s)`` or ``(k, s, s, 3)``, cut from the originals; None for a
            set that has no others than its images.
        original: position to the bytes of an image as it came; None as above.
        card: position to its thumbnail, a JPEG; None as above.
    """

    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    images: Callable[[NDArray[np.int64]], NDArray[Any]]
    ids: Callable[[NDArray[np.int64]], tuple[str, ...]]
    maximum: int = 255
    texts: Callable[[NDArray[np.int64]], tuple[str, ...]] | None = None
    parts: tuple[str, ...] | None = None
    sized: Callable[[NDArray[np.int64], Sizing], NDArray[np.uint8]] | None = None
    original: Callable[[int], bytes] | None = None
    card: Callable[[int], bytes] | None = None


def source_files(name: DatasetName, settings: Settings) -> tuple[Path, ...]:
    """The files that hold a named image set's training split.

    Of two layouts that are both there, the original one counts (CIFAR's binary version before Parquet, plain before ``.gz``).

    Raises:
        DataMissing: they are not all there.
    """
    if name == "digits":
        # found without importing scikit-learn, which takes a second
        package = importlib.util.find_spec("sklearn")
        folder = Path(str(package.origin)).parent if package else settings.data_path
        layouts: list[tuple[Path, ...]] = [(folder / "datasets" / "data" / "digits.csv.gz",)]
    else:
        layouts = _layouts(name, settings.data_path)
    for files in layouts:
        if all(path.is_file() for path in files):
            return files
    raise DataMissing(
        f"{NAMED[name].title} is not on this machine ({layouts[0][0].name} is missing).",
        "Install scikit-learn, which brings it."
        if name == "digits"
        else f"Download it, or copy its files into the data folder (this one: {layouts[0][0].relative_to(settings.data_path)}).",
        place=layouts[0][0],
    )


def open_source(name: DatasetName, settings: Settings) -> Source:
    """Open a named image set.

    Raises:
        DataMissing: it is not on this machine.
        DataError: a damaged file.
    """
    files = source_files(name, settings)
    if name == "digits":
        return _digits(files[0])
    known = NAMED[name].class_names
    ids = partial(_train_ids, name)
    if files[0].suffix == ".parquet":
        names = label_names(files[0]) or known
        return Source(names, read_labels(files[0], names), partial(decode_rows, files[0], pixels=settings.image_pixels), ids)
    if name in _IDX_FOLDERS:
        images, labels = read_mnist(files[0], files[1])
        return Source(known, labels, images.__getitem__, ids)
    if name == "svhn":
        stored, labels = read_svhn(files[0])
        return Source(known, labels, lambda index: np.ascontiguousarray(stored[..., index].transpose(3, 0, 1, 2)), ids)
    planes, labels = read_cifar(files, label_bytes=2 if name == "cifar100" else 1, classes=len(known))
    return Source(known, labels, lambda index: np.ascontiguousarray(planes[index].transpose(0, 2, 3, 1)), ids)


def _layouts(name: DatasetName, folder: Path) -> list[tuple[Path, ...]]:
    if name in _IDX_FOLDERS:
        raw = folder / _IDX_FOLDERS[name] / "raw"
        plain = (raw / "train-images-idx3-ubyte", raw / "train-labels-idx1-ubyte")
        return [plain, tuple(path.with_name(f"{path.name}.gz") for path in plain)]
    if name == "cifar10":
        batches = tuple(folder / "cifar-10-batches-bin" / f"data_batch_{number}.bin" for number in range(1, 6))
        return [batches, (folder / "cifar10" / "train.parquet",)]
    if name == "cifar100":
        return [(folder / "cifar-100-binary" / "train.bin",)]
    return [(folder / "train_32x32.mat",)]


def _digits(path: Path) -> Source:
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise damaged(path) from error
    if table.ndim != 2 or table.shape[1] != 65 or table[:, :64].max() > 16 or table[:, 64].max() > 9:
        raise damaged(path)
    images = table[:, :64].reshape(-1, 8, 8)
    return Source(NAMED["digits"].class_names, table[:, 64].astype(np.int64), images.__getitem__, partial(_train_ids, "digits"), maximum=16)


def _train_ids(name: str, index: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(f"{name}/train/{position}" for position in index)
