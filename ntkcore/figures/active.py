"""Figures of the active learning page: what the views give, drawn; no arithmetic beyond placing it.

What is a strategy's has its name as plotly's ``meta``, by which a page lets the others fade.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ntkcore.analyses.active.views import Curve, Row
from ntkcore.figures.information.believe import correlation_figure
from ntkcore.figures.theme import CLASSES, class_colour, ink, layout, literal, quiet
from ntkcore.specs.active import CEILING, STRATEGIES

HEIGHT = 350
BANDS = 5
"""Strategies in a chart, at most, for their intervals to be told apart."""
_BAND = 0.14  # opacity of an interval
_ROW, _AROUND, _LEAST = 30, 100, 240  # pixels of a strategy's row, of what is around all of them, and of all together at least
_TILTED = 60  # pixels of names below a picture
_DASHES = ("solid", "dash", "dot", "dashdot")
_MARKERS = ("circle", "square", "diamond", "x")
_OTHERS = tuple(name for name in STRATEGIES if name not in ("random", CEILING))


def colour_of(name: str, mode: str) -> str:
    """A strategy's colour, the same in every chart; random, with which all are compared, has the ink, the ceiling is quiet."""
    if name == CEILING:
        return quiet(mode)
    return ink(mode) if name == "random" else class_colour(_OTHERS.index(name))


def style_of(name: str) -> tuple[str, str]:
    """A strategy's dash and marker, which tell those apart that share a colour."""
    if name in ("random", CEILING):
        return ("dot", "x") if name == "random" else ("longdash", "triangle-up")
    place = _OTHERS.index(name) // len(CLASSES)
    return _DASHES[place % len(_DASHES)], _MARKERS[place % len(_MARKERS)]


def rows_height(count: int) -> int:
    """Pixels of a figure that has a row for each strategy."""
    return max(_LEAST, _AROUND + _ROW * count)


def curves_figure(curves: Sequence[Curve], mode: str, *, what: str, at: int | None = None, level: float | None = None) -> go.Figure:
    """Means over labels, of few strategies with their 95 % bands; a point's customdata is its cycle, 0 being the start.

    Args:
        curves: shares of the held-out images, or differences of such.
        mode: ``"light"`` or ``"dark"``.
        what: the vertical axis.
        at: number of labels that is marked.
        level: share that is marked; None where the values are differences: then 0 is.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_hline(y=0 if level is None else level, line={"color": quiet(mode), "width": 1.2, "dash": "dot"}, layer="below")
    if at is not None:
        figure.add_vline(x=at, line={"color": quiet(mode), "width": 2}, layer="below")
    for curve in curves if len(curves) <= BANDS else ():
        _band(figure, curve, mode)
    for curve in curves:
        _line(figure, curve, mode, "%{x} labels: %{y:.1%}" if level is not None else "%{x} labels: %{y:+.1%}")
    drawn = np.concatenate([curve.means.value for curve in curves]) if curves else np.zeros(1)
    beyond = max(0.02, 0.2 * float(np.ptp(drawn)))  # bands of few seeds are so wide that the means would not be told apart
    figure.update_xaxes(title_text="labels")
    figure.update_yaxes(title_text=what, tickformat=".0%" if level is not None else "+.0%")
    figure.update_yaxes(range=[float(drawn.min()) - beyond, float(drawn.max()) + beyond])
    few = len(curves) <= BANDS  # a legend of many would leave no room for their lines
    figure.update_layout(dragmode="zoom", showlegend=few, margin={"t": 54 if few and len(curves) > 3 else 12})
    return figure


def seconds_figure(curves: Sequence[Curve], mode: str) -> go.Figure:
    """Seconds of a choice over the labels that it is made from, on a logarithmic axis."""
    figure = go.Figure(layout=layout(mode, height=rows_height(len(curves))))
    for curve in curves:
        _line(figure, curve, mode, "from %{x} labels: %{y:.3g} s")
    figure.update_xaxes(title_text="labels")
    figure.update_yaxes(title_text="seconds of a choice", type="log", exponentformat="power", dtick=1)
    figure.update_layout(dragmode="zoom", showlegend=False)
    return figure


def dots_figure(rows: Sequence[Row], mode: str, *, of: str) -> go.Figure:
    """Every seed of each strategy as a small dot, the strategy's value as a bar across.

    Args:
        rows: the strategies, drawn from above.
        mode: ``"light"`` or ``"dark"``.
        of: ``"needed"``, labels for an accuracy, or ``"area"``.
    """
    figure = go.Figure(layout=layout(mode, height=rows_height(len(rows))))
    titles = [literal(STRATEGIES[row.name]) for row in rows]
    form = "%{x:.0f} labels" if of == "needed" else "%{x:.2%}"
    for row, title in zip(rows, titles, strict=True):
        each, value = (row.each, row.needed) if of == "needed" else (row.areas, row.area)
        tint = colour_of(row.name, mode)
        seeds = [f"repeat {seed}" for seed in range(len(each))]
        figure.add_scatter(
            x=each,
            y=[title] * len(each),
            mode="markers",
            meta=row.name,
            text=seeds,
            marker={"color": tint, "size": 7, "opacity": 0.5},
            hovertemplate=form + ", %{text}<extra>" + title + "</extra>",
        )
        mark = {"color": tint, "size": 18, "symbol": "line-ns-open", "line": {"width": 3, "color": tint}}
        said = form + "<extra>" + title + "</extra>"
        figure.add_scatter(x=[value], y=[title], mode="markers", meta=row.name, marker=mark, hovertemplate=said)
    figure.update_xaxes(title_text="labels" if of == "needed" else "mean accuracy on the way", tickformat="" if of == "needed" else ".1%")
    figure.update_yaxes(categoryorder="array", categoryarray=titles[::-1], range=[-0.6, len(rows) - 0.4])
    figure.update_layout(showlegend=False, dragmode="zoom")
    return figure


def balance_figure(counts: NDArray[np.float64], names: Sequence[str], classes: Sequence[str], mode: str) -> go.Figure:
    """Labels of each class (strategies, classes), bars beside each other."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_hline(y=float(counts[0].mean()), line={"color": quiet(mode), "width": 1.2, "dash": "dot"}, layer="below")
    for name, values in zip(names, counts, strict=True):
        title = literal(STRATEGIES[name])
        figure.add_bar(
            x=[literal(one) for one in classes],
            y=values,
            name=title,
            marker={"color": colour_of(name, mode)},
            hovertemplate="%{x}: %{y:.1f} labels<extra>" + title + "</extra>",
        )
    figure.update_xaxes(title_text="class", type="category")
    figure.update_yaxes(title_text="labels")
    figure.update_layout(showlegend=False, dragmode="zoom", bargap=0.25)
    return figure


