"""Figures of the influence page: what the views give, drawn; no arithmetic beyond placing it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.influence_views import NoiseShare, Trajectory
from ntkcore.figures.theme import CLASSES, FORM_COLOURS, class_colour, ink, layout, literal, quiet

HEIGHT = 300


def bump_figure(
    path: Trajectory, ranks: np.ndarray, images: Sequence[int], names: Sequence[str], now: float | None, mode: str
) -> go.Figure:
    """Ranks of a few training images over training time, 1 on top; a mark where the page stands.

    Args:
        path, ranks: the times, and (T, n) the ranks.
        images: those drawn, with their ``names``.
        now: τ marked; None: the end of training, which is right of all.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = _over_time(path.times, now, mode)
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        sign = np.where(path.influence[:, image] >= 0, "helpful", "harmful")
        figure.add_scatter(
            x=path.times,
            y=ranks[:, image],
            name=literal(name),
            customdata=np.column_stack([sign, np.char.mod("%+.3g", path.influence[:, image])]),
            mode="lines",
            line={"color": class_colour(place), "width": 2.2},
            hovertemplate="τ = %{x:.3g}: rank %{y}, %{customdata[0]}, %{customdata[1]}<extra>" + literal(name) + "</extra>",
        )
    figure.update_yaxes(title_text="rank by |influence|", type="log", autorange="reversed", dtick=1)
    return figure


def loss_figure(path: Trajectory, names: Sequence[str], truth: int, now: float | None, mode: str) -> go.Figure:
    """Outputs of one held-out image over training time, its own class in full strength, and its loss."""
    figure = _over_time(path.times, now, mode)
    single = path.outputs.shape[1] == 1
    for output in range(path.outputs.shape[1]):
        own = single or output == truth
        figure.add_scatter(
            x=path.times,
            y=path.outputs[:, output],
            name="output" if single else literal(names[output]),
            mode="lines",
            line={"color": CLASSES[0] if single else class_colour(output), "width": 2.6 if own else 1.4},
            opacity=1.0 if own else 0.6,
            hovertemplate="τ = %{x:.3g}: %{y:+.3f}<extra>%{fullData.name}</extra>",
        )
    figure.add_scatter(
        x=path.times,
        y=path.loss,
        name="loss",
        mode="lines",
        line={"color": ink(mode), "width": 2, "dash": "dot"},
        hovertemplate="τ = %{x:.3g}: loss %{y:.4g}<extra></extra>",
    )
    figure.update_yaxes(title_text="output, loss")
    return figure


def noise_figure(noise: NoiseShare, now: float | None, mode: str) -> go.Figure:
    """The share of flipped images among the most influential ones, with both errors (IF-NTK Fig. 7)."""
    figure = _over_time(noise.times, now, mode)
    colours = FORM_COLOURS[mode]
    lines = (
        ("flipped among the most influential", noise.share, colours["pseudo"], "solid"),
        ("error on training images", noise.train_error, colours["on"], "dash"),
        ("error on held-out images", noise.test_error, colours["full"], "dot"),
    )
    for name, values, colour, dash in lines:
        figure.add_scatter(
            x=noise.times,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.2, "dash": dash},
            hovertemplate="τ = %{x:.3g}: %{y:.0%}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=noise.base, line={"color": quiet(mode), "width": 1.4}, annotation_text="share of all labels that are flipped")
    figure.update_yaxes(title_text="share", tickformat=".0%", rangemode="tozero")
    return figure


def complexity_figure(values: np.ndarray, mode: str) -> go.Figure:
    """Complexity of the groups, from the most harmful to the most helpful (IF-NTK Fig. 5)."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_bar(
        x=np.arange(len(values)), y=values, marker={"color": FORM_COLOURS[mode]["on"]}, hovertemplate="group %{x}: %{y:.4g}<extra></extra>"
    )
    figure.update_xaxes(title_text="group by mean influence: 0 most harmful, last most helpful", dtick=1)
    figure.update_yaxes(title_text="complexity C")
    figure.update_layout(dragmode="zoom", margin={"t": 24})
    return figure


def verification_figure(predicted: np.ndarray, actual: np.ndarray, names: Sequence[str], mode: str) -> go.Figure:
    """Each image left out: the kernel's prediction against real retraining (IF-NTK Fig. 1); the diagonal is agreement."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT + 60))
    ends = [float(min(predicted.min(), actual.min())), float(max(predicted.max(), actual.max()))]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.5}, hoverinfo="skip", name="agreement")
    figure.add_scatter(
        x=predicted,
        y=actual,
        mode="markers",
        marker={"color": FORM_COLOURS[mode]["pseudo"], "size": 8, "opacity": 0.85},
        text=[literal(name) for name in names],
        name="an image left out",
        hovertemplate="%{text}<br>predicted %{x:+.4g}, retrained %{y:+.4g}<extra></extra>",
    )
    figure.update_xaxes(title_text="influence predicted by the kernel")
    figure.update_yaxes(title_text="influence by retraining")
    figure.update_layout(dragmode="zoom")
    return figure


def _over_time(times: np.ndarray, now: float | None, mode: str) -> go.Figure:
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.update_xaxes(title_text="training time τ", type="log", exponentformat="power", range=np.log10([times[0], times[-1]]).tolist())
    if now is not None:
        figure.add_vline(x=now, line={"color": quiet(mode), "width": 2}, layer="below")
    figure.update_layout(dragmode="zoom")
    return figure
