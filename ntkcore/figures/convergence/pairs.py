"""Pictures over pairs of images, rows and columns ordered by class, with the classes' boundaries."""

import numpy as np
import plotly.graph_objects as go

from ntkcore.figures.theme import EDGE, SEQUENTIAL, layout, literal

_NAMED = 24  # classes named beside the picture; the names of more would cover each other


def heatmap(
    values: np.ndarray,
    order: np.ndarray,
    labels: np.ndarray,
    class_names: tuple[str, ...],
    mode: str,
    *,
    span: tuple[float, float],
    title: str,
    height: int = 500,
) -> go.Figure:
    """One number for every pair of images.

    Args:
        values: (n, n), rows and columns in the order of the draw.
        order: (n,) the images by class.
        labels: (n,) their classes, positions in ``class_names``.
        class_names: the classes.
        mode: ``"light"`` or ``"dark"``.
        span: values at the ends of the colours.
        title: what the numbers are, beside the colours.
        height: pixels.
    """
    figure = go.Figure(layout=layout(mode, height=height))
    sorted_labels, end = labels[order], len(order) - 0.5
    names = [f"{literal(class_names[label])}, image {image}" for image, label in zip(order, sorted_labels, strict=True)]
    figure.add_heatmap(
        z=values[np.ix_(order, order)],
        x=names,
        y=names,
        zmin=span[0],
        zmax=span[1],
        colorscale=list(SEQUENTIAL if mode == "light" else SEQUENTIAL[::-1]),
        colorbar={"title": {"text": title, "side": "right", "font": {"size": 12}}, "thickness": 12, "outlinewidth": 0, "len": 0.9},
        hovertemplate="%{y}<br>%{x}<br><b>%{z:.4g}</b><extra></extra>",
    )
    line = {"color": EDGE, "width": 0.9}
    for edge in np.flatnonzero(np.diff(sorted_labels)) + 0.5:
        figure.add_shape(type="line", x0=edge, x1=edge, y0=-0.5, y1=end, line=line, opacity=0.75)
        figure.add_shape(type="line", x0=-0.5, x1=end, y0=edge, y1=edge, line=line, opacity=0.75)
    present, starts, counts = np.unique(sorted_labels, return_index=True, return_counts=True)
    named = len(present) <= _NAMED
    ticks = {
        "tickmode": "array",
        "tickvals": list(starts + (counts - 1) // 2) if named else [],  # the middle of each class
        "ticktext": [literal(class_names[label]) for label in present] if named else [],
        "showgrid": False,
        "ticks": "",
    }
    figure.update_xaxes(**ticks, constrain="domain")
    figure.update_yaxes(**ticks, autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(dragmode="zoom", margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def common_span(*pictures: np.ndarray) -> tuple[float, float]:
    """The ends of colours that several pictures share: from 0, or below if any value is, to the largest."""
    return min(0.0, *(float(p.min()) for p in pictures)), max(float(p.max()) for p in pictures)
