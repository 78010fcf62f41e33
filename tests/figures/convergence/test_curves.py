"""The figures of the convergence page show what the views give: every network once, in its colour, on an axis that stays."""

from dataclasses import replace

import numpy as np
import pytest

from ntkcore.analyses.convergence.views import QUANTITIES, Curves, Series, Spectra, TimingCurve
from ntkcore.convergence import PowerLaw
from ntkcore.figures.convergence import curves as figures
from ntkcore.figures.theme import FORM_COLOURS, ordered_colours, raised

WIDTHS = (8, 32, 128)
NAMES = [f"network {i}" for i in range(40)]
NOTHING = np.zeros(0)


def series(name="pseudo", width=None, x=WIDTHS, start=0):
    x = np.array(x)
    y = 1.0 / (1 + np.arange(len(x)))
    twice = np.repeat(y, 2) * np.tile([0.9, 1.1], len(x))
    nan = np.full(len(x), np.nan)
    return Series(
        name,
        name,
        width,
        x,
        y,
        y - 0.05 if len(x) > 1 else nan,
        y + 0.05,
        np.repeat(x, 2),
        twice,
        start + np.arange(2 * len(x)),
        np.zeros(2 * len(x), dtype=bool),
    )


def over_width(*lines, quantity="frobenius", law=None):
    at, fitted = (np.array(WIDTHS), np.array([1.0, 0.5, 0.25])) if law else (NOTHING, NOTHING)
    return Curves(QUANTITIES[quantity], "width", lines, law, at, fitted, at, fitted)


def over_epochs(quantity="frobenius", names=("pseudo",)):
    lines = [series(name, width, (0, 5, 20), 6 * i) for i, width in enumerate(WIDTHS) for name in names]
    return Curves(QUANTITIES[quantity], "epoch", tuple(lines), None, NOTHING, NOTHING, NOTHING, NOTHING)


LAW = PowerLaw(-0.48, -0.53, -0.43, 0.0, 6, True)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_network_is_a_dot_with_its_place(mode):
    curves = over_width(series(), law=LAW)
    figure = figures.curves_figure(curves, WIDTHS, NAMES, mode, span=curves)
    dots = [trace for trace in figure.data if trace.customdata is not None]
    assert list(np.concatenate([trace.customdata for trace in dots])) == list(range(6))
    assert dots[0].customdata.ndim == 1
    assert dots[0].text[3] == "network 3"
    assert dots[0].marker.color == FORM_COLOURS[mode]["pseudo"]
    assert dots[0].unselected.marker.opacity == 1  # a click opens; nothing pales


def test_the_legend_has_the_slope_with_its_interval_and_the_guide():
    curves = over_width(series(), law=LAW)
    names = [t.name for t in figures.curves_figure(curves, WIDTHS, NAMES, "light", span=curves).data if t.showlegend is not False]
    assert names == ["w<sup>−1/2</sup>", "pseudo", "slope −0.48 ± 0.05"]
    unsure = over_width(series(), law=replace(LAW, low=np.nan, high=np.nan))
    names = [t.name for t in figures.curves_figure(unsure, WIDTHS, NAMES, "light", span=unsure).data]
    assert "slope −0.48" in names


def test_bars_are_what_the_view_says():
    line = series()
    curves = over_width(line)
    mean = next(t for t in figures.curves_figure(curves, WIDTHS, NAMES, "light", span=curves).data if t.mode == "lines")
    np.testing.assert_allclose(mean.error_y.array, line.high - line.mean)
    np.testing.assert_allclose(mean.error_y.arrayminus, line.mean - line.low)


def test_widths_have_ordered_colours_over_epochs():
    curves = over_epochs()
    figure = figures.curves_figure(curves, WIDTHS, NAMES, "dark", span=curves, epoch=5)
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [t.line.color for t in lines] == ordered_colours(3, "dark")
    assert [t.name for t in lines] == ["width 8", "width 32", "width 128"]
    assert figure.layout.shapes[0].x0 == 5  # the epoch the other charts show


def test_one_width_alone_shows_its_kernels_in_their_colours():
    curves = over_epochs("accuracy", ("full", "pseudo", "network"))
    figure = figures.curves_figure(curves, WIDTHS, NAMES, "light", span=curves, only=32)
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [t.line.color for t in lines] == [FORM_COLOURS["light"][name] for name in ("full", "pseudo", "network")]
    assert len({t.line.dash for t in lines}) == 3
    assert tuple(figure.layout.yaxis.range) == (-0.03, 1.03)


def test_the_axis_stays_while_the_epoch_moves():
    every = over_epochs()
    ranges = set()
    for count in (1, 2, 3):
        curves = over_width(series(x=WIDTHS[:count]))
        ranges.add(tuple(figures.curves_figure(curves, WIDTHS, NAMES, "light", span=every).layout.yaxis.range))
    assert len(ranges) == 1
    low, high = ranges.pop()
    values = np.concatenate([line.point_y for line in every.series])
    assert low < np.log10(values.min())
    assert high > np.log10(values.max())