def overlap_figure(shared: NDArray[np.float64], names: Sequence[str], mode: str) -> go.Figure:
    """Shares of common choices (strategies, strategies) as a picture with its numbers; of many strategies in low rows."""
    figure = correlation_figure(shared, [STRATEGIES[name] for name in names], mode, what="share")
    if len(names) > BANDS:
        figure.update_layout(height=rows_height(len(names)) + _TILTED)
    return figure


def norms_figure(norms: NDArray[np.float64], images: NDArray[np.intp], names: Sequence[str], mode: str) -> go.Figure:
    """k(x,x) before training of the images chosen (strategies, query), a tick each, and their median; customdata is the image."""
    figure = go.Figure(layout=layout(mode, height=rows_height(len(names))))
    titles = [literal(STRATEGIES[name]) for name in names]
    for name, title, values, numbers in zip(names, titles, norms, images, strict=True):
        tint = colour_of(name, mode)
        figure.add_scatter(
            x=values,
            y=[title] * len(values),
            mode="markers",
            customdata=numbers.tolist(),
            marker={"color": tint, "size": 9, "opacity": 0.55, "symbol": "line-ns-open", "line": {"width": 2, "color": tint}},
            hovertemplate="image %{customdata}: k(x,x) = %{x:.4g}<extra>" + title + "</extra>",
        )
        middle = {"color": tint, "size": 11, "symbol": "diamond"}
        figure.add_scatter(x=[np.median(values)], y=[title], mode="markers", marker=middle, hovertemplate="median %{x:.4g}<extra></extra>")
    figure.update_xaxes(title_text="k(x,x) before training: harder to the left")
    figure.update_yaxes(categoryorder="array", categoryarray=titles[::-1], range=[-0.6, len(names) - 0.4])
    figure.update_layout(showlegend=False, dragmode="zoom")
    return figure


def means(seeds: int, lines: int) -> str:
    """What a line is, and whether there are bands."""
    if seeds == 1:
        return "One repeat"
    bands = "band: 95 % interval" if lines <= BANDS else f"95 % intervals are drawn of {BANDS} strategies or fewer"
    return f"Mean of {seeds} repeats, {bands}"


def _line(figure: go.Figure, curve: Curve, mode: str, form: str) -> None:
    title, (dash, marker) = literal(STRATEGIES[curve.name]), style_of(curve.name)
    figure.add_scatter(
        x=curve.labels,
        y=curve.means.value,
        name=title,
        meta=curve.name,
        customdata=list(range(len(curve.labels))),
        mode="lines+markers",
        line={"color": colour_of(curve.name, mode), "width": 2.2, "dash": dash},
        marker={"symbol": marker, "size": 6},
        hovertemplate=form + "<extra>" + title + "</extra>",
    )


def _band(figure: go.Figure, curve: Curve, mode: str) -> None:
    """The 95 % interval; of one seed there is none."""
    low, high = curve.means.low, curve.means.high
    if not np.isfinite(low).all():
        return
    figure.add_scatter(
        x=[*curve.labels, *curve.labels[::-1]],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor=colour_of(curve.name, mode),
        opacity=_BAND,
        line={"width": 0},
        mode="lines",
        meta=curve.name,
        hoverinfo="skip",
        showlegend=False,
    )
