"""Published weights arrive whole, checked against their published hash, or not at all."""

import dataclasses
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from zoo_weights import torchvision_weights

from ntkcore.errors import DataError, WeightsMissing
from ntkcore.models import fetch, weights_content, zoo
from ntkcore.settings import Settings
from ntkcore.specs import ModelSpec

NAME = "torchvision:shufflenet_v2_x0_5"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A server of files by path, and a network whose weights are published there: ``hub(data, sha256)``."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = files.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def publish(data, sha256=None, path="/m/resolve/main/model.pth", **others):
            files.clear()
            files.update({path: data} if data is not None else {}, **others)
            known = dataclasses.replace(zoo.published(NAME), url=f"http://127.0.0.1:{http.server_port}{path}", sha256=sha256 or "")
            monkeypatch.setattr(fetch, "published", lambda _: known)
            return files

        yield publish
        http.shutdown()
        thread.join()


@pytest.fixture
def weights(tmp_path):
    torchvision_weights(tmp_path / "made.pth")
    return (tmp_path / "made.pth").read_bytes()


def test_weights_arrive_with_progress_and_are_found(hub, weights, tmp_path):
    local, told = Settings(weights_dir=tmp_path / "weights"), []
    hub(weights, hashlib.sha256(weights).hexdigest()[:8])
    path = fetch.download_weights(NAME, local, lambda *step: told.append(step))
    assert path.name == "shufflenet_v2_x0_5.pth"
    assert told[-1] == (len(weights), len(weights))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert weights_content(ModelSpec(architecture=NAME, weights="pretrained"), local.weights_paths) == hashlib.sha256(weights).hexdigest()


@pytest.mark.parametrize("wrong", ["named", "pointed", "none"])
def test_what_is_not_the_published_file_is_not_kept(hub, weights, tmp_path, wrong):
    local = Settings(weights_dir=tmp_path / "weights")
    if wrong == "named":
        hub(weights, "0" * 8)
    elif wrong == "pointed":
        hub(weights)["/m/raw/main/model.pth"] = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    else:
        hub(b"a login page")
    with pytest.raises(DataError):
        fetch.download_weights(NAME, local)
    assert not list((tmp_path / "weights").iterdir())


def test_without_a_network_the_card_says_which_file_to_put_where(hub, tmp_path):
    local = Settings(weights_dir=tmp_path / "weights")
    hub(None)
    with pytest.raises(
        WeightsMissing, match=r"could not be downloaded.*shufflenet_v2_x0_5\.safetensors into the weights folder"
    ) as missing:
        fetch.download_weights(NAME, local)
    assert missing.value.architecture == NAME
