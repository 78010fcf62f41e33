"""Figures of the question what can be dropped: what the views give, drawn; no arithmetic beyond placing it."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ntkcore.analyses.information.drop.views import STRATEGIES, Curve, Placed
from ntkcore.figures.theme import FORM_COLOURS, layout, literal, quiet

HEIGHT = 380
_FORMS = {"iterative": "pseudo", "once": "first", "random": "network", "top": "on"}
_DASHES = {"iterative": "solid", "once": "dash", "random": "dot", "top": "dashdot"}
_TICKS = {0.0001: "99.99 %", 0.001: "99.9 %", 0.002: "99.8 %", 0.005: "99.5 %", 0.01: "99 %", 0.02: "98 %", 0.05: "95 %"}
_TICKS |= {0.03: "97 %", 0.1: "90 %", 0.2: "80 %", 0.5: "50 %", 0.8: "20 %", 1.0: "0 %"}
_MARKERS = {"iterative": "circle", "once": "square", "random": "x", "top": "diamond"}


def summary_figure(curves: Sequence[Curve], places: Sequence[Placed], percent: int, mode: str) -> go.Figure:
    """Test accuracy over the percent of images dropped, a line an order; bars: 95 % interval of the mean over the draws.

    Args:
        curves, places: of each order, and where they are drawn: by the logarithm of the error, the smallest on top.
        percent: marked.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_vline(x=percent, line={"color": quiet(mode), "width": 2}, layer="below")
    for curve, place in zip(curves, places, strict=True):
        name = literal(STRATEGIES[curve.strategy])
        figure.add_scatter(
            x=curve.percents,
            y=place.error,
            error_y={
                "type": "data",
                "symmetric": False,
                "array": place.high - place.error,
                "arrayminus": place.error - place.low,
                "thickness": 1.2,
                "width": 3,
            },
            customdata=[mean.value for mean in curve.means],
            name=name,
            mode="lines+markers",
            line={"color": FORM_COLOURS[mode][_FORMS[curve.strategy]], "width": 2.2, "dash": _DASHES[curve.strategy]},
            marker={"symbol": _MARKERS[curve.strategy], "size": 7},
            hovertemplate="%{x} % dropped: %{customdata:.2%} right<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title_text="training images dropped, %")
    figure.update_yaxes(
        title_text="test accuracy, by log error", type="log", autorange="reversed", tickvals=list(_TICKS), ticktext=list(_TICKS.values())
    )
    figure.update_layout(dragmode="zoom")
    return figure
