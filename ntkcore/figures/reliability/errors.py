"""Figures of the reliability page: what the views give, drawn; no arithmetic beyond placing it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ntkcore.analyses.reliability.views import Evidence, Summary, Sweep
from ntkcore.figures.theme import FORM_COLOURS, class_colour, ink, layout, literal, quiet
from ntkcore.influence.clusters import ClusterErrors

HEIGHT = 340
_RULES = (("solid", "circle", "on"), ("dash", "diamond", "pseudo"), ("dot", "square", "first"))


def sweep_figure(found: Sweep, now: Summary, mode: str) -> go.Figure:
    """Mean and median error rate over λ with Theorem 3's bound, and the page's λ as rings (IF-NTK Fig. 2)."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    colours = FORM_COLOURS[mode]
    lines = (
        ("mean", found.mean, now.mean, colours["pseudo"], "solid", "circle"),
        ("median", found.median, now.median, colours["on"], "dash", "diamond"),
        ("Theorem 3’s lower bound", found.bound, now.bound, colours["full"], "dot", "square"),
    )
    if now.ridge > 0:
        figure.add_vline(x=now.ridge, line={"color": quiet(mode), "width": 2}, layer="below")
    for name, values, here, colour, dash, symbol in lines:
        figure.add_scatter(
            x=found.ridges,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.2, "dash": dash},
            marker={"symbol": symbol, "size": 7},
            hovertemplate="λ = %{x:.4g}: %{y:.2%}<extra>" + name + "</extra>",
        )
        if now.ridge > 0:
            figure.add_scatter(
                x=[now.ridge],
                y=[here],
                mode="markers",
                marker={"symbol": "circle-open", "size": 14, "color": colour, "line": {"width": 2}},
                showlegend=False,
                hovertemplate="λ = %{x:.4g}: %{y:.2%}<extra>" + name + ", all held-out images</extra>",
            )
    figure.update_xaxes(title_text="regularisation λ", type="log", tickvals=list(found.ridges), ticktext=[_power(r) for r in found.ridges])
    figure.update_yaxes(title_text="error rate |I − Î| / |I|", tickformat=".0%", rangemode="tozero")
    figure.update_layout(dragmode="zoom")
    return figure


def _power(ridge: float) -> str:
    """2 to a power, as HTML."""
    return f"2<sup>{'−' if ridge < 1 else ''}{abs(round(np.log2(ridge)))}</sup>"


