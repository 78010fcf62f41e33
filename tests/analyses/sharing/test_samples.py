"""Tables for other tools: what each file holds, read back by other means than it was written."""

import base64
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from caches import begun
from PIL import Image
from recording import Recording
from small_analyses import SMALL

from ntkcore.analyses import catalogue
from ntkcore.analyses.sharing import samples
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.data import thumbnail_pack
from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings

QUERY = SMALL["learnability"] | {"noise": "0.2"}


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NTK_CACHE_DIR", str(begun(tmp_path_factory.mktemp("samples") / "cache")))
        patch.setenv("NTK_START_WORKER", "0")
        settings.cache_clear()
        yield Workspace(settings())
    settings.cache_clear()


@pytest.fixture(scope="module")
def found(ws):
    spec, view = ADDRESSES["learnability"].read(QUERY)
    catalogue.named("learnability").compute(spec, ws, Recording())
    return samples.taken("learnability", spec, view, ws)


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def test_parquet_has_the_table_with_its_types(found, ws):
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(samples.written("parquet", found, ws))), found.table)


def test_fiftyone_has_every_image_beside_its_scores(found, ws):
    with zipfile.ZipFile(io.BytesIO(samples.written("fiftyone", found, ws))) as archive:
        held = json.loads(archive.read("samples.json"))
        assert held["num_samples"] == len(held["samples"]) == len(found.table) == len(archive.namelist()) - 1
        for sample, row in zip(held["samples"], found.table.to_dict("records"), strict=True):
            with (
                Image.open(io.BytesIO(archive.read(sample["filepath"]))) as shown,
                Image.open(io.BytesIO(found.pack.picture(row["image"]))) as own,
            ):
                assert np.array_equal(np.asarray(shown), np.asarray(own))
            assert sample["ground_truth"] == {"_cls": "Classification", "label": row["label"]}
            assert sample["prediction"]["label"] == row["predicted"] and sample["source"] == row["id"]
            assert sample["k_xx"] == row["k_xx"] and sample["correct"] is row["correct"]
            assert sample["learned_epoch"] == (None if row["learned_epoch"] is pd.NA else row["learned_epoch"])
            assert all(name.isidentifier() for name in sample)


def test_label_studio_has_tasks_that_hold_their_images(found, ws):
    tasks = json.loads(samples.written("label-studio", found, ws))
    assert len(tasks) == len(found.table)
    for task, row in zip(tasks, found.table.to_dict("records"), strict=True):
        head, _, picture = task["data"]["image"].partition(",")
        assert head == "data:image/png;base64" and base64.b64decode(picture) == found.pack.picture(row["image"])
        assert task["data"]["number"] == row["image"] and task["data"]["k_xx"] == row["k_xx"]
        (told,) = task["predictions"][0]["result"]
        assert (
            told["value"] == {"choices": [row["predicted"]]}
            and told["to_name"] == "image"
            and found.key.startswith(task["predictions"][0]["model_version"])
        )


def test_texts_are_tasks_of_texts_and_what_is_no_number_is_null(ws):
    pack = thumbnail_pack(np.zeros((2, 8, 8), np.uint8), ws.settings, ["one <b>", "two"])
    table = pd.DataFrame({"image": [1, 0], "text": ["two", "one <b>"], "label": ["a", "b"], "score": [np.nan, np.inf]})
    tasks = json.loads(samples.written("label-studio", samples.Taken("t", "k" * 64, table, pack), ws))
    assert [task["data"]["text"] for task in tasks] == ["two", "one <b>"]
    assert [task["data"]["score"] for task in tasks] == [None, None]
    assert {task["predictions"][0]["result"][0]["to_name"] for task in tasks} == {"text"}


def test_names_of_fields_are_ones_that_fiftyone_takes():
    taken = {"k(x,x)": "k_x_x", "tags": "tags_", "0 at first": "n0_at_first", "plain": "plain", "??": "field"}
    assert {name: samples._field(name) for name in taken} == taken
    assert all(name.isidentifier() for name in taken.values())


def test_a_table_without_images_is_refused_for_images(found, ws):
    bare = samples.Taken("t", "k", found.table, None)
    for form in ("fiftyone", "label-studio"):
        with pytest.raises(SpecError, match="no images"):
            samples.written(form, bare, ws)
    with pytest.raises(SpecError, match="no form"):
        samples.written("xls", found, ws)


def test_the_command_writes_what_a_link_asks_for(found, ws, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.workspace.workspace", lambda: ws)
    query = "&".join(f"{name}={value}" for name, given in QUERY.items() for value in (given if isinstance(given, list) else [given]))
    file = tmp_path / "out.parquet"
    assert main(["export", f"https://atlas.example.org/team/learnability?{query}", "--as", "parquet", "-o", str(file)]) == 0
    assert len(pd.read_parquet(file)) == 30 and "30 rows of Learnability" in capsys.readouterr().out
    report = tmp_path / "out.html"
    assert main(["report", f"/learnability?{query}", "-o", str(report)]) == 0
    assert report.read_text().startswith("<!doctype html>") and "left out" in capsys.readouterr().out
    assert main(["report", f"/learnability?{query}", "--list"]) == 0 and "would take" in capsys.readouterr().out
    assert main(["report", "/astrology"]) == 1 and "no link of an analysis" in capsys.readouterr().err
