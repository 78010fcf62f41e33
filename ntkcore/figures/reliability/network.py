"""Figures of the reliability page's real network: estimates against retraining, and the steps from one to the other."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.analyses.reliability.stochastic import Gap
from ntkcore.figures.theme import FORM_COLOURS, layout, literal, quiet

HEIGHT = 420
_GAPS_HEIGHT = 220


def estimates_figure(found: NetworkIhvp, names: Sequence[str], mode: str) -> go.Figure:
    """Every estimate against the influence by retraining; on the line it is right. LiSSA with one standard deviation of a run.

    Args:
        names: of the training images that were left out.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    colours = FORM_COLOURS[mode]
    both = found.spec.verification.width is None
    traces = [
        ("kernel", "I, kernel", found.kernel, colours["network"], "triangle-up-open", 8),
        ("regime", "Î, kernel", found.regime, colours["network"], "x-thin", 8),
        ("hessian", "Î, network" + (" (Hessian)" if both else ""), found.hessian, colours["on"], "circle-open", 13),
        *([("gauss_newton", "Î, network (Gauss-Newton)", found.gauss_newton, colours["first"], "square-open", 11)] if both else []),
        ("lissa", f"LiSSA, {len(found.lissa)} runs", found.lissa_mean, colours["pseudo"], "diamond", 6),
    ]
    ends = [float(found.actual.min()), float(found.actual.max())]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.6}, name="right", hoverinfo="skip")
    for key, title, values, colour, symbol, size in traces:
        if key in found.failures:
            continue
        bars = {"error_y": {"type": "data", "array": found.lissa_deviation, "width": 3, "thickness": 1.3}} if key == "lissa" else {}
        figure.add_scatter(
            x=found.actual,
            y=values,
            mode="markers",
            name=title,
            text=[literal(name) for name in names],
            marker={"color": colour, "size": size, "symbol": symbol, "opacity": 0.9, "line": {"color": colour, "width": 1.7}},
            hovertemplate="%{text}<br>retrained %{x:+.4g}, estimated %{y:+.4g}<extra>" + title + "</extra>",
            **bars,
        )
    figure.update_xaxes(title_text="influence by retraining")
    figure.update_yaxes(title_text="estimated influence")
    figure.update_layout(dragmode="zoom")
    return figure


def gaps_figure(steps: Sequence[Gap], mode: str) -> go.Figure:
    """The steps from retraining to one run of LiSSA, a bar each; the stochastic ones in LiSSA's colour."""
    figure = go.Figure(layout=layout(mode, height=_GAPS_HEIGHT))
    colours = FORM_COLOURS[mode]
    kinds = {"formula": colours["full"], "depth": colours["pseudo"], "batches": colours["pseudo"]}
    figure.add_bar(
        x=[step.size for step in steps],
        y=[step.title for step in steps],
        orientation="h",
        marker={"color": [kinds.get(step.name, colours["network"]) for step in steps]},
        text=[f"{step.size:.1%}" for step in steps],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2%} of an influence<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    figure.update_xaxes(visible=False, rangemode="tozero")
    figure.update_layout(dragmode=False, margin={"l": 10, "r": 52, "t": 6, "b": 8}, bargap=0.35)
    return figure
