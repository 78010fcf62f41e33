"""A cell of the confusion matrix in an address: its images alone are in the gallery, which is said, and taken back."""

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor

from ntkcore.analyses.catalogue import named
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.learnability import predictions
from ntkcore.permalink import ADDRESSES

QUERY = {"dataset": "digits", "classes": ["3", "5", "8"], "n": "60"}
PAGES = {"influence": QUERY | {"test": "40", "ridge": "0.1"}, "learnability": QUERY | {"width": "8", "depth": "1", "epochs": "2"}}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which both pages have a result, and of each the labels and predictions of the images of its gallery."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        found = {}
        for page, query in PAGES.items():
            spec, view = ADDRESSES[page].read(query)
            named(page).compute(spec, ws, Recording())
            result = named(page).open(spec, ws)
            if page == "influence":
                found[page] = result.test_labels, Look.of(INFLUENCE.open(spec, ws), view.ridge, None, ws).held().predicted
            else:
                found[page] = result.labels, predictions(result.outputs[-1])
        yield found


def opened(page, **more):
    return visiting.opened(visitor(), page, **(PAGES[page] | more))


def wrong(computed, page):
    """The commonest mistake: its cell, and how many images it has."""
    labels, predicted = computed[page]
    cells, counts = np.unique(np.stack([labels, predicted])[:, labels != predicted], axis=1, return_counts=True)
    return tuple(map(int, cells[:, counts.argmax()])), int(counts.max())


@pytest.mark.parametrize("page", PAGES)
def test_a_cell_opens_as_a_gallery_and_is_taken_back(computed, page):
    (label, predicted), count = wrong(computed, page)
    app = opened(page, cell=f"{label}-{predicted}")
    text = said(app).replace("<b>", "").replace("</b>", "")
    assert f"{count} of {len(computed[page][0])} images" in text and not app.error and not app.warning
    names = ("3", "5", "8")
    button(app, f"{names[label]} taken for {names[predicted]}").click().run()
    assert "cell" not in app.query_params and not app.exception


@pytest.mark.parametrize("page", PAGES)
def test_a_cell_that_does_not_exist_is_said(computed, page):
    app = opened(page, cell="0-7")
    assert any("no class" in item.value for item in app.warning) and not app.exception


def test_influence_shows_its_matrix_and_names_the_group(computed):
    (label, predicted), count = wrong(computed, "influence")
    app = opened("influence", cell=f"{label}-{predicted}", mean="shown")
    assert "What held-out images are taken for" in titles(app)
    assert f"{count} held-out image" in said(app) and "taken for" in said(app)


@pytest.mark.parametrize("value", ["3", "1-2-3", "a-b", "-1-2"])
def test_what_is_no_cell_is_explained(app, value):
    visiting.opened(app, "influence", **(PAGES["influence"] | {"cell": value}))
    assert "cell" in app.error[0].value
