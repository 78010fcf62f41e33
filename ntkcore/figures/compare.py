"""Figures of the compare page: one number of every image in A and in B, and the curves of both."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.compare.curves import Curve
from ntkcore.figures.theme import class_colour, ink, layout, literal, quiet

HEIGHT = 560
LOW = 300
_LONG = 20  # times the median: an axis with such a tail is logarithmic
_MANY = 2000  # points that are drawn smaller


def scatter_figure(
    values: tuple[np.ndarray, np.ndarray],
    what: str,
    labels: np.ndarray,
    names: Sequence[str],
    picked: Sequence[int],
    mode: str,
    *,
    ranks: bool = False,
    noun: str = "image",
) -> go.Figure:
    """Every image's number in B over that in A; on the diagonal both are the same.

    Args:
        values: (n,) of A and of B.
        what: the number, or that its ranks are drawn.
        labels: (n,) places in ``names``, of the classes.
        picked: images selected before.
        mode: ``"light"`` or ``"dark"``.
        ranks: whether the values are ranks, 1 in the corner at the top right.
        noun: what a point is.
    """
    first, second = values
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    chosen = np.isin(np.arange(len(first)), list(picked))
    size = 6 if len(first) <= _MANY else 4
    for index, name in enumerate(map(literal, names)):
        own = np.flatnonzero(labels == index)
        figure.add_scattergl(
            x=first[own],
            y=second[own],
            mode="markers",
            name=name,
            customdata=own.tolist(),
            selectedpoints=np.flatnonzero(chosen[own]).tolist() if chosen.any() else None,
            marker={"color": class_colour(index), "size": size, "opacity": 0.75},
            unselected={"marker": {"opacity": 0.12}},
            hovertemplate=f"{noun} %{{customdata}}, {name}<br>A %{{x:.4g}}, B %{{y:.4g}}<extra></extra>",
        )
    long = not ranks and all(map(_long, values))
    finite = np.concatenate([side[np.isfinite(side)] for side in values])
    if len(finite) and (overlap := _overlap(values)):
        figure.add_scatter(
            x=overlap, y=overlap, mode="lines", line={"color": quiet(mode), "dash": "dot", "width": 1}, hoverinfo="skip", showlegend=False
        )
    kind = {"type": "log" if long else "linear", "exponentformat": "power"} | ({"autorange": "reversed"} if ranks else {})
    figure.update_xaxes(title_text=f"A: {literal(what)}", **kind, **_powers(first, long))
    figure.update_yaxes(title_text=f"B: {literal(what)}", **kind, **_powers(second, long))
    figure.update_layout(dragmode="lasso", legend={"itemsizing": "constant", "entrywidth": 0})
    return figure


def _long(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return len(finite) > 0 and finite.min() > 0 and finite.max() > _LONG * float(np.median(finite))


def _powers(values: np.ndarray, log: bool) -> dict[str, float]:
    """Powers of ten alone are written where an axis has some."""
    finite = values[np.isfinite(values)]
    return {"dtick": 1} if log and finite.max() > 100 * finite.min() else {}


def _overlap(values: tuple[np.ndarray, np.ndarray]) -> list[float]:
    """The ends of what both have in common, where that is a good part of either: elsewhere equal values are no scale."""
    ends = [(float(side[np.isfinite(side)].min()), float(side[np.isfinite(side)].max())) for side in values if np.isfinite(side).any()]
    low, high = max(end[0] for end in ends), min(end[1] for end in ends)
    return [low, high] if len(ends) == 2 and high > low else []


def curves_figure(curves: Mapping[str, Curve], moments: str, mode: str, *, log: bool) -> go.Figure:
    """The share of images that are right, and dotted the mean loss, of A and B over each other.

    Args:
        curves: by the side's name; one where both are the same.
        moments: the horizontal axis.
        mode: ``"light"`` or ``"dark"``.
        log: whether that axis is logarithmic.
    """
    figure = go.Figure(layout=layout(mode, height=LOW))
    for (side, curve), colour in zip(curves.items(), (ink(mode), class_colour(5)), strict=False):
        line = {"color": colour, "width": 2}
        figure.add_scatter(
            x=curve.moments,
            y=100 * curve.accuracy,
            name=f"{side}: right",
            mode="lines",
            line=line,
            hovertemplate=f"{side}: %{{y:.1f}} %<extra></extra>",
        )
        figure.add_scatter(
            x=curve.moments,
            y=curve.loss,
            name=f"{side}: loss",
            mode="lines",
            line=line | {"dash": "dot", "width": 1.5},
            yaxis="y2",
            hovertemplate=f"{side}: loss %{{y:.3g}}<extra></extra>",
        )
    figure.update_xaxes(title_text=moments, type="log" if log else "linear", exponentformat="power")
    figure.update_yaxes(title_text="right, %", rangemode="tozero")
    figure.update_layout(
        hovermode="x unified",
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "title": {"text": "mean loss ½‖f − y‖²", "standoff": 10, "font": {"size": 13}},
            "tickfont": {"size": 12},
            "tickmode": "auto",
            "nticks": 6,
            "rangemode": "tozero",
            "automargin": True,
        },
    )
    return figure
