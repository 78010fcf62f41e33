"""Nothing that nobody chose is an error: every page, question and study opens on sets of several sizes without a red box."""

from pathlib import Path

import numpy as np
import pytest
from recording import Recording
from visiting import kept_cache, opened, visitor, widget

from ntkcore.analyses import defaults
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.data import import_images
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from pages import PAGES

SHOWN = [page.name for page in PAGES if page.result]
SIZES = (12, 40, 182)
NETWORK = {"kernel": "full", "model": "fcn", "width": "4", "depth": "1"}
VIEWS = {
    "informative": {"ask": "informative"},
    "mislabelled": {"ask": "mislabelled"},
    "drop": {"ask": "drop"},
    "sources": {"ask": "sources"},
    "subclass": {"ask": "groups"},
    "adversarial": {"ask": "groups", "groups-study": "adversarial"},
    "retraining": {"ask": "believe"},
    "agreement": {"ask": "believe", "believe-show": "agreement"},
    "times": {"ask": "believe", "believe-show": "times"},
}


def own(folder: Path, n: int, classes: int = 3) -> str:
    """A set of so many images of the user's: its id."""
    generator = np.random.default_rng(n)
    labels = np.arange(n) % classes
    images = generator.integers(0, 200, (n, 8, 8)) + 50 * (np.arange(8) == labels[:, None, None])
    np.savez(folder / f"{n}.npz", images=images.astype(np.uint8), labels=labels)
    return import_images(folder / f"{n}.npz", settings(), name=f"of {n}").content_id


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A cache with a set of each size: their ids."""
    folder = tmp_path_factory.mktemp("defaults")
    with kept_cache(folder) as ws:
        yield ws, {n: own(folder, n) for n in SIZES}


def computed(ws, query):
    """The analysis that a query of the information page asks for, computed."""
    spec, _ = defaults.read(ADDRESSES["information"], query, ws)
    INFLUENCE.compute(spec, ws, Recording())
    return spec


@pytest.mark.parametrize("page", SHOWN)
@pytest.mark.parametrize("n", SIZES)
def test_a_page_asks_for_what_the_set_has(sets, page, n):
    _, ids = sets
    app = opened(visitor(), page, dataset="own", own=ids[n])
    assert not app.error and not app.warning, [item.value for item in (*app.error, *app.warning)]
    assert any(b.label == "Compute" and not b.disabled for b in app.button)


@pytest.mark.parametrize(
    ("view", "kernel"), [*((view, {}) for view in VIEWS), *((view, NETWORK) for view in ("adversarial", "retraining", "agreement"))]
)
@pytest.mark.parametrize(("n", "said"), [(12, {}), (182, {"n": "100", "test": "50"}), (40, {"n": "30", "test": "10"})])
def test_a_study_asks_for_what_is_left(sets, view, n, said, kernel):
    ws, ids = sets
    query = {"dataset": "own", "own": ids[n], **said, **kernel}
    computed(ws, query)
    app = opened(visitor(), "information", **query, **VIEWS[view])
    assert not app.error, [item.value for item in app.error]
    assert view != "drop" or any("none is left" in item.value for item in app.info) == (n < 100)  # a plain notice of what to choose


@pytest.mark.parametrize("page", ["influence", "reliability"])
@pytest.mark.parametrize("n", SIZES[:2])
def test_what_retrains_asks_for_what_there_is(sets, page, n):
    ws, ids = sets
    query = {"dataset": "own", "own": ids[n]}
    computed(ws, query)
    app = opened(visitor(), page, **query)
    assert not app.error, [item.value for item in app.error]


def test_a_number_that_a_link_says_stays(sets):
    ws, ids = sets
    query = {"dataset": "own", "own": ids[182], "n": "100", "test": "50"}
    computed(ws, query)
    app = opened(visitor(), "information", **query, **{"ask": "drop", "drop-test": "30"})
    assert not app.error and any("30 test images" in item.proto.popover.label for item in app.get("popover"))
    app = opened(visitor(), "information", **query, **{"ask": "drop", "drop-test": "90"})
    assert any("90 others to judge by" in item.value for item in app.error)
    app = opened(visitor(), "influence", dataset="own", own=ids[12], n="100")
    assert app.error and app.query_params["n"] == "100"


def test_other_images_are_as_many_as_fit_and_the_default_comes_back(sets):
    _, ids = sets
    app = opened(visitor(), "influence", dataset="digits")
    for picked, n, test in ((f"own:{ids[182]}", 101, 40), ("digits", 500, 200)):
        widget(app, "selectbox", "Images").set_value(picked).run()
        assert not app.error and not app.exception
        found = [widget(app, "number_input", label).value for label in ("Images drawn", "Held-out images")]
        assert found == [n, test]
    widget(app, "multiselect", "Classes").set_value(["3", "8"]).run()  # 357 images
    assert not app.error and widget(app, "number_input", "Images drawn").value == 198
    widget(app, "number_input", "Images drawn").set_value(150).run()
    widget(app, "multiselect", "Classes").set_value(["3", "5", "8"]).run()
    assert widget(app, "number_input", "Images drawn").value == 150  # somebody chose it, and it fits
