import dataclasses
import gzip
import hashlib
import io
import socket
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ntkcore.data import RemoteFile, catalogue, download, load_dataset
from ntkcore.errors import Cancelled, DataError, DataMissing, SpecError, StoreError
from ntkcore.specs import DatasetSpec


@pytest.fixture
def server():
    """A web server on this machine: ``server.files[path] = bytes`` or an exception's name; ``server.url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = self.server.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data) + self.server.missing))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.files, http.missing = {}, 0
        http.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def remote(server, path, data, target, kind, *, urls=None):
    server.files[path] = data
    return RemoteFile(urls or (server.url + path,), hashlib.md5(data).hexdigest(), len(data), target, kind)


@pytest.fixture
def mnist(server, make, tmp_path):
    raw = tmp_path / "original"
    images, _ = make.mnist(raw)
    files = tuple(remote(server, f"/{path.name}.gz", gzip.compress(path.read_bytes()), "MNIST/raw", "gz") for path in sorted(raw.iterdir()))
    return {"mnist": files}, images


def tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            else:
                entry.type, entry.linkname = content
                archive.addfile(entry)
    return buffer.getvalue()


def left(local):
    return sorted(path.relative_to(local.data_path).as_posix() for path in local.data_path.rglob("*") if path.is_file())


def test_an_idx_set_arrives_and_loads(local, mnist):
    published, images = mnist
    assert not next(info for info in catalogue(local) if info.name == "mnist").available
    seen = []
    download("mnist", local, lambda *step: seen.append(step), published=published)
    assert next(info for info in catalogue(local) if info.name == "mnist").available
    data = load_dataset(DatasetSpec(name="mnist", n=60), local)
    np.testing.assert_array_equal(data.pixels[0], images[int(data.ids[0].split("/")[-1])])
    total = sum(file.size for file in published["mnist"])
    assert seen[-1] == (total, total)
    assert [step[0] for step in seen] == sorted(step[0] for step in seen)
    assert left(local) == ["MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"]
    download("mnist", local, published=published)  # again: the files are replaced
    assert len(left(local)) == 2


def test_a_tar_and_a_plain_file(local, server):
    members = [
        ("cifar-100-binary", (tarfile.DIRTYPE, "")),
        ("cifar-100-binary/train.bin", b"train"),
        ("cifar-100-binary/meta.txt", b"meta"),
    ]
    published = {
        "cifar100": (remote(server, "/c.tar.gz", tar(members), "cifar-100-binary", "tar"),),
        "svhn": (remote(server, "/train_32x32.mat", b"matlab", "", "file"),),
    }
    for name in published:
        download(name, local, published=published)
    assert left(local) == ["cifar-100-binary/meta.txt", "cifar-100-binary/train.bin", "train_32x32.mat"]


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", b"x"),
        ("/tmp/evil", b"x"),
        ("c/../../evil", b"x"),
        ("c/..", b"x"),
        ("other/file", b"x"),
        ("c/deep/file", b"x"),
        ("c/link", (tarfile.SYMTYPE, "/etc/passwd")),
        ("c/hard", (tarfile.LNKTYPE, "c/ok")),
        ("c/pipe", (tarfile.FIFOTYPE, "")),
    ],
)
def test_archives_with_anything_but_plain_files_are_refused(local, server, tmp_path, member):
    data = tar([("c/ok", b"ok"), member])
    with pytest.raises(DataError, match="something other than plain files"):
        download("cifar100", local, published={"cifar100": (remote(server, "/c.tar.gz", data, "c", "tar"),)})
    assert left(local) == []
    assert not (tmp_path / "evil").exists()


def test_the_next_address_is_tried(local, server, mnist):
    published, _ = mnist
    files = []
    for file in published["mnist"]:
        name = file.urls[0].rsplit("/", 1)[1]
        server.files[f"/wrong/{name}"] = b"a login page"
        files.append(dataclasses.replace(file, urls=(f"{server.url}/absent/{name}", f"{server.url}/wrong/{name}", *file.urls)))
    download("mnist", local, published={"mnist": tuple(files)})
    assert left(local) == ["MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"]


def test_wrong_content_is_refused_and_not_kept(local, server, mnist):
    published, _ = mnist
    server.files["/train-images-idx3-ubyte.gz"] = b"a login page"
    with pytest.raises(DataError, match="What was downloaded is not the published MNIST") as caught:
        download("mnist", local, published=published)
    assert not isinstance(caught.value, DataMissing)
    assert list(local.data_path.iterdir()) == []


def test_more_than_was_published_is_cut_off(local, server, mnist):
    published, _ = mnist
    server.files["/train-images-idx3-ubyte.gz"] = bytes(4 << 20)
    seen = []
    with pytest.raises(DataError, match="not the published file"):
        download("mnist", local, lambda *step: seen.append(step), published=published)
    assert max(step[0] for step in seen) <= seen[0][1]


def test_no_network_says_what_to_do(local, mnist):
    published, _ = mnist
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dead = {"mnist": tuple(dataclasses.replace(file, urls=(f"http://127.0.0.1:{port}/x.gz",)) for file in published["mnist"])}
    with pytest.raises(DataMissing, match="MNIST could not be downloaded") as caught:
        download("mnist", local, published=dead)
    assert "Connect this machine to the network" in caught.value.remedy
    assert "MNIST/raw in the data folder" in caught.value.remedy and caught.value.place == local.data_path / "MNIST" / "raw"
    assert list(local.data_path.iterdir()) == []


def test_a_missing_or_cut_file(local, server, mnist):
    published, _ = mnist
    server.missing = 10
    server.files["/train-images-idx3-ubyte.gz"] = server.files["/train-images-idx3-ubyte.gz"][:-10]
    with pytest.raises(DataMissing, match=r"could not be downloaded .*the connection broke off"):
        download("mnist", local, published=published)
    server.missing = 0
    server.files.clear()
    with pytest.raises(DataMissing, match="Not Found"):
        download("mnist", local, published=published)
    assert list(local.data_path.iterdir()) == []


def test_cancelling_leaves_nothing(local, mnist):
    published, _ = mnist

    def cancel(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        download("mnist", local, cancel, published=published)
    assert list(local.data_path.iterdir()) == []


def test_a_published_file_that_does_not_unpack(local, server):
    file = remote(server, "/train-images-idx3-ubyte.gz", b"not gzip", "MNIST/raw", "gz")
    with pytest.raises(DataError, match="cannot be unpacked"):
        download("mnist", local, published={"mnist": (file,)})
    assert left(local) == []


def test_sets_that_are_not_to_be_had(local):
    for name in ("digits", "own", "imagenet"):
        with pytest.raises(SpecError, match="cannot be downloaded"):
            download(name, local)


def test_only_web_addresses(local, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    file = RemoteFile((f"file:///{tmp_path}/file",), hashlib.md5(b"x").hexdigest(), 1, "", "file")
    with pytest.raises(ValueError, match="expected http or https"):
        download("svhn", local, published={"svhn": (file,)})


def test_a_data_folder_that_cannot_be_written(local, mnist):
    published, _ = mnist
    local.data_path.parent.mkdir(exist_ok=True)
    local.data_path.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="MNIST could not be stored"):
        download("mnist", local, published=published)
