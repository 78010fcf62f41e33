"""Figures of the convergence page: what the views give, drawn; no arithmetic beyond placing it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.convergence.views import LABELS, Curves, Series, Spectra, TimingCurve
from ntkcore.convergence import PowerLaw
from ntkcore.figures.theme import FORM_COLOURS, FORM_DASHES, FORM_MARKERS, ink, layout, ordered_colours, quiet, raised

HEIGHT = 310
_DRAWN = 300  # eigenvalues drawn of one spectrum, evenly on the logarithmic axis; more could not be told apart
_SOFT = 0.75  # of the ink, for words that are no label
_BLANK = 0.06  # of the axis beyond the outermost points


def curves_figure(
    curves: Curves,
    widths: Sequence[int],
    names: Sequence[str],
    mode: str,
    *,
    span: Curves,
    only: int | None = None,
    epoch: int | None = None,
    empty: str = "Not defined here.",
) -> go.Figure:
    """Means with error bars and every network as a dot; a dot's customdata is its place in the result.

    Over width a colour is a kernel. Over epochs a colour is a width, or a kernel where one width alone is shown.

    Args:
        curves: what to draw.
        widths: all widths of the analysis.
        names: every comparison in words.
        mode: ``"light"`` or ``"dark"``.
        span: what the vertical axis must have room for: all epochs, so that it stays while an epoch slider moves.
        only: over epochs, the width shown alone; None shows all.
        epoch: over epochs, the epoch that other charts show, marked.
        empty: what to say when there is nothing to draw.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    shown = [line for line in curves.series if only is None or line.width in (None, only)]
    by_width = curves.over == "epoch" and only is None
    colours = dict(zip(widths, ordered_colours(len(widths), mode), strict=True))
    _guide(figure, curves, mode)
    for line in shown:
        colour = colours[line.width] if by_width and line.width is not None else FORM_COLOURS[mode][line.name]
        _series(figure, line, f"width {line.width:,}" if by_width else raised(line.label), colour, names)
    if curves.law is not None and len(curves.law_y):
        _law(figure, curves, curves.law, mode)
    if curves.quantity.signed and shown:
        figure.add_hline(y=0, line={"color": quiet(mode), "width": 1.2}, layer="below")
    if curves.over == "width":
        figure.update_xaxes(title_text="width", type="log", tickmode="array", tickvals=list(widths), ticktext=[f"{w:,}" for w in widths])
        figure.update_xaxes(range=_room(widths, log=True, blank=0.08), minor={"ticks": ""})
    else:
        figure.update_xaxes(title_text="epoch")
        if epoch is not None:
            figure.add_vline(x=epoch, line={"color": quiet(mode), "width": 2}, layer="below")
    _vertical(figure, curves, span, only)
    if not shown:
        _empty(figure, empty, mode)
    figure.update_layout(dragmode="zoom", clickmode="event+select")
    return figure


def spectra_figure(
    spectra: Spectra | None, forms: Sequence[str], names: Sequence[str], floor: float, mode: str, *, empty: str = "Not computed yet."
) -> go.Figure:
    """Whole spectra on logarithmic axes, a line a seed; a dot's customdata is its comparison's place in the result.

    Args:
        spectra: of one width at one epoch, or None where there is none.
        forms: the kernels drawn.
        names: every comparison in words.
        floor: size up to which an eigenvalue of the full kernel is rounding; NaN when unknown.
        mode: ``"light"`` or ``"dark"``.
        empty: what to say when there is none.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    if spectra is None:
        return _empty(figure, empty, mode)
    for form in forms:
        rank = spectra.rank[form]
        drawn = np.unique(np.geomspace(1, len(rank), _DRAWN).round().astype(int)) - 1
        for row, (values, index) in enumerate(zip(spectra.values[form], spectra.point_id, strict=True)):
            colour = FORM_COLOURS[mode][form]
            figure.add_scatter(
                x=rank[drawn],
                y=values[drawn],
                mode="lines+markers",
                name=LABELS[form],
                legendgroup=form,
                showlegend=row == 0,
                line={"color": colour, "width": 1.6, "dash": FORM_DASHES[form]},
                marker={"color": colour, "size": 2.5, "symbol": FORM_MARKERS[form]},
                customdata=np.full(len(drawn), index),
                hovertemplate=f"{LABELS[form]}: %{{y:.3g}} at place %{{x:.0f}}<br>{names[index]}<extra></extra>",
                **_UNDIMMED,
            )
    if np.isfinite(floor) and floor > 0:
        figure.add_hline(
            y=floor,
            line={"color": quiet(mode), "width": 1, "dash": "dot"},
            annotation={"text": "rounding of the full kernel", "font": {"size": 11, "color": ink(mode)}, "opacity": _SOFT},
            annotation_position="bottom left",
        )
    drawn_values = np.concatenate([spectra.values[form].ravel() for form in forms])
    ends = _room(drawn_values[np.isfinite(drawn_values)], log=True, blank=_BLANK)
    figure.update_xaxes(title_text="place among the n k eigenvalues", dtick="D2", **_LOG)
    figure.update_yaxes(title_text="eigenvalue", **(_LOG | _ticks(ends)))
    figure.update_layout(dragmode="zoom", clickmode="event+select")
    return figure


def timing_figure(curve: TimingCurve | None, mode: str) -> go.Figure:
    """Seconds per pair of pseudo-NTK and full kernel over one quantity (Thesis Fig. 3.1); None: not measured yet."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    if curve is None:
        return _empty(figure, "Measured when all comparisons are done.", mode)
    for form in ("full", "pseudo"):
        figure.add_scatter(
            x=curve.x,
            y=curve.seconds[form],
            mode="lines+markers",
            name=LABELS[form],
            line={"color": FORM_COLOURS[mode][form], "width": 2.2, "dash": FORM_DASHES[form]},
            marker={"size": 7, "symbol": FORM_MARKERS[form]},
            hovertemplate=f"{LABELS[form]}: %{{y:.3s}}s a pair at {curve.label} %{{x}}<extra></extra>",
        )
    kind = "log" if curve.over == "outputs" else "linear"
    figure.update_xaxes(title_text=curve.label, type=kind, tickmode="array", tickvals=list(curve.x), ticktext=[str(x) for x in curve.x])
    figure.update_yaxes(title_text="seconds a pair", type="log", dtick="D2", tickformat="~s")
    figure.update_layout(dragmode="zoom")
    return figure


