"""Requests: what is asked, kept and handed to a worker."""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recording import Recording
from reviews import write_reviews

from ntkcore.analyses import catalogue, imports
from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Columns, TextWishes, describe, own_sets
from ntkcore.errors import Cancelled, DataError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.learnability import LearnabilitySpec

ROOT = Path(__file__).resolve().parents[2]
SPEC = LearnabilitySpec.model_validate({"dataset": {"n": 200}, "model": {"width": 8, "depth": 1}, "training": {"epochs": 1}})


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def small_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("a", "b"):
            for i in range(3):
                image = io.BytesIO()
                Image.fromarray(np.full((8, 8), 40 * i + (10 if name == "a" else 0), np.uint8)).save(image, "PNG")
                archive.writestr(f"{name}/{i}.png", image.getvalue())
    buffer.seek(0)
    return buffer


def test_one_request_one_job_and_its_handler_computes_it(ws):
    first, second = LEARNABILITY.request(SPEC, ws), LEARNABILITY.request(SPEC, ws)
    assert first.id == second.id
    assert len(ws.jobs.list(10)) == 1
    payload = json.loads(json.dumps(first.payload))
    catalogue.handlers(ws)["learnability"](payload, Recording())
    assert LEARNABILITY.ready(SPEC, ws)


def test_a_convergence_is_asked_for_and_computed_alike(ws, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1,))
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1,))
    spec = ConvergenceSpec.model_validate(
        {"dataset": {"n": 12, "classes": ("0", "1", "2")}, "test": 6, "depth": 1, "widths": (4,), "seeds": 1, "looks": (0,)}
    )
    job = CONVERGENCE.request(spec, ws)
    assert job.id == CONVERGENCE.request(spec, ws).id == CONVERGENCE.key(spec, ws)
    assert job.title == "Convergence on Digits 0 | 1 | 2, 12 images · Fully connected"
    catalogue.handlers(ws)["convergence"](json.loads(json.dumps(job.payload)), Recording())
    assert CONVERGENCE.ready(spec, ws)


def test_upload_is_kept_once_imported_and_deleted(ws):
    content = small_zip()
    path = imports.keep_upload(content, len(content.getvalue()), ws)
    assert path.read_bytes() == content.getvalue()
    again = imports.keep_upload(content, len(content.getvalue()), ws)
    assert again != path  # each import deletes its own file
    again.unlink()
    job = imports.request_import([path], "shapes", "auto", ws, uploaded=True)
    result = catalogue.handlers(ws)["import"](job.payload, Recording())
    assert [item.content_id for item in own_sets(ws.settings)] == [result["content_id"]]
    assert not path.exists()


def test_texts_and_their_word_vectors_are_imported_and_both_uploads_deleted(ws, tmp_path):
    file = write_reviews(tmp_path / "t", header=("one", "two")).read_bytes()
    vectors = b"film 1 2 3\nstory 2 1 0\nmusic 0 1 1\n"
    path, words = (imports.keep_upload(io.BytesIO(data), len(data), ws) for data in (file, vectors))
    wishes = TextWishes(Columns("one", "two"), words)
    job = imports.request_import([path], "reviews", "auto", ws, uploaded=True, texts=wishes, vectors_uploaded=True)
    other = imports.request_import([path], "reviews", "auto", ws, uploaded=True, texts=TextWishes(Columns("one", "two")))
    assert job.id != other.id
    recording = Recording()
    result = catalogue.handlers(ws)["import"](json.loads(json.dumps(job.payload)), recording)
    (mine,) = own_sets(ws.settings)
    assert (mine.content_id, mine.kind, mine.shape) == (result["content_id"], "texts", (3,))
    assert not path.exists()
    assert not words.exists()
    spec = DatasetSpec(name="own", own=mine.content_id, n=20)
    assert describe.describe_dataset(spec, ws.settings) == "reviews, 20 texts"


def test_word_vectors_on_the_server_only_inside_the_allowed_folders(tmp_path):
    ws = Workspace(Settings(cache_dir=tmp_path / "cache", import_roots=(tmp_path / "allowed",)))
    (tmp_path / "v.txt").write_text("film 1 2\n")
    with pytest.raises(DataError, match="not inside an allowed folder"):
        imports.request_import([tmp_path / "up"], "x", "auto", ws, uploaded=True, texts=TextWishes(vectors=tmp_path / "v.txt"))


