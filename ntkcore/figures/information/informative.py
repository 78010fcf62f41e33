"""Figures of the information page: how much each image tells, against what else is known of it, and through training."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.information.views import Agreement
from ntkcore.figures.influence import over_time
from ntkcore.figures.theme import FORM_COLOURS, class_colour, ink, layout, literal
from ntkcore.specs.information import SCORES

HEIGHT = 320
SMALL = 220
_BINS = 40
INFORMATION = SCORES["held-out"]
LOGARITHMIC = ("loss", "k_xx", "weights", "residual", "information")
"""Measures that are positive: drawn on a logarithmic axis."""


def log_edges(values: np.ndarray, bins: int = _BINS) -> np.ndarray:
    """Edges of bins of equal width in the logarithm, over all positive values."""
    positive = values[values > 0]
    if not len(positive):
        return np.array([0.5, 2.0])
    low, high = float(positive.min()), float(positive.max())
    return np.geomspace(low / 1.02, high * 1.02, bins + 1)


def information_histogram(
    values: np.ndarray, labels: np.ndarray, names: Sequence[str], marked: int | None, mode: str, *, what: str = INFORMATION
) -> go.Figure:
    """How many images carry how much, stacked by class, on a logarithmic axis; images without any are left out, and said in the note.

    Args:
        values, labels: (n,).
        names: of the classes, or of other groups that ``labels`` are positions of.
        marked: an image to mark, or None.
        mode: ``"light"`` or ``"dark"``.
        what: the axis.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    edges, unit = log_edges(values), " nats" if what.endswith("nats") else ""
    centres, widths = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    for index, name in enumerate(map(literal, names)):
        counts = np.histogram(values[labels == index], bins=edges)[0]
        figure.add_bar(
            x=centres,
            y=counts,
            width=widths,
            name=name,
            marker={"color": class_colour(index), "line": {"width": 0}},
            customdata=np.arange(len(counts)),
            hovertemplate=f"{name}: %{{y}} images<br>≈ %{{x:.3g}}{unit}<extra></extra>",
        )
    if marked is not None and values[marked] > 0:
        figure.add_vline(x=float(values[marked]), line={"color": ink(mode), "width": 2})
    figure.update_layout(barmode="stack", bargap=0, dragmode="select", selectdirection="h")
    figure.update_xaxes(title_text=what, type="log", exponentformat="power")
    figure.update_yaxes(title_text="images")
    return figure


def against_figure(
    values: np.ndarray,
    other: np.ndarray,
    what: str,
    labels: np.ndarray,
    names: Sequence[str],
    picked: Sequence[int],
    mode: str,
    *,
    log: bool,
    score: str = INFORMATION,
) -> go.Figure:
    """Every image's information over another measure of it; a lasso tells the images.

    Args:
        values, other, labels: (n,).
        what: the other measure.
        names: of the classes.
        picked: images selected before.
        log: whether the other measure is drawn on a logarithmic axis.
        score: what ``values`` are.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    chosen = np.isin(np.arange(len(values)), list(picked))
    for index, name in enumerate(map(literal, names)):
        own = np.flatnonzero(labels == index)
        figure.add_scattergl(
            x=other[own],
            y=values[own],
            mode="markers",
            name=name,
            customdata=own.tolist(),
            selectedpoints=np.flatnonzero(chosen[own]).tolist() if chosen.any() else None,
            marker={"color": class_colour(index), "size": 6, "opacity": 0.75},
            unselected={"marker": {"opacity": 0.15}},
            hovertemplate="image %{customdata}, " + name + "<br>%{y:.3g}, " + literal(what) + " %{x:.3g}<extra></extra>",
        )
    figure.update_xaxes(title_text=what, type="log" if log else "linear", exponentformat="power")
    figure.update_yaxes(title_text=score, type=_kind(score), exponentformat="power")
    figure.update_layout(dragmode="lasso")
    return figure


def course_figure(
    over: Agreement,
    images: Sequence[int],
    names: Sequence[str],
    now: float | None,
    mode: str,
    *,
    score: str = INFORMATION,
    steps: bool = False,
) -> go.Figure:
    """Information of a few images through training, with the median of all (Unique-info Fig. 5b's quantity, image by image)."""
    figure = over_time(over.times, now, mode, steps=steps)
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        figure.add_scatter(
            x=over.times,
            y=over.scores[:, image],
            name=literal(name),
            customdata=[int(image)] * len(over.times),
            mode="lines+markers",
            line={"color": class_colour(place), "width": 2},
            marker={"size": 11, "color": "rgba(0,0,0,0)"},  # what a click on a line meets: plotly selects markers alone
            hovertemplate="%{x:.4g}: %{y:.3g}<extra>" + literal(name) + "</extra>",
        )
    figure.add_scatter(
        x=over.times,
        y=np.median(over.scores, axis=1),
        name="median of all",
        mode="lines",
        line={"color": ink(mode), "width": 2.4, "dash": "dash"},
        hovertemplate="%{x:.4g}: %{y:.3g}<extra>median</extra>",
    )
    figure.update_yaxes(title_text=score, type=_kind(score), exponentformat="power")
    return figure


def agreement_figure(over: Agreement, now: float | None, mode: str, *, steps: bool = False) -> go.Figure:
    """How the ranking at other times goes with the one looked at."""
    figure = over_time(over.times, now, mode, steps=steps)
    figure.add_scatter(
        x=over.times,
        y=over.rho,
        mode="lines+markers",
        line={"color": FORM_COLOURS[mode]["on"], "width": 2.4},
        marker={"size": 6},
        hovertemplate="%{x:.4g}: ρ = %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(
        title_text="Spearman’s ρ with the ranking shown", range=[min(-0.05, float(np.nanmin([*over.rho, 0.0]))) - 0.05, 1.05]
    )
    return figure


def _kind(score: str) -> str:
    """Of a score's axis: a change of loss may be negative."""
    return "linear" if score == SCORES["loss"] else "log"