def density_figure(
    log_density: np.ndarray, rate: np.ndarray, labels: np.ndarray, names: Sequence[str], picked: Sequence[int], mode: str
) -> go.Figure:
    """Log density against error rate, a dot a training image; box or lasso selects (IF-NTK Fig. 3).

    Args:
        log_density, rate, labels: (n,); an image without a positive rate is not drawn.
        names: of the classes.
        picked: images marked as selected.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    drawn = np.isfinite(log_density) & (rate > 0)
    for label, name in enumerate(map(literal, names)):
        members = np.flatnonzero(drawn & (labels == label))
        figure.add_scattergl(
            x=log_density[members],
            y=rate[members],
            mode="markers",
            name=name,
            marker={"color": class_colour(label), "size": 6, "opacity": 0.75},
            customdata=members,
            hovertemplate="image %{customdata}<br>log density %{x:.2f}<br>error rate %{y:.2%}<extra>%{fullData.name}</extra>",
        )
    chosen = [image for image in picked if image < len(drawn) and drawn[image]]
    if chosen:
        figure.add_scatter(
            x=log_density[chosen],
            y=rate[chosen],
            mode="markers",
            marker={"symbol": "circle-open", "size": 11, "color": ink(mode), "line": {"width": 1.5}},
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_layout(dragmode="lasso")
    figure.update_xaxes(title_text="log density of the training image")
    positive = rate[drawn]
    decades = np.log10(positive.max() / positive.min()) if len(positive) else 0.0
    digits = (1, 2, 3, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.5 else (1,)  # as many as a small window has room for
    ticks = [digit * 10.0**power for power in range(-8, 7) for digit in digits]
    figure.update_yaxes(title_text="error rate", type="log", tickvals=ticks, ticktext=[f"{100 * tick:g}%" for tick in ticks])
    return figure


def dependence_figure(rows: pd.DataFrame, names: dict[str, str], dimension: int, mode: str) -> go.Figure:
    """Spearman's ρ over the projection's dimension, a line a bandwidth rule; the page's dimension marked."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_vline(x=dimension, line={"color": quiet(mode), "width": 2}, layer="below")
    for (rule, name), (dash, symbol, colour) in zip(names.items(), _RULES, strict=True):
        here = rows[rows["rule"] == rule]
        figure.add_scatter(
            x=here["dimension"],
            y=here["spearman"],
            name=name,
            customdata=here[["pearson", "bandwidth", "explained"]].to_numpy(),
            mode="lines+markers",
            line={"color": FORM_COLOURS[mode][colour], "width": 2.2, "dash": dash},
            marker={"symbol": symbol, "size": 7},
            hovertemplate="%{x} dimensions (%{customdata[2]:.0%} of the variance), bandwidth %{customdata[1]:.2f}<br>"
            "ρ = %{y:.2f}, r = %{customdata[0]:.2f}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=0, line={"color": quiet(mode), "width": 1.2}, layer="below")
    dimensions = sorted(set(rows["dimension"]))
    figure.update_xaxes(title_text="principal components", type="log", tickvals=dimensions, ticktext=[str(d) for d in dimensions])
    figure.update_yaxes(title_text="Spearman’s ρ", range=[-1.05, max(0.1, float(rows["spearman"].max()) + 0.1) if len(rows) else 1.0])
    figure.update_layout(dragmode="zoom")
    return figure


def evidence_figure(found: Evidence, labels: np.ndarray, names: Sequence[str], mode: str) -> go.Figure:
    """Î against I for the most influential training images of one held-out image; on the diagonal IHVP would be right."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    ends = [float(min(found.exact.min(), found.estimate.min())), float(max(found.exact.max(), found.estimate.max()))]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.6}, name="Î = I", hoverinfo="skip")
    for label, name in enumerate(map(literal, names)):
        members = np.flatnonzero(labels[found.images] == label)
        if len(members):
            figure.add_scatter(
                x=found.exact[members],
                y=found.estimate[members],
                mode="markers",
                name=name,
                marker={"color": class_colour(label), "size": 8, "opacity": 0.85},
                customdata=np.column_stack([found.images[members], found.rate[members]]),
                hovertemplate="training image %{customdata[0]}<br>I = %{x:.3g}, Î = %{y:.3g}: %{customdata[1]:.1%} off"
                "<extra>%{fullData.name}</extra>",
            )
    figure.update_xaxes(title_text="true influence I", exponentformat="power")
    figure.update_yaxes(title_text="IHVP’s estimate Î", exponentformat="power")
    figure.update_layout(dragmode="zoom")
    return figure


def cluster_figure(found: ClusterErrors, mode: str) -> go.Figure:
    """Mean upper bound and mean error of each simulated cluster, from small to large, for both classes (IF-NTK Fig. 12)."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    colours = FORM_COLOURS[mode]
    for sign, word, dash in ((1.0, "class +1", "solid"), (-1.0, "class −1", "dash")):
        of = found.labels == sign
        for values, over, name, colour, symbol in (
            (found.upper, found.rate_upper, "upper bound", colours["full"], "square"),
            (found.actual, found.rate, "actual error", colours["pseudo"], "circle"),
        ):
            figure.add_scatter(
                x=found.sizes[of],
                y=values[of],
                customdata=over[of],
                name=f"{name}, {word}",
                mode="lines+markers",
                line={"color": colour, "width": 2.2, "dash": dash},
                marker={"symbol": symbol, "size": 8},
                hovertemplate="%{x} samples: %{y:.2e}, %{customdata:.2%} of |I|<extra>" + f"{name}, {word}" + "</extra>",
            )
    sizes = sorted({int(size) for size in found.sizes})
    figure.update_xaxes(title_text="samples in the cluster", type="log", tickvals=sizes, ticktext=[f"{size:,}" for size in sizes])
    figure.update_yaxes(title_text="mean of |I − Î|, and its bound", type="log", exponentformat="power", dtick=1)
    figure.update_layout(dragmode="zoom")
    return figure
