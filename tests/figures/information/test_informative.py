"""Figures of the information page hold what they were given."""

import numpy as np
import pytest

from ntkcore.analyses.information.views import Agreement
from ntkcore.figures.information import informative as figures

VALUES = np.geomspace(1e-8, 1e-2, 60)
LABELS = np.arange(60) % 2


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_histogram_counts_every_image_that_carries_something(mode):
    values = VALUES.copy()
    values[:3] = 0
    figure = figures.information_histogram(values, LABELS, ["4", "<9>"], 10, mode)
    assert sum(sum(bar.y) for bar in figure.data) == 57
    assert [bar.name for bar in figure.data] == ["4", "&lt;9&gt;"]
    assert figure.layout.xaxis.type == "log" and len(figure.layout.shapes) == 1


def test_a_histogram_of_nothing_is_empty():
    assert sum(sum(bar.y) for bar in figures.information_histogram(np.zeros(5), np.zeros(5, int), ["a"], None, "light").data) == 0


def test_edges_hold_all_values():
    edges = figures.log_edges(VALUES)
    assert edges[0] < VALUES.min() and edges[-1] > VALUES.max()
    np.testing.assert_allclose(np.diff(np.log(edges)), np.log(edges[1] / edges[0]))
    assert len(figures.log_edges(np.array([2.0]))) == len(edges)


def test_the_scatter_tells_images_by_number():
    figure = figures.against_figure(VALUES, VALUES**2, "loss", LABELS, ["4", "9"], (1, 4), "light", log=True)
    assert sorted(i for trace in figure.data for i in trace.customdata) == list(range(60))
    assert [[trace.customdata[i] for i in trace.selectedpoints] for trace in figure.data] == [[4], [1]]
    free = figures.against_figure(VALUES, VALUES**2, "loss", LABELS, ["4", "9"], (), "light", log=False)
    assert all(trace.selectedpoints is None for trace in free.data) and free.layout.xaxis.type == "linear"


def test_lines_through_training():
    over = Agreement((0.1, 1.0, 10.0), np.array([np.nan, 0.5, 1.0]), np.outer([1.0, 2.0, 3.0], VALUES))
    figure = figures.course_figure(over, [5, 7], ["5: 4", "7: 9"], 1.0, "dark")
    np.testing.assert_array_equal(figure.data[1].y, over.scores[:, 7])
    assert set(figure.data[1].customdata) == {7}
    np.testing.assert_array_equal(figure.data[2].y, np.median(over.scores, axis=1))
    agreed = figures.agreement_figure(over, None, "light")
    np.testing.assert_array_equal(agreed.data[0].y, over.rho)
