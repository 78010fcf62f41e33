"""The learning curve of a labelling session."""

import plotly.graph_objects as go

from ntkcore.analyses.label.curve import Curve
from ntkcore.figures.theme import class_colour, ink, layout


def learning_curve(curve: Curve, mode: str) -> go.Figure:
    """Share right over labels: as they were asked for, and the draws at random with their mean."""
    figure = go.Figure(layout=layout(mode, height=300))
    grey = ink(mode)
    for draw in curve.random:
        figure.add_scatter(
            x=curve.counts,
            y=100 * draw,
            mode="lines",
            line={"color": grey, "width": 1},
            opacity=0.18,
            hoverinfo="skip",
            showlegend=False,
        )
    for name, values, colour, dash in (
        ("at random, mean", curve.random.mean(0), grey, "dash"),
        ("as asked for", curve.asked, class_colour(0), "solid"),
    ):
        figure.add_scatter(
            x=curve.counts,
            y=100 * values,
            name=name,
            mode="lines+markers",
            marker={"size": 6},
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"{name}: %{{y:.1f}} % with %{{x}} labels<extra></extra>",
        )
    figure.update_xaxes(title_text="labels")
    figure.update_yaxes(title_text="right (%)")
    return figure
