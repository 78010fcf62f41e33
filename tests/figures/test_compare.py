"""The figures of a comparison: what a point tells, which axes are logarithmic, where both are the same."""

import numpy as np
import pytest

from ntkcore.analyses.compare.curves import Curve
from ntkcore.figures.compare import curves_figure, scatter_figure

LABELS = np.arange(30) % 3
NAMES = ("a", "<b>", "c")


def scatter(first, second, **more):
    return scatter_figure((first, second), "k(x,x)", LABELS, NAMES, (), "light", **more)


def points(figure):
    """Image to its place, from the traces that tell one."""
    traces = [trace for trace in figure.data if trace.customdata is not None]
    return {image: (x, y) for trace in traces for image, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}


def test_every_image_is_a_point_that_tells_its_number():
    first, second = np.random.default_rng(0).uniform(1, 2, (2, 30))
    found = points(scatter(first, second))
    assert found == {image: (first[image], second[image]) for image in range(30)}
    assert scatter(first, second).layout.xaxis.type == "linear"


def test_long_tails_on_both_sides_are_logarithmic_and_ranks_never_are():
    long = np.geomspace(1e-6, 1, 30)
    assert scatter(long, long[::-1]).layout.xaxis.type == "log" and scatter(long, long).layout.yaxis.dtick == 1
    assert scatter(long, -long).layout.xaxis.type == "linear"
    ranks = scatter(np.arange(1.0, 31.0), np.arange(30.0, 0.0, -1.0), ranks=True)
    assert ranks.layout.xaxis.type == "linear" and ranks.layout.xaxis.autorange == "reversed"


def test_the_line_of_equal_values_is_drawn_where_values_overlap():
    near, far = np.linspace(0, 1, 30), np.linspace(5, 6, 30)
    (line,) = [trace for trace in scatter(near, near + 0.5).data if trace.customdata is None]
    assert list(line.x) == list(line.y) == [0.5, 1.0]
    assert all(trace.customdata is not None for trace in scatter(near, far).data)


def test_infinite_values_do_not_spoil_the_scale():
    first = np.where(np.arange(30) % 5 == 0, np.inf, np.arange(30.0))
    assert len(points(scatter(first, first))) == 30


@pytest.mark.parametrize("sides", [("A", "B"), ("A and B",)])
def test_curves_of_each_side(sides):
    curve = Curve(np.array([1.0, 2.0]), np.array([0.5, 0.75]), np.array([1.0, 0.2]))
    figure = curves_figure(dict.fromkeys(sides, curve), "epoch", "dark", log=False)
    assert [trace.name for trace in figure.data] == [f"{side}: {what}" for side in sides for what in ("right", "loss")]
    assert list(figure.data[0].y) == [50.0, 75.0] and figure.data[1].yaxis == "y2"