def test_equal_values_do_not_fill_the_axis():
    line = replace(series(x=(8,)), mean=np.ones(1), point_y=np.ones(2), low=np.ones(1), high=np.ones(1))
    curves = over_width(line)
    low, high = figures.curves_figure(curves, (8,), NAMES, "light", span=curves).layout.yaxis.range
    assert high - low == pytest.approx(0.3)


def test_nothing_to_show_is_said():
    curves = over_width(quantity="condition")
    figure = figures.curves_figure(curves, WIDTHS, NAMES, "light", span=curves)
    assert "Not defined" in figure.layout.annotations[0].text
    said = figures.curves_figure(curves, WIDTHS, NAMES, "light", span=curves, empty="Not computed yet.").layout
    assert said.annotations[0].text == "Not computed yet."
    for empty in (said, figures.spectra_figure(None, ("full",), NAMES, np.nan, "light").layout):  # an axis of nothing would be garbled
        assert empty.xaxis.visible is False
        assert empty.yaxis.visible is False
    assert "Not computed yet" in figures.spectra_figure(None, ("full",), NAMES, np.nan, "light").layout.annotations[0].text
    assert "Measured when" in figures.timing_figure(None, "dark").layout.annotations[0].text


def test_differences_show_where_zero_is():
    curves = over_width(series("now"), series("end", start=6), quantity="gain")
    figure = figures.curves_figure(curves, WIDTHS, NAMES, "dark", span=curves)
    assert figure.layout.shapes[0].y0 == 0
    lines = [t for t in figure.data if t.mode == "lines"]
    assert len({t.line.dash for t in lines}) == len({t.line.color for t in lines}) == 2
    low, high = figure.layout.yaxis.range
    assert low < 0 < high  # though all values are above it


def test_spectra_of_every_seed_on_one_scale():
    full = np.stack([np.geomspace(100, 1e-3, 400)] * 2)
    full[1, -1] = np.nan
    spectra = Spectra(
        32, 0, {"full": np.arange(400) + 1.0, "pseudo": 10 * np.arange(40) + 5.5}, {"full": full, "pseudo": full[:, ::10]}, np.array([3, 7])
    )
    figure = figures.spectra_figure(spectra, ("full", "pseudo"), NAMES, 0.01, "light")
    assert len(figure.data) == 4
    assert [t.showlegend for t in figure.data] == [True, False, True, False]
    assert {int(t.customdata[0]) for t in figure.data} == {3, 7}
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (1.0, 400.0)  # thinned, with both ends
    assert len(figure.data[0].x) < 400
    assert figure.layout.shapes[0].y0 == 0.01
    assert not figures.spectra_figure(spectra, ("full",), NAMES, np.nan, "light").layout.shapes


@pytest.mark.parametrize(("over", "kind"), [("outputs", "log"), ("depth", "linear")])
def test_timing(over, kind):
    curve = TimingCurve(
        over, "outputs k", "Width 8", np.array([1, 2, 5]), {"pseudo": np.full(3, 1e-6), "full": np.array([1e-6, 4e-6, np.nan])}
    )
    figure = figures.timing_figure(curve, "light")
    assert figure.layout.xaxis.type == kind
    assert [t.name for t in figure.data] == ["full kernel", "pseudo-NTK"]


@pytest.mark.parametrize(
    ("ends", "ticks", "written"),
    [((0, 0.5), None, ",.5~g"), ((0, 1.5), "D2", ",.5~g"), ((4, 6), "D2", ",.5~r"), ((-3, 1), 1, ""), ((0, 8), 2, "")],
)
def test_ticks_do_not_cover_each_other_and_say_their_number(ends, ticks, written):
    found = figures._ticks(ends)
    assert (found["dtick"], found["tickformat"]) == (ticks, written)
    assert found.get("exponentformat") == (None if written else "power")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("λ_max / λ_min", "λ<sub>max</sub> / λ<sub>min</sub>"),
        ("Σ|Θ_oo|", "Σ|Θ<sub>oo</sub>|"),
        ("w^(−1/2)", "w<sup>−1/2</sup>"),
        ("k_xx", "k_xx"),
    ],
)
def test_indices_and_powers(text, shown):
    assert raised(text) == shown


def test_what_rests_on_a_jitter_is_drawn_open_and_said():
    line = replace(series(), jittered=np.array([True, False] * len(WIDTHS)))
    figure = figures.curves_figure(over_width(line), WIDTHS, NAMES, "light", span=over_width(line))
    dots = next(trace for trace in figure.data if trace.customdata is not None)
    assert [symbol.endswith("-open") for symbol in dots.marker.symbol] == list(line.jittered)
    assert ["rests on a jitter" in text for text in dots.text] == list(line.jittered)
