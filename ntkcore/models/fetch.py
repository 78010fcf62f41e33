"""Fetching a network's published weights into the weights folder: checked against the published hash, in place whole or not at all."""

import contextlib
import errno
import hashlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path

from ntkcore.errors import DataError, StoreError, WeightsMissing
from ntkcore.models.weights import read_weights
from ntkcore.models.zoo import published
from ntkcore.private import make_private
from ntkcore.remote import NoAnswer, answered, receive
from ntkcore.settings import Settings

_LARGEST = 8 * 2**30  # bytes of a weights file
_OID = re.compile(r"oid sha256:([0-9a-f]{64})")


def download_weights(architecture: str, settings: Settings, progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch the published weights of a network by name.

    Args:
        architecture: ``timm:NAME`` or ``torchvision:NAME``.
        settings: whose weights folder receives them.
        progress: called with (bytes fetched, bytes in all, or 0 where that is not said); may raise Cancelled.

    Returns:
        The file.

    Raises:
        ModelError: there is no such network.
        WeightsMissing: none are published, or their address does not answer.
        DataError: what came is not what was published, or no weights.
        StoreError: the disk is full or not writable.
    """
    known, folder = published(architecture), settings.weights_paths[0]
    by_hand = f"Put the file {known.files[0]} into the weights folder (setting NTK_WEIGHTS_DIR) by hand." if known.files else ""
    if not known.url:
        raise WeightsMissing(f"No weights of {architecture} are published.", by_hand or "Choose random weights.", architecture)
    target = folder / _name(known.url, known.files)
    partial = folder / f".{uuid.uuid4().hex}{target.suffix}"
    try:
        if settings.weights_dir is None:
            make_private(folder)
        folder.mkdir(parents=True, exist_ok=True)
        expected = known.sha256 or _of_pointer(known.url)
        digest = _fetch(known.url, partial, progress or (lambda done, total: None))
        if not digest.startswith(expected):
            raise DataError(f"What was downloaded is not the published weights of {architecture}.", "Try again later; nothing was kept.")
        read_weights(partial)
        partial.replace(target)
    except NoAnswer as error:
        host = known.url.split("/")[2]
        raise WeightsMissing(
            f"The weights of {architecture} could not be downloaded ({host}: {error}).",
            f"Connect this machine to the network and try again. {by_hand}",
            architecture,
            place=target,
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(
            f"The weights of {architecture} could not be stored: {'the disk is full' if full else error.strerror}.",
            "Free some disk space, then try again." if full else "Check the permissions of the weights folder.",
            place=target,
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _name(url: str, files: tuple[str, ...]) -> str:
    """What the file is called here: as it is looked for, with the ending that it has there."""
    there = url.rpartition("/")[2]
    return there if there in files else next(name for name in files if name.endswith(there[there.rindex(".") :]))


def _fetch(url: str, target: Path, progress: Callable[[int, int], None]) -> str:
    """SHA-256 (hex) of what was fetched."""
    digest, size = hashlib.sha256(), 0
    with answered(url) as answer, target.open("wb") as output:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := receive(answer):
            digest.update(chunk)
            output.write(chunk)
            size += len(chunk)
            if size > _LARGEST:
                raise NoAnswer("the file is far too large")
            progress(size, total)
        if size < total:
            raise NoAnswer("the connection broke off")
    return digest.hexdigest()


def _of_pointer(url: str) -> str:
    """The SHA-256 that a hub publishes beside a large file; "" where it does not."""
    if "/resolve/" not in url:
        return ""
    with contextlib.suppress(NoAnswer), answered(url.replace("/resolve/", "/raw/")) as answer:
        found = _OID.search(receive(answer)[:1000].decode("ascii", "replace"))
        return found[1] if found else ""
    return ""
