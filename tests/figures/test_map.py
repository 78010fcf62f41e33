"""The map's figure: what is a point, of which size, what lies beside and behind."""

import numpy as np
import pytest

from ntkcore.analyses.map.drawn import Aside, Colours, Drawn, density
from ntkcore.analyses.map.views import Place
from ntkcore.figures.map import map_figure
from ntkcore.figures.theme import class_colour

N, M = 50, 12
POINTS = np.random.default_rng(0).standard_normal((N, 2))
ASIDE = Aside(np.random.default_rng(1).standard_normal((M, 2)), np.arange(M) % 2, ("a", "b"), np.arange(M) != 3)


def drawn(**fields):
    made = {
        "place": Place(POINTS, "right", "up", True),
        "groups": np.arange(N) % 2,
        "names": ("a", "b"),
        "centroids": np.zeros((2, 2)),
        "passing": np.ones(N, dtype=bool),
        "colours": None,
        "kept": None,
        "noun": "image",
        "sizes": None,
        "sized_by": "",
        "held": None,
        "density": None,
    }
    return Drawn(**(made | fields))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_image_is_a_point_of_its_group(mode):
    figure = map_figure(drawn(), (), mode)
    assert [trace.type for trace in figure.data] == ["scattergl"] * 2
    assert sorted(image for trace in figure.data for image in trace.customdata) == list(range(N))
    assert figure.layout.xaxis.title.text == "right" and figure.layout.yaxis.title.text == "up"


def test_sizes_grow_with_the_number_in_every_colouring():
    sizes = np.linspace(0, 1, N)
    for colours in (None, Colours(np.linspace(0, 1, N), "number", (0.0, 1.0), False)):
        figure = map_figure(drawn(sizes=sizes, colours=colours), (), "light")
        of = {image: size for trace in figure.data for image, size in zip(trace.customdata, trace.marker.size, strict=True)}
        found = np.array([of[image] for image in range(N)])
        assert (np.diff(found) > 0).all() and found[-1] == 6 * found[0]


def test_held_out_images_are_diamonds_that_tell_numbers_below_zero():
    figure = map_figure(drawn(held=ASIDE), (), "light")
    held = next(trace for trace in figure.data if trace.name == "held out")
    assert list(held.customdata) == [-1 - image for image in range(M) if image != 3] and held.marker.symbol == "diamond-open"
    assert list(held.marker.color) == [class_colour(image % 2) for image in range(M) if image != 3]
    assert held.text[0] == "held-out image 0, a" and "held-out image 3, b" not in held.text
    other = map_figure(drawn(held=ASIDE, names=("x", "y")), (), "light")  # points by another grouping
    assert isinstance(next(trace for trace in other.data if trace.name == "held out").marker.color, str)


def test_density_has_every_image_once_and_lies_behind():
    found = density(POINTS)
    assert found.images.sum() == pytest.approx(N, rel=0.02)  # what the blur moves over the edge
    figure = map_figure(drawn(density=found), (), "light")
    assert figure.data[0].type == "contour" and figure.data[0].hoverinfo == "skip"
    top = np.unravel_index(found.images.argmax(), found.images.shape)
    peak = np.array([found.x[top[1]], found.y[top[0]]])
    near = np.linalg.norm(POINTS - peak, axis=1)
    assert (near < 1).sum() > N / 4  # the axes are not swapped: most points of a normal draw lie near its middle
