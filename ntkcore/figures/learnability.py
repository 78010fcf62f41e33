"""Figures of the learnability page: results in, plotly figures out; no arithmetic beyond placing what is given."""

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.learnability.views import GroupCurves, ImageCurve
from ntkcore.figures.theme import GROUP_COLOURS, class_colour, ink, layout, literal
from ntkcore.learnability import GROUP_NAMES

_BINS = 60


def score_histogram(result: LearnabilityResult, cuts: tuple[float, float], marked: int | None, mode: str) -> go.Figure:
    """Histogram of k(x,x), stacked by class, with the cuts of the hard and easy groups.

    Args:
        result: the analysis.
        cuts: scores below which an image is hard and above which it is easy; NaN where the group is empty.
        marked: an image to mark, or None.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=320))
    edges = np.histogram_bin_edges(result.score, bins=_BINS)
    centres, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    for index, name in enumerate(map(literal, result.class_names)):
        counts = np.histogram(result.score[result.labels == index], bins=edges)[0]
        figure.add_bar(
            x=centres,
            y=counts,
            width=widths,
            name=name,
            marker={"color": class_colour(index), "line": {"width": 0}},
            customdata=np.arange(len(counts)),
            hovertemplate=f"{name}: %{{y}} images<br>k(x,x) ≈ %{{x:.4g}}<extra></extra>",
        )
    for cut, label, side in ((cuts[0], "hard", "left"), (cuts[1], "easy", "right")):
        if np.isfinite(cut):
            figure.add_vline(
                x=cut,
                line={"color": ink(mode), "width": 1.5, "dash": "dash"},
                annotation={"text": f"◂ {label}" if side == "left" else f"{label} ▸", "font": {"color": ink(mode), "size": 12}},
                annotation_position=f"top {side}",
            )
    if marked is not None:
        figure.add_vline(x=float(result.score[marked]), line={"color": ink(mode), "width": 2})
    figure.update_layout(barmode="stack", bargap=0, dragmode="select", selectdirection="h")
    figure.update_xaxes(title_text="k(x,x): squared norm of the output's gradient, mean over outputs")
    figure.update_yaxes(title_text="images")
    return figure


def accuracy_curves(curves: GroupCurves, mode: str) -> go.Figure:
    """Accuracy of each group after every epoch (Learnability, Fig. 3)."""
    figure = go.Figure(layout=layout(mode, height=320))
    for row, name in enumerate(GROUP_NAMES):
        if curves.sizes[row]:
            figure.add_scatter(
                x=curves.epochs,
                y=100 * curves.accuracy[row],
                name=f"{name} ({curves.sizes[row]})",
                mode="lines+markers",
                marker={"size": 5},
                line={"color": GROUP_COLOURS[mode][name], "width": 2.5},
                hovertemplate=f"{name}: %{{y:.1f}} % correct after epoch %{{x}}<extra></extra>",
            )
    figure.update_layout(dragmode="zoom")
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="correct (%)", range=[-3, 103])
    return figure


def error_curves(curves: GroupCurves, group: str, mode: str, *, log: bool = False) -> go.Figure:
    """Mean error of the groups: measured, and predicted by eq. 16 and eq. 17; the envelope of eq. 15 for one group.

    Args:
        curves: the curves.
        group: ``"hard"``, ``"medium"``, ``"easy"``, or ``"all"`` for the three without the envelope.
        mode: ``"light"`` or ``"dark"``.
        log: logarithmic error axis.
    """
    figure = go.Figure(layout=layout(mode, height=320))
    for row, name in enumerate(GROUP_NAMES):
        if group not in ("all", name) or not curves.sizes[row]:
            continue
        colour = GROUP_COLOURS[mode][name]
        if group == name:
            figure.add_scatter(
                x=np.concatenate([curves.times, curves.times[::-1]]),
                y=np.concatenate([curves.upper[row], curves.lower[row][::-1]]),
                fill="toself",
                fillcolor=_transparent(colour, 0.12),
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                name="envelope (eq. 15)",
            )
        lines = [("diagonal (eq. 16)", curves.diagonal, "dot")]
        if curves.full is not None:
            lines.append(("full kernel (eq. 17)", curves.full, "dash"))
        for label, values, dash in lines:
            figure.add_scatter(
                x=curves.times,
                y=values[row],
                mode="lines",
                name=label if group == name else f"{name}, {label}",
                line={"color": colour, "width": 1.8, "dash": dash},
                showlegend=group == name,
                hovertemplate=f"{name}, {label}: %{{y:.4f}} at epoch %{{x:.2f}}<extra></extra>",
            )
        figure.add_scatter(
            x=curves.epochs,
            y=curves.error[row],
            mode="lines+markers",
            name=f"{name}, measured",
            line={"color": colour, "width": 2.5},
            marker={"size": 5},
            hovertemplate=f"{name}, measured: %{{y:.4f}} after epoch %{{x}}<extra></extra>",
        )
    if group == "all":  # the dashes mean the same for the three colours: explained once, in no group's colour
        dashes = [("diagonal (eq. 16)", "dot")] + ([("full kernel (eq. 17)", "dash")] if curves.full is not None else [])
        for label, dash in dashes:
            figure.add_scatter(x=[None], y=[None], mode="lines", name=label, line={"color": ink(mode), "width": 1.8, "dash": dash})
    figure.update_layout(dragmode="zoom")
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="mean error ‖f − y‖", type="log" if log else "linear", rangemode="tozero")
    return figure


def learned_scatter(result: LearnabilityResult, jitter: np.ndarray, marked: int | None, mode: str) -> go.Figure:
    """k(x,x) against the epoch at which each image is learned for good; lasso or box selects images.

    Args:
        result: the analysis.
        jitter: vertical offsets in epochs that keep equal epochs apart, (n,).
        marked: an image to mark, or None.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=370))
    last = len(result.outputs) - 1
    never = np.isinf(result.learned)
    height = np.where(never, last + max(1.5, 0.08 * last), result.learned) + jitter
    for index, name in enumerate(map(literal, result.class_names)):
        members = np.flatnonzero(result.labels == index)
        figure.add_scatter(
            x=result.score[members],
            y=height[members],
            mode="markers",
            name=name,
            marker={"color": class_colour(index), "size": 6, "opacity": 0.75},
            customdata=members,
            text=[f"image {i} · " + ("never learned" if never[i] else f"learned at epoch {result.learned[i]:.0f}") for i in members],
            hovertemplate="%{text}<br>k(x,x) = %{x:.4g}<extra>%{fullData.name}</extra>",
        )
    if marked is not None:
        figure.add_scatter(
            x=[result.score[marked]],
            y=[height[marked]],
            mode="markers",
            marker={"symbol": "circle-open", "size": 16, "color": ink(mode), "line": {"width": 2}},
            showlegend=False,
            hoverinfo="skip",
        )
    reached = int(result.learned[~never].max()) if (~never).any() else last
    values = list(np.unique(np.linspace(0, reached, min(reached + 1, 6)).round().astype(int)))
    labels = [str(value) for value in values]
    if never.any():
        values.append(last + max(1.5, 0.08 * last))
        labels.append("never")
    figure.update_layout(dragmode="lasso")
    figure.update_xaxes(title_text="k(x,x)")
    figure.update_yaxes(title_text="epoch from which it stays correct", tickvals=values, ticktext=labels)
    return figure


def image_curves(curve: ImageCurve, mode: str) -> go.Figure:
    """One image's error through training, measured and predicted."""
    figure = go.Figure(layout=layout(mode, height=250))
    figure.add_scatter(
        x=curve.times, y=curve.diagonal, mode="lines", name="predicted, diagonal (eq. 16)", line={"color": class_colour(1), "dash": "dot"}
    )
    if curve.full is not None:
        figure.add_scatter(
            x=curve.times,
            y=curve.full,
            mode="lines",
            name="predicted, full kernel (eq. 17)",
            line={"color": class_colour(2), "dash": "dash"},
        )
    figure.add_scatter(
        x=curve.epochs,
        y=curve.error,
        mode="lines+markers",
        name="measured",
        line={"color": class_colour(0), "width": 2.5},
        marker={"size": 7, "symbol": ["circle" if c else "x" for c in curve.correct]},
        hovertemplate="‖f − y‖ = %{y:.4f} after epoch %{x}<extra></extra>",
    )
    figure.update_layout(dragmode="zoom")
    figure.update_xaxes(title_text="epoch (✕ = wrong)")
    figure.update_yaxes(title_text="‖f − y‖", rangemode="tozero")
    return figure


def _transparent(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
