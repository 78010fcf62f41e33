"""Fetching the public sets: from their publishers' addresses, checked against the published MD5 sums, in place at once or not at all.

Addresses and sums of the MNIST family and SVHN are those of torchvision's data set classes; CIFAR is its publisher's binary
version, whose reading unpickles nothing. Where a publisher offers an unencrypted address only, the sum still decides. Not pooch: it
has one address for a file, looks at the sum when all has come, however much that is, and unpacks whatever is in an archive.
"""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from ntkcore.data.names import NAMED
from ntkcore.errors import DataError, DataMissing, SpecError, StoreError
from ntkcore.private import close_tree, make_private
from ntkcore.remote import NoAnswer, answered, receive
from ntkcore.settings import Settings

_CHUNK = 1 << 18  # bytes unpacked at a time
_SLACK = 1 << 20  # bytes above the published size before a file is refused
_UNPACKED = 1 << 30  # bytes of one published archive, unpacked


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a set on the network.

    Attributes:
        urls: where it is, tried in order.
        md5: its published sum.
        size: its bytes.
        target: folder below the data folder that it, or what is in it, goes to.
        kind: a plain file, a gzip of one file, or a tar.gz whose files all lie in the one folder ``target``.
    """

    urls: tuple[str, ...]
    md5: str
    size: int
    target: str
    kind: Literal["file", "gz", "tar"]


def _mnist(folder: str, mirrors: tuple[str, ...], sums: tuple[tuple[str, int], ...]) -> tuple[RemoteFile, ...]:
    names = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    return tuple(
        RemoteFile(tuple(mirror + name for mirror in mirrors), md5, size, f"{folder}/raw", "gz")
        for name, (md5, size) in zip(names, sums, strict=True)
    )


PUBLISHED: dict[str, tuple[RemoteFile, ...]] = {
    "mnist": _mnist(
        "MNIST",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        (
            ("f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
            ("d53e105ee54ea40749a09fcbcd1e9432", 28_881),
            ("9fb629c4189551a2d022fa330f9573f3", 1_648_877),
            ("ec29112dd5afa0611ce80d1b7f02629c", 4_542),
        ),
    ),
    "fashion-mnist": _mnist(
        "FashionMNIST",
        (
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        (
            ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
            ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
            ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
            ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
        ),
    ),
    "kmnist": _mnist(
        "KMNIST",
        ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
        (
            ("bdb82020997e1d708af4cf47b453dcf7", 18_165_135),
            ("e144d726b3acfaa3e44228e80efcd344", 29_497),
            ("5c965bf0a639b31b8f53240b1b52f4d7", 3_041_136),
            ("7320c461ea6c1c855c0b718fb2a4b134", 5_120),
        ),
    ),
    "cifar10": (
        RemoteFile(
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            "c32a1d4ab5d03f1284b67883e8d87530",
            170_052_171,
            "cifar-10-batches-bin",
            "tar",
        ),
    ),
    "cifar100": (
        RemoteFile(
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            "03b5dce01913d631647c71ecec9e9cb8",
            168_513_733,
            "cifar-100-binary",
            "tar",
        ),
    ),
    "svhn": (
        RemoteFile(
            ("https://ufldl.stanford.edu/housenumbers/train_32x32.mat", "http://ufldl.stanford.edu/housenumbers/train_32x32.mat"),
            "e26dedcc434d2e4c54c9b2d4a06d8373",
            182_040_794,
            "",
            "file",
        ),
    ),
}


def download(
    name: str,
    settings: Settings,
    progress: Callable[[int, int], None] | None = None,
    *,
    published: Mapping[str, tuple[RemoteFile, ...]] = PUBLISHED,
) -> None:
    """Fetch a public set into the data folder.

    Every file is fetched, checked and unpacked in a folder of its own, then moved to its place; a failure or cancel leaves
    nothing behind.

    Args:
        name: the set.
        settings: whose data folder receives it.
        progress: called with (bytes fetched, bytes in all); may raise Cancelled.
        published: where each set can be had.

    Raises:
        SpecError: a set that is not to be had.
        DataMissing: no address answered.
        DataError: what came was not what was published.
        StoreError: the disk is full or not writable.
    """
    if name not in published:
        raise SpecError(f"The set {name!r} cannot be downloaded.", f"These can: {', '.join(published)}.")
    files = published[name]
    title = NAMED[name].title if name in NAMED else name
    report = progress or (lambda done, total: None)
    total = sum(file.size for file in files)
    work = settings.data_path / f".download-{uuid.uuid4().hex}"
    alone = settings.data_dir is None  # in the cache; a folder of one's own choice may be shared
    try:
        if alone:
            make_private(settings.data_path)
        work.mkdir(parents=True)
        ready = []
        before = 0
        for number, file in enumerate(files):
            packed = work / f"{number}.part"
            _fetch(file, packed, title, settings.data_path, partial(_sofar, report, before, total))
            before += file.size
            ready.append(_unpack(file, packed, work / str(number)))
            packed.unlink(missing_ok=True)
        if alone:
            close_tree(work)
        for file, result in zip(files, ready, strict=True):
            _place(result, settings.data_path / file.target, make_private if alone else _make)
        report(total, total)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(
            f"{title} could not be stored: {'the disk is full' if full else error.strerror}.",
            "Free some disk space, then try again." if full else "Check the permissions of the data folder.",
            place=settings.data_path,
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sofar(report: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    report(min(before + done, total), total)


def _fetch(file: RemoteFile, target: Path, title: str, folder: Path, progress: Callable[[int], None]) -> None:
    """Fetch from the first address that gives the published bytes."""
    wrong, reasons = False, []
    for url in file.urls:
        host = url.split("/")[2]
        try:
            digest, size = hashlib.md5(usedforsecurity=False), 0
            with answered(url) as answer, target.open("wb") as output:
                while chunk := receive(answer):
                    digest.update(chunk)
                    output.write(chunk)
                    size += len(chunk)
                    if size > file.size + _SLACK:
                        break
                    progress(min(size, file.size))
                if size < file.size and size < int(answer.headers.get("Content-Length") or 0):
                    raise NoAnswer("the connection broke off")
            if digest.hexdigest() == file.md5:
                return
            wrong = True
            reasons.append(f"{host}: not the published file")
        except NoAnswer as error:
            reasons.append(f"{host}: {error}")
    said = "; ".join(reasons)
    if wrong:
        raise DataError(f"What was downloaded is not the published {title} ({said}).", "Try again later; nothing was kept.")
    raise DataMissing(
        f"{title} could not be downloaded ({said}).",
        f"Connect this machine to the network and try again, or put the content of {PurePosixPath(file.urls[0]).name} into "
        f"{file.target} in the data folder by hand.",
        place=folder / file.target,
    )


def _unpack(file: RemoteFile, packed: Path, folder: Path) -> Path:
    """The folder with the files that belong into the target."""
    folder.mkdir()
    name = PurePosixPath(file.urls[0]).name
    try:
        if file.kind == "file":
            packed.rename(folder / name)
        elif file.kind == "gz":
            with gzip.open(packed) as source:
                _copy(source, folder / name.removesuffix(".gz"), _UNPACKED)
        else:
            _untar(packed, folder, file.target)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"The downloaded {name} cannot be unpacked.", "Try again later; nothing was kept.") from error
    return folder


def _untar(packed: Path, folder: Path, inside: str) -> None:
    """Unpack plain files that lie directly in the folder ``inside`` of an archive; anything else is refused."""
    left = _UNPACKED
    with tarfile.open(packed, "r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if member.isdir() and parts == (inside,):
                continue
            source = archive.extractfile(member) if member.isreg() else None
            if source is None or len(parts) != 2 or parts[0] != inside or parts[1] in ("..", "."):
                raise DataError("The downloaded archive holds something other than plain files in its folder.", "Nothing was kept.")
            left -= _copy(source, folder / parts[1], left)


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, limit: int) -> int:
    written = 0
    with target.open("wb") as output:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > limit:
                raise DataError("The downloaded file unpacks to far more than it should.", "Try again later; nothing was kept.")
            output.write(chunk)
        output.flush()
        os.fsync(output.fileno())
    return written


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _place(folder: Path, target: Path, make: Callable[[Path], None]) -> None:
    """Move the files of a folder to their place, each at once; the folder whole where it is new."""
    if not target.exists():
        make(target.parent)
        with contextlib.suppress(OSError):  # another process may have made it just now
            folder.rename(target)
            return
    for path in folder.iterdir():
        path.replace(target / path.name)
