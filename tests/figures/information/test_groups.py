"""Figures of groups: what they draw is what they are given."""

import numpy as np
import pytest

from ntkcore.analyses.information.groups.views import DropCurves, GroupScores, Redundancy, Sweep
from ntkcore.figures.information import groups as figures
from ntkcore.information.detection import Estimate, detect

NAMES = ("SVHN <b>", "MNIST")
MEANS = (Estimate(3.0, 2.0, 5.0), Estimate(1.0, 0.5, 1.25))
SCORES = GroupScores(NAMES, (np.array([1.0, 2.0, 8.0, 0.0]), np.array([0.5, 1.5])), MEANS)


def test_histograms_are_shares_of_each_group():
    figure = figures.groups_histogram(SCORES, "light")
    assert [trace.name for trace in figure.data] == ["SVHN &lt;b&gt; (4)", "MNIST (2)"]
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([0.75, 1.0])  # one image carries nothing
    assert np.array_equal(figure.data[0].x, figure.data[1].x) and figure.layout.barmode == "overlay"
    assert [shape.x0 for shape in figure.layout.shapes] == [3.0, 1.0]
    assert figures.groups_histogram(GroupScores(NAMES, (np.zeros(2), np.zeros(1)), (Estimate(0, 0, 0),) * 2), "dark").layout.shapes == ()


def test_curves_of_one_source():
    mean = np.arange(2 * 2 * 3 * 3.0).reshape(2, 2, 3, 3)
    figure = figures.drop_figure(DropCurves((0.0, 0.5, 1.0), mean, mean - 1, mean + 1), 1, NAMES, "light")
    assert len(figure.data) == 6 and list(figure.data[0].x) == [0, 50, 100]
    assert list(figure.data[1].y) == mean[1, 1, :, 0].tolist() and figure.data[1].line.dash == "dot"
    assert list(figure.data[4].y) == mean[1, 0, :, 2].tolist() and figure.data[4].name == "all held out"
    assert [trace.showlegend for trace in figure.data] == [True, False] * 3
    assert "MNIST" in figure.layout.xaxis.title.text


def test_redundancy_with_intervals():
    figure = figures.redundancy_figure([Redundancy(MEANS[0], MEANS[1], None)] * 2, NAMES, "dark")
    alone, beside = figure.data
    assert list(alone.y) == [3.0, 3.0] and list(alone.error_y.array) == [2.0, 2.0] and list(alone.error_y.arrayminus) == [1.0, 1.0]
    assert list(beside.y) == [1.0, 1.0] and alone.x[0] == "SVHN &lt;b&gt;"


def test_a_sweep():
    found = Sweep((10, 50), (MEANS[0],) * 2, (MEANS[1],) * 2, MEANS, np.array([0.9, 0.6]), np.arange(6.0).reshape(2, 3) / 6)
    names = ("cat", "dog", "deer")
    figure = figures.sweep_figure(found, names, 50, "light")
    assert [trace.name for trace in figure.data] == list(names) and list(figure.data[2].y) == [3.0, 1.0]
    assert list(figure.data[0].customdata) == [10, 50] and figure.layout.shapes[0].x0 == 50
    figure = figures.found_figure(found, names, 10, "light")
    assert list(figure.data[0].y) == [0.9, 0.6] and list(figure.data[3].y) == found.accuracy[:, 2].tolist()


def test_roc_curves():
    found = {name: detect([3.0, 2.0, 1.0, 0.0], [True, False, True, False]) for name in ("now", "before")}
    figure = figures.found_by_figure(found, "dark")
    assert [trace.name for trace in figure.data] == ["chance", "now (0.750)", "before (0.750)"]
    assert np.array_equal(figure.data[1].x, found["now"].roc[0])
