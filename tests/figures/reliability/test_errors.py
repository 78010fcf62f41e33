"""The figures of the reliability page show what the views give, every point once."""

import numpy as np
import pandas as pd
import pytest

from ntkcore.analyses.reliability.views import RULES, Evidence, Summary, Sweep
from ntkcore.figures.reliability import errors as figures
from ntkcore.influence.clusters import ClusterErrors
from ntkcore.influence.trust import Trust

RIDGES = 2.0 ** np.arange(-4, 5)
ONE = np.ones(3)


def summary(ridge: float) -> Summary:
    trust = Trust(ONE, ONE, np.zeros(3, dtype=np.int64), 3)
    return Summary(ridge, 0.1, 0.2, 0.7, 0.6, 9, 0, 9, {"mean": ONE, "median": ONE}, ONE, trust)


SWEEP = Sweep(RIDGES, 1 / (1 + RIDGES), 0.9 / (1 + RIDGES), 0.1 / (0.1 + RIDGES), np.full(9, 9), 9, 3)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_sweep_has_three_lines_and_marks_where_the_page_stands(mode):
    figure = figures.sweep_figure(SWEEP, summary(0.5), mode)
    lines = [trace for trace in figure.data if len(trace.x) > 1]
    assert [list(line.y) for line in lines] == [list(SWEEP.mean), list(SWEEP.median), list(SWEEP.bound)]
    rings = [trace for trace in figure.data if len(trace.x) == 1]
    assert [(ring.x[0], ring.y[0]) for ring in rings] == [(0.5, 0.7), (0.5, 0.6), (0.5, 0.2)]
    assert figure.layout.xaxis.ticktext[0] == "2<sup>−4</sup>" and figure.layout.xaxis.ticktext[-1] == "2<sup>4</sup>"


def test_a_ridge_of_zero_has_no_place_on_the_axis():
    figure = figures.sweep_figure(SWEEP, summary(0.0), "light")
    assert len(figure.data) == 3 and not figure.layout.shapes


def test_every_training_image_is_a_dot_with_its_number():
    density, rate = np.arange(5.0), np.array([0.1, 0.2, np.nan, 0.0, 0.5])
    figure = figures.density_figure(density, rate, np.array([0, 1, 0, 1, 0]), ["a", "<b>"], [1, 2, 77], "light")
    assert [list(trace.customdata) for trace in figure.data[:2]] == [[0, 4], [1]]
    assert figure.data[1].name == "&lt;b&gt;"
    assert list(figure.data[2].x) == [1.0]  # of the selected ones, that which is drawn


def test_the_dependence_has_a_line_for_each_rule():
    rows = pd.DataFrame(
        [(d, rule, 0.5, 0.3, -0.4, -0.5 - d / 100) for rule in RULES for d in (2, 5)],
        columns=["dimension", "rule", "bandwidth", "explained", "pearson", "spearman"],
    )
    figure = figures.dependence_figure(rows, RULES, 5, "dark")
    assert [trace.name for trace in figure.data] == list(RULES.values())
    assert all(list(trace.y) == [-0.52, -0.55] for trace in figure.data)
    assert len(figures.dependence_figure(rows[:0], RULES, 5, "dark").data) == 3


def test_estimates_against_truth_with_the_diagonal():
    found = Evidence(np.array([4, 0, 2]), np.array([-0.2, 0.1, 0.3]), np.array([-0.1, 0.05, 0.2]), np.array([0.5, 0.5, 1 / 3]))
    figure = figures.evidence_figure(found, np.array([0, 1, 1, 0, 0]), ["a", "b"], "light")
    assert list(figure.data[0].x) == list(figure.data[0].y) == [-0.2, 0.3]
    assert [list(trace.x) for trace in figure.data[1:]] == [[-0.2, 0.1], [0.3]]


def test_clusters_of_both_classes_with_bound_and_error():
    sizes = np.tile([10, 20], 2)
    values = np.array([4.0, 3.0, 2.0, 1.0])
    found = ClusterErrors(sizes, np.array([1.0, 1, -1, -1]), values, values / 2, values, values, 5, 5, 1.0, 0.9, 2.0, 3.0, 0.001)
    figure = figures.cluster_figure(found, "light")
    assert [list(trace.y) for trace in figure.data] == [[4, 3], [2, 1.5], [2, 1], [1, 0.5]]
    assert figure.layout.yaxis.type == "log"
