"""Figures of the information page's toy: its points, and the weights that SGD ends with."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ntkcore.analyses.information.toy import KINDS, Toy
from ntkcore.figures.theme import EDGE, SEQUENTIAL, class_colour, ink, layout

HEIGHT = 330
_SMALLEST, _LARGEST = 6, 26


def points_figure(found: Toy, mode: str) -> go.Figure:
    """The points, the larger the more SGD's steady state says they tell, and a ring around the chosen one; a click tells a point."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    x, y = found.points.x, found.points.y
    sizes = _SMALLEST + (_LARGEST - _SMALLEST) * np.sqrt(found.predicted / found.predicted.max())
    for place, target in enumerate((-1.0, 1.0)):
        own = np.flatnonzero(y == target)
        figure.add_scatter(
            x=x[own, 0],
            y=x[own, 1],
            mode="markers",
            name=f"target {target:+.0f}".replace("-", "−"),
            customdata=own.tolist(),
            text=[f"{value:.3g}" for value in found.predicted[own]],
            marker={"color": class_colour(place), "size": sizes[own], "opacity": 0.75, "line": {"width": 0}},
            hovertemplate="point %{customdata}: about %{text} nats predicted<extra></extra>",
        )
    chosen = found.view.point
    figure.add_scatter(
        x=x[[chosen], 0],
        y=x[[chosen], 1],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={"symbol": "circle-open", "size": sizes[chosen] + 8, "color": ink(mode), "line": {"width": 2.5}},
    )
    figure.update_xaxes(title_text="x₁")
    figure.update_yaxes(title_text="x₂", scaleanchor="x")
    figure.update_layout(dragmode="pan", clickmode="event+select")
    return figure


def weights_figure(found: Toy, mode: str) -> go.Figure:
    """The three distributions of the weights, each as a histogram over both, on the same axes."""
    figure = make_subplots(1, 3, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.02, subplot_titles=KINDS)
    shared = layout(mode, height=HEIGHT)
    figure.update_layout(shared)
    for axes, look in ((figure.update_xaxes, shared.xaxis), (figure.update_yaxes, shared.yaxis)):
        axes(look.to_plotly_json() | {"showgrid": True})
    stops = SEQUENTIAL[2:] if mode == "light" else SEQUENTIAL[:-2][::-1]
    centres = [(edges[1:] + edges[:-1]) / 2 for edges in found.edges]
    for place, counts in enumerate(found.counts):
        figure.add_heatmap(
            x=centres[0],
            y=centres[1],
            z=np.where(counts > 0, counts, np.nan),
            colorscale=[[i / (len(stops) - 1), stop] for i, stop in enumerate(stops)],
            showscale=False,
            hoverongaps=False,
            hovertemplate="w₁ = %{x:.3f}, w₂ = %{y:.3f}: %{z} trainings<extra></extra>",
            row=1,
            col=place + 1,
        )
        figure.add_scatter(  # where the weights are on average with the point, in every panel to compare with
            x=[float(found.weights[0, :, 0].mean())],
            y=[float(found.weights[0, :, 1].mean())],
            mode="markers",
            marker={"symbol": "cross-thin", "size": 15, "line": {"color": EDGE, "width": 2}},
            hoverinfo="skip",
            showlegend=False,
            row=1,
            col=place + 1,
        )
    figure.update_xaxes(title_text="w₁", nticks=4)
    figure.update_yaxes(title_text="w₂", row=1, col=1)
    figure.update_yaxes(ticks="", col=2)
    figure.update_yaxes(ticks="", col=3)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 34}, dragmode="pan")
    return figure
