"""The confusion matrix: what a click tells is the cell under it, whose counts are scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from ntkcore.analyses.confusion import Confusion, missing, within, words
from ntkcore.figures.confusion import confusion_figure

LABELS, PREDICTED = np.random.default_rng(0).integers(0, 4, (2, 60))
NAMES = ("a", "<b>", "c", "%{x}", "never")


def test_counts_are_scikit_learns_and_its_cells_are_images():
    found = Confusion.of(LABELS, PREDICTED, NAMES, (1, 2))
    np.testing.assert_array_equal(found.counts, confusion_matrix(LABELS, PREDICTED, labels=range(5)))
    for number, count in enumerate(found.counts.ravel()):
        assert within(found.cell(number), LABELS, PREDICTED).sum() == count
    assert within(None, LABELS, PREDICTED).all()
    rows = found.table()
    assert list(rows["label"]) == list(NAMES) and rows[list(NAMES)].to_numpy().sum() == 60


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_click_tells_the_cell_under_it(mode):
    found = Confusion.of(LABELS, PREDICTED, NAMES, (1, 2))
    figure = confusion_figure(found, mode)
    heat, points = figure.data
    for x, y, number, text, told in zip(points.x, points.y, points.customdata, points.text, points.hovertext, strict=True):
        assert found.cell(number) == (y, x) and (text or "0") == str(found.counts[y, x]) and str(found.counts[y, x]) in told
    assert np.nansum(heat.z, axis=1)[:4] == pytest.approx(1) and heat.z[4].sum() == 0
    (edge,) = figure.layout.shapes
    assert (edge.x0, edge.y0) == (1.5, 0.5)
    assert "<b>" not in str(figure.layout.xaxis.ticktext) and "%{x}" not in str(figure.layout.yaxis.ticktext)


def test_many_classes_have_no_counts_written_and_few_names():
    names = [str(number) for number in range(100)]
    labels = np.arange(100)
    figure = confusion_figure(Confusion.of(labels, labels, names, None), "light")
    assert figure.data[1].text is None and len(figure.layout.xaxis.ticktext) == 25 and not figure.layout.shapes


def test_a_cell_that_does_not_exist_is_said():
    assert missing((1, 9), NAMES) == "There is no class 9: they are 0 to 4." and missing((0, 4), NAMES) == missing(None, NAMES) == ""
    assert Confusion.of(LABELS, PREDICTED, NAMES, (1, 9)).chosen is None and words((0, 2), NAMES) == "a taken for c"
