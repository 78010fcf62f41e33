"""Pictures over pairs: ordered by class, on colours that pictures to be compared share."""

import numpy as np
import pytest

from ntkcore.figures.convergence.pairs import common_span, heatmap


def picture(labels, mode="light", **options):
    labels = np.asarray(labels)
    n = len(labels)
    values = np.add.outer(10.0 * np.arange(n), np.arange(n))
    order = np.argsort(labels, kind="stable")
    names = tuple(f"<b>{i}" for i in range(labels.max() + 1))
    return values, order, heatmap(values, order, labels, names, mode, span=(0.0, 100.0), title="kernel", **options)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_rows_and_columns_are_ordered_by_class(mode):
    values, order, figure = picture([1, 0, 1, 0, 2], mode)
    (shown,) = figure.data
    assert list(order) == [1, 3, 0, 2, 4]
    np.testing.assert_array_equal(shown.z, values[order][:, order])
    assert shown.y[0] == "&lt;b&gt;0, image 1"
    assert (shown.zmin, shown.zmax) == (0.0, 100.0)


def test_boundaries_lie_between_classes():
    _, _, figure = picture([1, 0, 1, 0, 2])
    assert sorted({shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1}) == [1.5, 3.5]
    assert len(figure.layout.shapes) == 4
    assert list(figure.layout.xaxis.ticktext) == ["&lt;b&gt;0", "&lt;b&gt;1", "&lt;b&gt;2"]
    assert list(figure.layout.xaxis.tickvals) == [0, 2, 4]


def test_many_classes_are_not_named():
    assert list(picture(range(30))[2].layout.xaxis.tickvals) == []


def test_one_class_has_no_boundary():
    assert len(picture([0, 0, 0])[2].layout.shapes) == 0


def test_pictures_share_their_colours():
    assert common_span(np.array([1.0, 3.0]), np.array([2.0, 5.0])) == (0.0, 5.0)
    assert common_span(np.array([-1.0, 3.0])) == (-1.0, 3.0)
