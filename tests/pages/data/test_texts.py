"""The import page for texts: what it asks for, what it sends, and how a set of texts stands in the list."""

import json
import re
from pathlib import Path

import pytest
from recording import Recording
from reviews import REVIEWS, write_reviews
from small_analyses import SMALL, quickly
from visiting import button, kept_cache, opened, said, told, visitor, widget

from ntkcore.analyses import catalogue
from ntkcore.analyses.catalogue import named
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_texts
from ntkcore.permalink import ADDRESSES
from pages import PAGES

VECTORS = b"film 1 2 3\nstory 2 1 0\nmusic 0 1 1\n"


@pytest.fixture
def file(tmp_path):
    return write_reviews(tmp_path / "reviews.csv")


def sent(ws: Workspace) -> dict:
    """The payload of the only job."""
    (job,) = ws.jobs.list(10)
    return job.payload


def test_a_csv_asks_for_what_texts_need_and_is_sent(app, ws, file):
    opened(app, "images")
    assert any("Photographs keep their originals" in c.value for c in app.caption)
    app.file_uploader[0].upload("reviews.csv", file.read_bytes(), "text/csv").run()
    assert not app.exception
    assert not any("Photographs" in c.value for c in app.caption)
    assert widget(app, "number_input", "Numbers for each text").value == 100
    assert app.text_input[0].value == "reviews"
    widget(app, "number_input", "Numbers for each text").set_value(7).run()
    widget(app, "text_input", "Texts are in the column").set_value("review").run()
    button(app, "Import").click().run()
    assert not app.exception
    payload = sent(ws)
    assert payload["order"]["texts"] == {"columns": ["review", ""], "vectors": None, "dimensions": 7}
    catalogue.handlers(ws)["import"](payload, Recording())
    opened(app, "images")
    assert any("40 texts, 2 classes, 7 numbers each" in m.value for m in app.markdown)
    assert said(app).count("atlas-snippet") == 9
    assert any("bad (20 texts), good (20 texts)" in c.value for c in app.caption)
    assert any(
        "reduced to 7 numbers by a truncated SVD of the whole set, without the labels" in c.value.replace("\\", "") for c in app.caption
    )


def test_word_vectors_are_asked_for_before_it_can_be_sent(app, ws, file):
    opened(app, "images")
    app.file_uploader[0].upload("reviews.csv", file.read_bytes(), "text/csv").run()
    widget(app, "button_group", "Each text becomes").set_value("vectors").run()
    assert not app.exception
    assert button(app, "Import").disabled
    app.file_uploader[1].upload("glove.txt", VECTORS, "text/plain").run()
    button(app, "Import").click().run()
    assert not app.exception
    payload = sent(ws)
    assert payload["vectors_uploaded"]
    assert Path(payload["order"]["texts"]["vectors"]).read_bytes() == VECTORS


def test_a_set_of_texts_opens_with_a_network_for_vectors(app, cache, file):
    import_texts(file, cache, name="<b>reviews</b>")
    opened(app, "images")
    assert not button(app, "Explore").disabled
    shown = said(app)
    assert any(text[:60].replace("'", "&#x27;") in shown for text, _ in REVIEWS)
    button(app, "Explore").click().run()
    assert not app.exception
    assert "model" not in app.query_params  # the default, which is fully connected
    assert any("reviews" in p.proto.popover.label and "40 texts" in p.proto.popover.label for p in app.get("popover"))


HOSTILE = [b"{'descr': '<i8',\n  'x", b"(" * 90, b"\x00" * 90, b"{'descr': [1], 'fortran_order': False, 'shape': (3,)}"]


@pytest.mark.parametrize("header", HOSTILE, ids=range(len(HOSTILE)))
def test_a_damaged_set_is_marked_alone_and_can_be_removed(app, cache, file, header):
    sound = import_texts(file, cache, name="sound").content_id
    other = import_texts(write_reviews(file, REVIEWS[1:]), cache, name="other").content_id
    ends = cache.cache_dir / "sets" / other / "ends.npy"
    ends.write_bytes(ends.read_bytes()[:10] + header.ljust(118)[:118] + ends.read_bytes()[128:])
    opened(app, "images")
    assert "damaged on disk" in app.error[0].value and len(app.error) == 1
    explore = {b.key: b.disabled for b in app.button if b.label == "Explore"}
    assert explore == {f"explore-{sound[:12]}": False, f"explore-{other[:12]}": True}
    app.button(f"delete-{other[:12]}").click().run()
    assert not app.exception and not app.error and [b.label for b in app.button].count("Explore") == 1


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """Every page's small analysis of a set of texts of three classes: the query of each."""
    folder = tmp_path_factory.mktemp("texts")
    rows = [(text, ("good", "bad", "so so")[at % 3]) for at, (text, _) in enumerate(REVIEWS)]
    with kept_cache(folder) as ws, pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        own = import_texts(write_reviews(folder / "t.csv", rows), ws.settings, name="reviews").content_id
        queries = {page.name: _small(page.name) | {"dataset": "own", "own": own} for page in PAGES if page.result}
        for name, query in queries.items():
            named(name).compute(ADDRESSES[name].read(query)[0], ws, Recording())
        yield queries


def _small(name: str) -> dict[str, str]:
    return {field: value for field, value in SMALL[name].items() if field not in ("classes", "dataset")} | {"n": "20"}


@pytest.mark.parametrize("name", [page.name for page in PAGES if page.result])
def test_every_page_calls_texts_texts(computed, name):
    app = opened(visitor(), name, **computed[name])
    kinds = (
        "number_input",
        "selectbox",
        "multiselect",
        "slider",
        "button",
        "download_button",
        "toggle",
        "button_group",
        "checkbox",
        "radio",
    )
    labels = [f"{item.proto.label} {item.proto.help}" for kind in kinds for item in app.get(kind)]
    layouts = [json.loads(item.proto.spec)["layout"] for item in app.get("plotly_chart")]
    titles = [part.get("title", {}).get("text") or "" for layout in layouts for name, part in layout.items() if name[1:5] == "axis"]
    seen = " ".join([told(app), *labels, *titles]).replace("Bring your own images or texts", "").replace("mirror image", "")
    images = [seen[max(found.start() - 60, 0) : found.end() + 40] for found in re.finditer(r"(?<![\w.-])[Ii]mages?\b(?![-:])", seen)]
    assert not images
    assert "texts" in seen
