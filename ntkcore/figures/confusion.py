"""A confusion matrix, whose cells can be clicked."""

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.confusion import Confusion
from ntkcore.figures.theme import EDGE, SEQUENTIAL, ink, layout, literal, paper

_WRITTEN = 12  # classes up to which counts stand in the cells
_NAMED = 30  # and up to which all classes are named


def confusion_figure(found: Confusion, mode: str, *, height: int = 340, noun: str = "image") -> go.Figure:
    """Labels from top to bottom, predictions to the right; a cell’s colour is the stronger, the larger its share of its row.

    Args:
        found: the counts and the chosen cell, which has an edge.
        mode: ``"light"`` or ``"dark"``.
        height: pixels.
        noun: what is counted.
    """
    figure = go.Figure(layout=layout(mode, height=height))
    k, names = len(found.names), [literal(name) for name in found.names]
    shares = found.counts / np.maximum(found.counts.sum(1, keepdims=True), 1)
    scale = [paper(mode), *(SEQUENTIAL[1:] if mode == "light" else SEQUENTIAL[:0:-1])]
    figure.add_heatmap(
        z=shares,
        x=list(range(k)),
        y=list(range(k)),
        zmin=0,
        zmax=1,
        colorscale=[(place / (len(scale) - 1), colour) for place, colour in enumerate(scale)],
        showscale=False,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )
    rows, columns = (values.ravel() for values in np.indices((k, k)))
    told = [
        f"{names[row]} taken for {names[column]}: {found.counts[row, column]:,} {noun}{'' if found.counts[row, column] == 1 else 's'}"
        for row, column in zip(rows, columns, strict=True)
    ]
    written = [f"{count:,}" if count else "" for count in found.counts.ravel()] if k <= _WRITTEN else None
    figure.add_scatter(  # a heatmap tells no click
        x=columns,
        y=rows,
        mode="markers+text" if written else "markers",
        text=written,
        textfont={"size": 11, "color": [_legible(share, mode) for share in shares.ravel()]},
        marker={"symbol": "square", "size": max(3, int(0.85 * (height - 60) / k)), "color": ink(mode), "opacity": 0},
        customdata=np.arange(k * k).tolist(),
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )
    if found.chosen is not None:
        row, column = found.chosen
        edge = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", **edge, line={"color": EDGE, "width": 2.5})
    step = -(-k // _NAMED)
    ticks = {"tickmode": "array", "tickvals": list(range(0, k, step)), "ticktext": names[::step], "showgrid": False, "ticks": ""}
    figure.update_xaxes(title_text="predicted", range=[-0.5, k - 0.5], constrain="domain", **ticks)
    figure.update_yaxes(title_text="label", range=[k - 0.5, -0.5], scaleanchor="x", constrain="domain", **ticks)  # square, as the marks are
    figure.update_layout(dragmode=False, margin={"l": 40, "r": 10, "t": 6, "b": 36})
    return figure


def _legible(share: float, mode: str) -> str:
    """The colour of a count on its cell."""
    return ink(mode) if share < 0.5 else paper(mode)