_LOG = {"type": "log", "tickformat": ",.5~g"}  # every tick says its whole number
_UNDIMMED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # a click opens, it selects nothing


def _series(figure: go.Figure, line: Series, name: str, colour: str, names: Sequence[str]) -> None:
    group = f"{line.name} {line.width}"
    figure.add_scatter(
        x=line.x,
        y=line.mean,
        error_y={
            "type": "data",
            "array": line.high - line.mean,
            "arrayminus": line.mean - line.low,
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        mode="lines",
        name=name,
        legendgroup=group,
        line={"color": colour, "width": 2.2, "dash": FORM_DASHES[line.name]},
        hoverinfo="skip",  # the dots speak
    )
    figure.add_scatter(
        x=line.point_x,
        y=line.point_y,
        mode="markers",
        name=name,
        legendgroup=group,
        showlegend=False,
        marker={
            "color": colour,
            "size": 8,
            "symbol": [FORM_MARKERS[line.name] + ("-open" if jittered else "") for jittered in line.jittered],
            "opacity": 0.7,
        },
        customdata=line.point_id,
        text=[
            names[index] + ("<br>rests on a jitter" if jittered else "")
            for index, jittered in zip(line.point_id, line.jittered, strict=True)
        ],
        hovertemplate=f"{raised(line.label)}: <b>%{{y:.4g}}</b><br>%{{text}}<br>click to open<extra></extra>",
        **_UNDIMMED,
    )


def _guide(figure: go.Figure, curves: Curves, mode: str) -> None:
    if len(curves.guide_y):
        figure.add_scatter(
            x=curves.guide_x,
            y=curves.guide_y,
            mode="lines",
            name=raised("w^(−1/2)"),
            legendrank=2000,  # drawn below, said last
            line={"color": quiet(mode), "width": 1.2, "dash": "dash"},
            hoverinfo="skip",
        )


def _law(figure: go.Figure, curves: Curves, law: PowerLaw, mode: str) -> None:
    interval = f" ± {law.high - law.slope:.2f}" if np.isfinite(law.high) else ""  # symmetric, and short: legends are narrow
    figure.add_scatter(
        x=curves.law_x,
        y=curves.law_y,
        mode="lines",
        name=f"slope {_signed(law.slope)}{interval}",
        line={"color": ink(mode), "width": 1.2, "dash": "solid"},
        opacity=0.55,
        hoverinfo="skip",
    )


def _vertical(figure: go.Figure, curves: Curves, span: Curves, only: int | None) -> None:
    """The vertical axis, with room for every point of ``span``."""
    quantity = curves.quantity
    figure.update_yaxes(title_text=raised(quantity.axis), **(_LOG if quantity.log else {}))
    values = [line.point_y for line in span.series if only is None or line.width in (None, only)]
    if quantity.signed:
        values.append(np.zeros(1))
    if quantity.low is not None and quantity.high is not None:
        figure.update_yaxes(range=[quantity.low - 0.03, quantity.high + 0.03], tickformat=".0%")
    elif values:
        ends = _room(np.concatenate(values), log=quantity.log, blank=_BLANK)
        figure.update_yaxes(range=ends, **(_ticks(ends) if quantity.log else {}))


def _room(values: Sequence[float] | np.ndarray, *, log: bool, blank: float) -> list[float]:
    """Ends of an axis around values, as plotly takes them: logarithms for a logarithmic one."""
    placed = np.log10(values) if log else np.asarray(values, dtype=float)
    low, high = float(placed.min()), float(placed.max())
    least = 0.3 if log else 0.1 * max(abs(low), abs(high), 1e-12)  # not the noise of equal values, enlarged
    edge = max(blank * (high - low), (least - (high - low)) / 2)
    return [low - edge, high + edge]


def _ticks(ends: Sequence[float]) -> dict[str, Any]:
    """Ticks of a logarithmic axis that do not cover each other: every 1, 2, 5 in a decade, or powers of ten, or plotly's choice."""
    decades = ends[1] - ends[0]
    if decades > 3:
        return {"dtick": int(np.ceil(decades / 7)), "tickformat": "", "exponentformat": "power"}
    return {"dtick": None if decades <= 0.9 else "D2", "tickformat": ",.5~g" if ends[1] < 5 else ",.5~r"}


def _empty(figure: go.Figure, text: str, mode: str) -> go.Figure:
    """A figure without axes that says why there is nothing in it."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.add_annotation(
        text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"color": quiet(mode), "size": 14}
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
