"""The import page for photographs: a look inside, what is sent, and how a divided set stands in the list and opens."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from recording import Recording
from visiting import button, kept_cache, opened, told, visitor, widget

from ntkcore.analyses import catalogue
from ntkcore.data import import_images, own_sets
from ntkcore.jobs import Jobs


def jpeg(seed, shape=(90, 120)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    buffer = io.BytesIO()
    Image.fromarray(np.stack([rows + 9 * seed, columns + 17 * seed, rows + columns], -1).astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def asked(app, name):
    """A value of the address, which a page and a navigation hold differently."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


@pytest.fixture
def file(tmp_path):
    """Twelve photographs to train on, eight held out, and one that cannot be read."""
    with zipfile.ZipFile(tmp_path / "insects.zip", "w") as archive:
        for c, name in enumerate(("ants", "bees")):
            for i in range(10):
                archive.writestr(f"{name}/{'train' if i < 6 else 'val'}_{i}.jpg", jpeg(10 * c + i))
        archive.writestr("bees/train_broken.jpg", b"no image")
    return tmp_path / "insects.zip"


def test_a_zip_is_looked_into_and_imported(app, ws, file, monkeypatch):
    opened(app, "images")
    assert button(app, "Look inside first").disabled
    app.file_uploader[0].upload("insects.zip", file.read_bytes(), "application/zip").run()
    button(app, "Look inside first").click().run()
    (job,) = ws.jobs.list(10)
    found = catalogue.handlers(ws)["preview"](json.loads(json.dumps(job.payload)), Recording())
    with monkeypatch.context() as patch:  # as when a worker has done it
        state = Jobs.state
        patch.setattr(Jobs, "state", lambda jobs, key: dataclasses.replace(state(jobs, key), status="done", result=found))
        app.run()
        assert not app.exception
        assert any("**20 images**, 2 classes" in m.value and "train (12), val (8)" in m.value and "90 px" in m.value for m in app.markdown)
        assert any("broken" in c.value and "is damaged" in c.value for c in app.caption)
    button(app, "Import").click().run()
    assert not app.exception
    (payload,) = [job.payload for job in ws.jobs.list(10) if job.kind == "import"]
    assert payload["order"]["names"] == ["insects.zip"] and payload["uploaded"]
    catalogue.handlers(ws)["import"](payload, Recording())
    assert not list((ws.settings.cache_dir / "uploads").iterdir())  # one copy served the look and the import
    (item,) = own_sets(ws.settings)
    assert item.parts == (("train", 12), ("val", 8)) and item.skipped_count == 1
    opened(app, "images")
    assert any("20 images, 2 classes" in m.value for m in app.markdown)
    assert "The division into train (12), val (8) is kept" in told(app).replace("\\", "")
    button(app, "Explore").click().run()
    assert not app.exception
    assert (asked(app, "part"), asked(app, "n")) == ("train", "12")


def test_part_and_size_are_chosen_in_the_bar(app, file, cache):
    own = import_images(file, cache, name="Insects").content_id
    opened(app, "learnability", dataset="own", own=own, n="12", part="train")
    assert widget(app, "selectbox", "Trained on the part").value == "train"
    assert widget(app, "selectbox", "Size of the images").value is None
    widget(app, "selectbox", "Size of the images").set_value(96).run()
    assert not app.exception and not app.error and asked(app, "size") == "96"
    assert widget(app, "number_input", "Share that the square keeps").value == 1.0
    widget(app, "selectbox", "Trained on the part").set_value("").run()
    assert not app.exception and not app.error and "part" not in app.query_params
    opened(app, "learnability", dataset="own", own=own, n="12", part="test")
    assert "has no part 'test'" in told(app).replace("\\", "")


def test_more_images_for_a_set(app, ws, file, cache, tmp_path):
    first = import_images(file, cache, name="Insects").content_id
    opened(app, "images")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("bees/val_77.jpg", jpeg(77))
    app.file_uploader[0].upload("more.zip", (tmp_path / "more.zip").read_bytes(), "application/zip").run()
    widget(app, "selectbox", "Together with").set_value(first).run()
    assert app.text_input[0].value == "Insects"
    button(app, "Import").click().run()
    (job,) = ws.jobs.list(10)
    assert job.payload["order"]["more"] == first
    catalogue.handlers(ws)["import"](job.payload, Recording())
    opened(app, "images")
    assert {item.n for item in own_sets(ws.settings)} == {20, 21}
    assert "A new version of" in told(app)


def test_a_folder_is_referred_to_unless_copies_are_wanted(tmp_path, monkeypatch, file):
    folder = tmp_path / "photos"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    monkeypatch.setenv("NTK_IMPORT_ROOTS", json.dumps([str(folder)]))
    with kept_cache(tmp_path) as ws:
        app = opened(visitor(), "images")
        next(w for w in app.text_input if w.label.startswith("… or a path")).set_value(str(folder)).run()
        assert widget(app, "checkbox", "Leave the photographs where they are").value
        button(app, "Import").click().run()
        (job,) = ws.jobs.list(10)
        assert job.payload["order"]["refer"] and job.payload["order"]["paths"] == [str(folder)]
