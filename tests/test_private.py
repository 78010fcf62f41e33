"""Everything in the cache is its owner's alone: as it is made, and once for what was made before."""

import functools
import hashlib
import http.server
import os
import stat
import threading

import numpy as np
import pytest

from ntkcore.analyses import imports
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_images, thumbnail_pack
from ntkcore.data.download import RemoteFile, download
from ntkcore.jobs import Jobs
from ntkcore.jobs.reserve import Reserve
from ntkcore.private import close_cache, close_tree, make_private, open_private
from ntkcore.settings import Settings
from ntkcore.store import Store
from pages.shared import signing

KEY = "a" * 64


def open_to_others(folder):
    """What in a folder others may look into."""
    found = [folder, *folder.rglob("*")]
    return [path for path in found if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)]


@pytest.fixture(params=[0o022, 0o000], ids=["usual", "open"])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_is_written_is_its_owners_alone(tmp_path, monkeypatch):
    made = Settings(cache_dir=tmp_path / "some" / "cache")
    ws = Workspace(made)
    np.savez(tmp_path / "set.npz", images=np.random.default_rng(0).integers(0, 255, (8, 8, 8), np.uint8), labels=np.arange(8) % 2)
    import_images(tmp_path / "set.npz", made, name="x")
    thumbnail_pack(np.zeros((4, 8, 8), np.uint8), made)
    signing.secret(made)
    with (tmp_path / "set.npz").open("rb") as file:
        imports.keep_upload(file, 10, ws)
    ws.rates.learn("training cpu", 1.0, 1.0)
    store = Store(made.cache_dir, made.disk_budget)
    with store.draft("kernel", KEY, {"a": 1}) as draft:
        draft.create("k", (4, 4), "f4", (2, 2))
        for tile in draft.missing("k"):
            draft.write("k", tile, np.zeros((2, 2), np.float32))
        draft.put_json("told", {"a": 1})
        draft.publish({})
    store.pin("kernel", KEY)
    with store.draft("kernel", "b" * 64, {"a": 1}):
        jobs = Jobs(made)  # its lock and the draft's are there meanwhile
        jobs.submit("import", KEY, {}, "An import")
        assert open_to_others(made.cache_dir) == []
    Reserve(made.cache_dir / "workers" / "x.reserve").hold()
    jobs.close()
    assert len([path for path in made.cache_dir.rglob("*") if path.is_file()]) > 15
    assert open_to_others(made.cache_dir) == []


@pytest.mark.usefixtures("umask")
def test_a_download_is_private_in_the_cache_and_as_the_umask_says_elsewhere(tmp_path):
    """From an archive served by this process's own disk: nothing is asked of a network."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "train.bin").write_bytes(b"x" * 10)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/train.bin"
        digest = hashlib.md5(b"x" * 10, usedforsecurity=False).hexdigest()
        published = {"cifar100": (RemoteFile((url,), digest, 10, "cifar/raw", "file"),)}
        alone, shared = (
            Settings(cache_dir=tmp_path / "cache", data_dir=None),
            Settings(cache_dir=tmp_path / "c", data_dir=tmp_path / "data"),
        )
        for made in (alone, shared):
            download("cifar100", made, published=published)
        server.shutdown()
    assert (alone.data_path / "cifar" / "raw" / "train.bin").read_bytes() == b"x" * 10
    assert open_to_others(alone.cache_dir) == []
    assert open_to_others(shared.data_path)


def test_a_cache_of_before_is_closed_once(tmp_path):
    cache, outside = tmp_path / "cache", tmp_path / "outside"
    (cache / "artifacts" / "kernel").mkdir(parents=True)
    (cache / "artifacts" / "kernel" / "manifest.json").write_text("{}")
    outside.mkdir()
    (outside / "shared.bin").write_bytes(b"x")
    (cache / "data").symlink_to(outside)
    cache.chmod(0o755)
    rights = outside.stat().st_mode, (outside / "shared.bin").stat().st_mode
    close_cache(cache)
    assert open_to_others(cache) == []
    assert rights == (outside.stat().st_mode, (outside / "shared.bin").stat().st_mode)
    (cache / "artifacts" / "kernel" / "manifest.json").chmod(0o644)
    close_cache(cache)  # does not walk again
    assert [path.name for path in open_to_others(cache)] == ["manifest.json"]
    cache.chmod(0o755)
    close_cache(cache)
    assert open_to_others(cache) == []


def test_a_queue_of_before_is_closed_with_its_cache(cache):
    cache.cache_dir.chmod(0o755)
    (cache.cache_dir / "jobs.sqlite").chmod(0o644)
    jobs = Jobs(cache)
    jobs.submit("import", KEY, {}, "An import")
    assert open_to_others(cache.cache_dir) == []
    jobs.close()


def test_what_is_there_keeps_its_content(tmp_path):
    make_private(tmp_path / "a" / "b")
    for mode in ("wb", "ab", "ab"):
        with open_private(tmp_path / "a" / "b" / "log", mode) as file:
            file.write(b"x")
    assert (tmp_path / "a" / "b" / "log").read_bytes() == b"xxx"
    close_tree(tmp_path / "none")
    assert open_to_others(tmp_path / "a") == []
