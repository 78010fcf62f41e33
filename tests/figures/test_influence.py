"""The figures of the influence page show what the views give: no number of their own, a mark where the page stands."""

import numpy as np
import pytest

from ntkcore.analyses.influence.noise import NoiseShare
from ntkcore.analyses.influence.paths import MeanTrajectory, Trajectory
from ntkcore.figures import influence as figures
from ntkcore.figures.theme import CLASSES, class_colour

TIMES = np.geomspace(0.01, 100, 5)


def path(k=3, n=6):
    generator = np.random.default_rng(0)
    return Trajectory(TIMES, generator.standard_normal((5, k)), generator.random(5), generator.standard_normal((5, n)))


def mean_path():
    generator = np.random.default_rng(1)
    return MeanTrajectory(TIMES, generator.random(5), generator.random(5), generator.standard_normal((5, 6)), 3, 9)


RANKS = np.arange(30).reshape(5, 6) % 6 + 1
NOISE = NoiseShare(TIMES, np.linspace(0.1, 0.6, 5), 0.2, np.linspace(0.9, 0.0, 5), np.linspace(0.9, 0.3, 5))


def drawn(now, mode):
    """Every figure over time, with the number of its own lines across."""
    return [
        (figures.bump_figure(path(), RANKS, [4, 0], ["4: cat", "0: dog"], now, mode), 0),
        (figures.loss_figure(path(), ["cat", "dog", "eel"], 1, now, mode), 0),
        (figures.noise_figure(NOISE, now, mode), 1),
        (figures.mean_figure(mean_path(), now, mode), 0),
        (figures.image_figure(mean_path(), 2, now, mode), 1),
    ]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_mark_stands_at_the_pages_time(mode):
    for figure, lines in drawn(0.5, mode):
        assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [0.5]
        assert len(figure.layout.shapes) == 1 + lines
    for figure, lines in drawn(None, mode):  # the end of training is right of all
        assert len(figure.layout.shapes) == lines


def test_time_is_on_one_logarithmic_axis_everywhere():
    for figure, _ in drawn(0.5, "light"):
        assert figure.layout.xaxis.type == "log" and figure.layout.xaxis.range == pytest.approx((-2, 2))
        assert "τ" in figure.layout.xaxis.title.text
        for trace in figure.data:
            np.testing.assert_array_equal(trace.x, TIMES)


def test_ranks_are_those_of_the_images_and_one_is_on_top():
    chosen = path()
    figure = figures.bump_figure(chosen, RANKS, [4, 0], ["4: cat", "0: <b>dog"], None, "light")
    assert [trace.line.color for trace in figure.data] == [class_colour(0), class_colour(1)]
    for trace, image in zip(figure.data, (4, 0), strict=True):
        np.testing.assert_array_equal(trace.y, RANKS[:, image])
        assert list(trace.customdata) == [image] * 5  # what a click tells
        assert trace.mode == "lines+markers" and trace.marker.color == "rgba(0,0,0,0)"  # plotly selects markers alone, unseen ones too
        for text, value in zip(trace.text, chosen.influence[:, image], strict=True):
            sign, number = text.split(", ")
            assert sign == ("helpful" if value >= 0 else "harmful") and float(number.replace("−", "-")) == pytest.approx(value, rel=1e-2)
    assert figure.layout.yaxis.autorange == "reversed"
    assert "<b>" not in figure.data[1].name  # a class may be called anything
    with pytest.raises(ValueError, match="zip"):
        figures.bump_figure(chosen, RANKS, [4, 0], ["4: cat"], None, "light")


def test_the_images_own_class_stands_out():
    chosen = path()
    figure = figures.loss_figure(chosen, ["cat", "dog", "eel"], 1, None, "light")
    assert [trace.name for trace in figure.data] == ["cat", "dog", "eel", "loss"]
    assert [trace.opacity for trace in figure.data[:3]] == [0.6, 1.0, 0.6]
    for output in range(3):
        np.testing.assert_array_equal(figure.data[output].y, chosen.outputs[:, output])
    np.testing.assert_array_equal(figure.data[3].y, chosen.loss)
    assert figure.data[3].line.dash == "dot"


def test_one_output_is_an_output_of_no_class():
    figure = figures.loss_figure(path(k=1), ["cat", "dog"], 1, None, "dark")
    assert [trace.name for trace in figure.data] == ["output", "loss"]
    assert (figure.data[0].opacity, figure.data[0].line.color) == (1.0, CLASSES[0])


def test_noise_has_its_share_both_errors_and_the_base():
    figure = figures.noise_figure(NOISE, 0.5, "light")
    for trace, values in zip(figure.data, (NOISE.share, NOISE.train_error, NOISE.test_error), strict=True):
        np.testing.assert_array_equal(trace.y, values)
    assert len({trace.line.color for trace in figure.data}) == len({trace.line.dash for trace in figure.data}) == 3
    assert any(shape.y0 == shape.y1 == 0.2 for shape in figure.layout.shapes)


def test_groups_are_bars_in_their_order():
    values = np.array([0.4, 0.1, -0.2])
    figure = figures.complexity_figure(values, 1, "light")
    (bars,) = figure.data
    np.testing.assert_array_equal(bars.y, values)
    np.testing.assert_array_equal(bars.x, [0, 1, 2])
    assert list(bars.customdata) == [0, 1, 2]
    assert bars.marker.opacity[1] == 1 > bars.marker.opacity[0] == bars.marker.opacity[2]
    assert "0 most harmful" in figure.layout.xaxis.title.text


def test_a_groups_loss_and_error():
    chosen = mean_path()
    loss, error = figures.mean_figure(chosen, None, "light").data
    np.testing.assert_array_equal(loss.y, chosen.loss)
    np.testing.assert_array_equal(error.y, chosen.error)
    assert loss.line.dash != error.line.dash and loss.line.color != error.line.color


def test_one_images_influence_is_its_column():
    for chosen in (path(), mean_path()):
        figure = figures.image_figure(chosen, 4, None, "dark")
        np.testing.assert_array_equal(figure.data[0].y, chosen.influence[:, 4])
        assert figure.layout.height < figures.HEIGHT


def test_points_of_a_verification_tell_their_images():
    values = np.array([0.1, -0.2]), np.array([0.12, -0.1])
    points = figures.verification_figure(*values, ["4: cat", "7: <b>"], "light", [4, 7]).data[1]
    assert list(points.customdata) == [4, 7] and "<b>" not in points.text[1]
    np.testing.assert_array_equal(points.x, values[0])
    np.testing.assert_array_equal(points.y, values[1])
    assert figures.verification_figure(*values, ["4", "7"], "light").data[1].customdata is None