def test_a_stopped_import_keeps_its_upload_and_goes_on(ws):
    content = small_zip()
    path = imports.keep_upload(content, len(content.getvalue()), ws)
    job = imports.request_import([path], "shapes", "auto", ws, uploaded=True)
    with pytest.raises(Cancelled):
        catalogue.handlers(ws)["import"](job.payload, Recording(stop_at=("Reading images", 0.0)))
    assert path.exists() and imports.at_hand(job)
    assert imports.go_on(job, ws).id == job.id
    found = catalogue.handlers(ws)["import"](job.payload, Recording())
    assert [item.content_id for item in own_sets(ws.settings)] == [found["content_id"]]
    assert not path.exists() and not imports.at_hand(job)


def test_a_look_inside_keeps_its_upload(ws):
    content = small_zip()
    path = imports.keep_upload(content, len(content.getvalue()), ws)
    job = imports.request_preview([path], ws, uploaded=True)
    found = catalogue.handlers(ws)["preview"](json.loads(json.dumps(job.payload)), Recording())
    assert found["kind"] == "images" and sum(found["counts"]) == found["n"] and path.exists()
    assert own_sets(ws.settings) == ()


def test_a_bad_upload_is_deleted_too(ws):
    path = imports.keep_upload(io.BytesIO(b"nonsense"), 8, ws)
    job = imports.request_import([path], "x", 32, ws, uploaded=True)
    with pytest.raises(DataError):
        catalogue.handlers(ws)["import"](job.payload, Recording())
    assert not path.exists()
    assert own_sets(ws.settings) == ()


def test_an_upload_over_the_limit_is_refused_before_it_is_written(tmp_path):
    ws = Workspace(Settings(cache_dir=tmp_path, upload_limit=10))
    with pytest.raises(DataError):
        imports.keep_upload(io.BytesIO(b"x" * 11), 11, ws)
    assert not (tmp_path / "uploads").exists()


def test_server_folders_only_inside_the_allowed_ones(tmp_path):
    (tmp_path / "allowed").mkdir()
    ws = Workspace(Settings(cache_dir=tmp_path / "cache", import_roots=(tmp_path / "allowed",)))
    for path in (tmp_path, tmp_path / "allowed" / "..", tmp_path / "missing"):
        with pytest.raises(DataError):
            imports.request_import([path], "x", "auto", ws, uploaded=False)


def test_abandoned_uploads_go_after_a_day(ws):
    old, new = (imports.keep_upload(io.BytesIO(b"x"), 1, ws) for _ in range(2))
    os.utime(old, (0, 0))
    imports.sweep_uploads(ws.settings)
    assert not old.exists()
    assert new.exists()


def test_a_title_names_what_a_person_chose(ws):
    spec = LearnabilitySpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 1200, "label_noise": 0.1}})
    assert describe.describe_dataset(spec.dataset, ws.settings) == "Digits 3 | 8, 1,200 images, 10 % flipped"


@pytest.mark.kill
@pytest.mark.parametrize("limit", ["resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))", "os.geteuid() == 0 and os.setuid(65534)"])
def test_an_upload_that_cannot_be_written_is_said_and_leaves_nothing(limit):
    script = f"""
import io, os, resource, signal, sys
from pathlib import Path
from ntkcore.analyses import imports
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import StoreError
from ntkcore.settings import Settings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
{limit}
try:
    imports.keep_upload(io.BytesIO(b"x" * 9000), 9000, Workspace(Settings(cache_dir=Path(sys.argv[1]))))
except StoreError as error:
    print(error.message, error.remedy)
"""
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies in a folder closed to other users
        Path(folder).chmod(0o555 if "setuid" in limit else 0o755)
        said = subprocess.run([sys.executable, "-c", script, folder], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        Path(folder).chmod(0o755)
        assert ("not allowed" if "setuid" in limit else "allowed size: 8.8 KiB") in said
        assert "NTK_CACHE_DIR" in said
        assert not [path for path in Path(folder).rglob("*") if path.is_file()]
