"""The figures of active learning show what the views say, each strategy in its own colour."""

import numpy as np
import pytest

from ntkcore.active.comparison import means
from ntkcore.analyses.active.views import Curve, Row
from ntkcore.figures import active as figures
from ntkcore.specs.active import STRATEGIES

NAMES = ("random", "margin", "lookahead")
LABELS = (10, 20, 30)
nan = float("nan")


def curve(name, values):
    return Curve(name, LABELS, means(np.array(values)))


@pytest.fixture
def curves():
    return [curve(name, [[0.2, 0.5, 0.6 + place / 10], [0.3, 0.4, 0.7]]) for place, name in enumerate(NAMES)]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_lines_with_bands_marks_and_cycles(curves, mode):
    figure = figures.curves_figure(curves, mode, what="right", at=20, level=0.5)
    bands, lines = figure.data[:3], figure.data[3:]
    for one, band, line in zip(curves, bands, lines, strict=True):
        assert line.name == STRATEGIES[one.name] and list(line.x) == list(LABELS) and list(line.customdata) == [0, 1, 2]
        np.testing.assert_array_equal(line.y, one.means.value)
        np.testing.assert_array_equal(band.y[:3], one.means.high)
        np.testing.assert_array_equal(band.y[3:][::-1], one.means.low)
        assert band.fillcolor == line.line.color == figures.colour_of(one.name, mode)
        assert band.meta == line.meta == one.name  # they fade together
    assert {shape.x0 for shape in figure.layout.shapes} >= {20} and any(shape.y0 == 0.5 for shape in figure.layout.shapes)
    low, high = figure.layout.yaxis.range
    assert low < 0.25 and high > 0.75


def test_one_seed_has_no_band(curves):
    figure = figures.curves_figure([curve("margin", [[0.2, 0.5, 0.6]])], "light", what="right")
    assert len(figure.data) == 1 and figure.layout.shapes[0].y0 == 0


def test_of_many_strategies_the_lines_alone_are_drawn(curves):
    many = [curve(name, [[0.2, 0.5, 0.6], [0.3, 0.4, 0.7]]) for name in list(STRATEGIES)[:8]]
    figure = figures.curves_figure(many, "dark", what="right", level=0.5)
    assert [trace.name for trace in figure.data] == [STRATEGIES[one.name] for one in many]
    assert not figure.layout.showlegend and figures.curves_figure(curves, "dark", what="right").layout.showlegend


def test_common_choices_take_low_rows_where_there_are_many_strategies():
    names = list(STRATEGIES)
    few, many = (figures.overlap_figure(np.eye(count), names[:count], "light") for count in (3, 12))
    assert list(few.layout.yaxis.ticktext) == [STRATEGIES[name] for name in names[:3]] and few.data[0].z[1][1] == 1
    assert many.layout.height < 3 * few.layout.height


def test_strategies_are_told_apart_by_colour_dash_or_marker():
    for mode in ("light", "dark"):
        looks = {(figures.colour_of(name, mode), *figures.style_of(name)) for name in STRATEGIES}
        assert len(looks) == len(STRATEGIES)


@pytest.mark.parametrize("of", ["needed", "area"])
def test_dots_of_the_seeds_and_the_value(of):
    row = Row("margin", 24.0, np.array([20.0, nan]), 0.5, np.array([0.4, 0.6]), 0.7, 0.1, 0.2, 0.03, 0.01)
    figure = figures.dots_figure([row], "light", of=of)
    dots, bar = figure.data
    np.testing.assert_array_equal(dots.x, row.each if of == "needed" else row.areas)
    assert list(bar.x) == [24.0 if of == "needed" else 0.5] and set(dots.y) == {STRATEGIES["margin"]}


def test_bars_of_the_classes_and_seconds():
    figure = figures.balance_figure(np.array([[4.0, 2.0], [3.0, 3.0]]), NAMES[:2], ["cat", "<b>%{dog}"], "light")
    assert [list(trace.y) for trace in figure.data] == [[4.0, 2.0], [3.0, 3.0]]
    assert figure.data[0].x[1] == "&lt;b&gt;% {dog}" and figure.layout.shapes[0].y0 == 3.0
    seconds = figures.seconds_figure([curve("random", [[0.1, 0.2, 0.3]])], "dark")
    assert seconds.layout.yaxis.type == "log" and list(seconds.data[0].y) == [0.1, 0.2, 0.3]


def test_a_tick_for_each_choice_and_their_median():
    norms, images = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 5.0]]), np.array([[7, 8, 9], [1, 2, 3]])
    figure = figures.norms_figure(norms, images, NAMES[:2], "light")
    assert list(figure.data[0].customdata) == [7, 8, 9] and list(figure.data[1].x) == [2.0] and list(figure.data[3].x) == [4.0]
