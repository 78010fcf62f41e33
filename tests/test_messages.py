"""What is said to visitors names sets and files, and never where these lie on the server."""

import errno
import gzip
import io
import os
from contextlib import suppress

import numpy as np
import pytest

from ntkcore import cli
from ntkcore.analyses import imports
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Order, catalogue, content_hash, download, import_images, load_dataset, remove_own, thumbnail_pack, written
from ntkcore.data.download import RemoteFile
from ntkcore.errors import AtlasError, DataError, DataMissing, StoreError
from ntkcore.jobs import Jobs, ensure_worker, failures
from ntkcore.models.weights import weights_content
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec, ModelSpec
from ntkcore.store import Store
from ntkcore.store.files import guarded

KEY = "a" * 64
REMOTE = {"mnist": (RemoteFile(("http://127.0.0.1:9/nothing.gz",), "0" * 32, 10, "MNIST/raw", "gz"),)}


def folder_is_a_file(made):
    (made.cache_dir.parent / "file").write_bytes(b"")
    return made.model_copy(update={"cache_dir": made.cache_dir.parent / "file"})


def idx(made, content):
    folder = made.data_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (folder / name).write_bytes(content)


def damaged_set(made):
    idx(made, gzip.compress(b"\0\0\x08\x01\0\0\0\x05"))
    load_dataset(DatasetSpec(name="mnist", n=10), made)


def unpacked_set(made):
    idx(made, b"\x1f\x8b\x08 and no more")
    content_hash(DatasetSpec(name="mnist"), made)


def unreadable_set(made):
    folder = made.data_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"\0\0\x08\x01")
    os.truncate(folder / "train-images-idx3-ubyte", 0)
    load_dataset(DatasetSpec(name="mnist", n=10), made)


def other_draft(made):
    store = Store(made.cache_dir, made.disk_budget)
    with store.draft("kernel", KEY, {"a": 1}):
        pass
    with store.draft("kernel", KEY, {"a": 2}):
        pass


def refused(number):
    def raised(made):
        with guarded(made.cache_dir / "artifacts", 100):
            raise OSError(number, os.strerror(number), str(made.cache_dir))

    return raised


def payload(path):
    return {"order": written(Order((path,), "x", 8)), "uploaded": True, "vectors_uploaded": False}


def nonsense(made):
    ws = Workspace(made)
    path = imports.keep_upload(io.BytesIO(b"nonsense"), 8, ws)
    imports.bring_in(made, payload(path), _Told())


def gone(made):
    imports.bring_in(made, payload(made.cache_dir / "uploads" / "x"), _Told())


class _Told:
    def plan(self, stages):
        pass

    def report(self, stage, done):
        pass


BATTERY = {
    "a set that is missing": lambda made: load_dataset(DatasetSpec(name="svhn", n=10), made),
    "a set that is damaged": damaged_set,
    "a set that cannot be unpacked": unpacked_set,
    "a set that is empty": unreadable_set,
    "no network": lambda made: download("mnist", made, published=REMOTE),
    "a download that cannot be kept": lambda made: download("mnist", folder_is_a_file(made), published=REMOTE),
    "an own set that is missing": lambda made: load_dataset(DatasetSpec(name="own", own=KEY, n=10), made),
    "an own set that cannot be removed": lambda made: remove_own(KEY, made),
    "an import of nonsense": nonsense,
    "an import of nothing": gone,
    "an import of a path": lambda made: import_images(made.cache_dir / "none.zip", made, name="x"),
    "an import without a place": lambda made: import_images(made.cache_dir / "none.zip", folder_is_a_file(made), name="x"),
    "an upload without a place": lambda made: imports.keep_upload(io.BytesIO(b"x"), 1, Workspace(folder_is_a_file(made))),
    "a folder that is not allowed": lambda made: imports.request_import(
        [made.cache_dir.parent / "x"], "x", 8, Workspace(made), uploaded=False
    ),
    "a full disk": refused(errno.ENOSPC),
    "a used quota": refused(errno.EDQUOT),
    "no permission": refused(errno.EACCES),
    "a disk that can only be read": refused(errno.EROFS),
    "a broken disk": refused(errno.EIO),
    "a draft of something else": other_draft,
    "weights that are missing": lambda made: weights_content(ModelSpec(architecture="resnet20", weights="pretrained"), made.weights_paths),
    "a queue without a place": lambda made: Jobs(folder_is_a_file(made)),
    "a worker without a place": lambda made: ensure_worker(folder_is_a_file(made)),
    "thumbnails without a place": lambda made: thumbnail_pack(np.zeros((4, 8, 8), np.uint8), folder_is_a_file(made)),
}


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "server"
    return Settings(cache_dir=folder / "cache", data_dir=folder / "data", weights_dir=folder / "weights")


@pytest.mark.parametrize("what", BATTERY)
def test_no_message_says_where_things_lie(made, what):
    made.cache_dir.mkdir(parents=True)
    made.data_path.mkdir()
    with pytest.raises(AtlasError) as caught:
        BATTERY[what](made)
    said = f"{caught.value} {caught.value.message} {caught.value.remedy} {failures.describe(caught.value, 'cpu')}"
    assert str(made.cache_dir.parent) not in said and "/server" not in said
    assert caught.value.message and caught.value.remedy


def test_nor_does_the_list_of_sets_or_an_error_that_nobody_expected(made):
    assert all("/server" not in f"{info.reason} {info.description}" for info in catalogue(made))
    said = failures.describe(FileNotFoundError(2, "No such file", str(made.cache_dir / "x")), "cpu")
    assert "/server" not in " ".join(said)


def test_the_command_line_says_it(made, monkeypatch, capsys):
    missing = DataMissing("MNIST is not on this machine.", "Download it.", place=made.data_path / "MNIST")

    def lacking(_):
        raise missing

    monkeypatch.setattr(cli, "_datasets", lacking)
    assert cli.main(["datasets"]) == 1
    assert capsys.readouterr().err == f"MNIST is not on this machine.\nDownload it.\nIt is about {made.data_path / 'MNIST'}.\n"
    assert str(made.data_path) not in str(missing)
    for kind in (DataError, StoreError):
        assert kind("a", "b", place=made.cache_dir).place == made.cache_dir and kind("a").place is None
        with suppress(kind):
            raise kind("a", place=made.cache_dir)
