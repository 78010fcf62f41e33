"""Figures of the influence page: what the views give, drawn; no arithmetic beyond placing it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.influence.noise import NoiseShare
from ntkcore.analyses.influence.paths import MeanTrajectory, Trajectory
from ntkcore.analyses.words import exact
from ntkcore.figures.theme import CLASSES, FORM_COLOURS, class_colour, ink, layout, literal, quiet

HEIGHT = 300
SMALL = 220
_UNSEEN = {"size": 12, "color": "rgba(0,0,0,0)"}  # what a click on a line meets: plotly selects markers alone


def bump_figure(
    path: Trajectory | MeanTrajectory, ranks: np.ndarray, images: Sequence[int], names: Sequence[str], now: float | None, mode: str
) -> go.Figure:
    """Ranks of a few training images over training time, 1 on top; a mark where the page stands. A click on a line tells its image.

    Args:
        path, ranks: the times, and (T, n) the ranks.
        images: those drawn, with their ``names``.
        now: τ marked; None: the end of training, which is right of all.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = over_time(path.times, now, mode)
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        sign = np.where(path.influence[:, image] >= 0, "helpful", "harmful")
        figure.add_scatter(
            x=path.times,
            y=ranks[:, image],
            name=literal(name),
            customdata=[int(image)] * len(path.times),
            text=[f"{word}, {exact(value, '.3g')}" for word, value in zip(sign, path.influence[:, image], strict=True)],
            mode="lines+markers",
            line={"color": class_colour(place), "width": 2.2},
            marker=_UNSEEN,
            hovertemplate="τ = %{x:.3g}: rank %{y}, %{text}<extra>" + literal(name) + "</extra>",
        )
    figure.update_yaxes(title_text="rank by |influence|", type="log", autorange="reversed", dtick=1)
    return figure


def loss_figure(path: Trajectory, names: Sequence[str], truth: int, now: float | None, mode: str) -> go.Figure:
    """Outputs of one held-out image over training time, its own class in full strength, and its loss."""
    figure = over_time(path.times, now, mode)
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


def mean_figure(path: MeanTrajectory, now: float | None, mode: str) -> go.Figure:
    """Mean loss of a group of held-out images over training time, and the share of it that is misclassified."""
    figure = over_time(path.times, now, mode)
    colours = FORM_COLOURS[mode]
    lines = (("mean loss", path.loss, ink(mode), "dot", "%{y:.4g}"), ("misclassified", path.error, colours["on"], "solid", "%{y:.1%}"))
    for name, values, colour, dash, said in lines:
        figure.add_scatter(
            x=path.times,
            y=values,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.2, "dash": dash},
            hovertemplate="τ = %{x:.3g}: " + name + " " + said + "<extra></extra>",
        )
    figure.update_yaxes(title_text="mean loss, share", rangemode="tozero")
    return figure


def image_figure(path: Trajectory | MeanTrajectory, image: int, now: float | None, mode: str) -> go.Figure:
    """One training image's influence over training time; above 0 it helps, below it harms."""
    figure = over_time(path.times, now, mode)
    figure.add_hline(y=0, line={"color": quiet(mode), "width": 1.2})
    figure.add_scatter(
        x=path.times,
        y=path.influence[:, image],
        mode="lines",
        line={"color": FORM_COLOURS[mode]["pseudo"], "width": 2.4},
        hovertemplate="τ = %{x:.3g}: %{y:+.3g}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(title_text="influence")
    figure.update_layout(height=SMALL)
    return figure


def noise_figure(noise: NoiseShare, now: float | None, mode: str) -> go.Figure:
    """The share of flipped images among the most influential ones, with both errors (IF-NTK Fig. 7)."""
    figure = over_time(noise.times, now, mode)
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


def complexity_figure(values: np.ndarray, chosen: int, mode: str) -> go.Figure:
    """Complexity of the groups, from the most harmful to the most helpful, the chosen one in full strength (IF-NTK Fig. 5)."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    strength = [1.0 if group == chosen else 0.45 for group in range(len(values))]
    figure.add_bar(
        x=np.arange(len(values)),
        y=values,
        customdata=list(range(len(values))),
        marker={"color": FORM_COLOURS[mode]["on"], "opacity": strength},
        hovertemplate="group %{x}: %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(title_text="group by mean influence: 0 most harmful, last most helpful", dtick=1)
    figure.update_yaxes(title_text="complexity C")
    figure.update_layout(dragmode="zoom", margin={"t": 24})
    return figure


def verification_figure(
    predicted: np.ndarray,
    actual: np.ndarray,
    names: Sequence[str],
    mode: str,
    images: Sequence[int] = (),
    *,
    what: str = "influence",
    point: str = "an image left out",
) -> go.Figure:
    """The kernel's prediction against real retraining, image by image (IF-NTK Fig. 1); the diagonal is agreement.

    Args:
        predicted, actual, names: of each.
        mode: ``"light"`` or ``"dark"``.
        images: numbers that a click on a point tells.
        what: is predicted.
        point: what one stands for.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT + 60))
    ends = [float(min(predicted.min(), actual.min())), float(max(predicted.max(), actual.max()))]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.5}, hoverinfo="skip", name="agreement")
    figure.add_scatter(
        x=predicted,
        y=actual,
        mode="markers",
        marker={"color": FORM_COLOURS[mode]["pseudo"], "size": 8, "opacity": 0.85},
        customdata=[int(image) for image in images] or None,
        text=[literal(name) for name in names],
        name=point,
        hovertemplate="%{text}<br>predicted %{x:+.4g}, retrained %{y:+.4g}<extra></extra>",
    )
    figure.update_xaxes(title_text=f"{what} predicted by the kernel")
    figure.update_yaxes(title_text=f"{what} by retraining")
    figure.update_layout(dragmode="zoom")
    return figure


def over_time(times: Sequence[float] | np.ndarray, now: float | None, mode: str, *, steps: bool = False) -> go.Figure:
    """An empty figure whose first axis is the training time, or steps, with a mark at ``now``, where that is not the end of training."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.update_xaxes(
        title_text="steps of gradient descent" if steps else "training time τ",
        type="log",
        exponentformat="power",
        range=np.log10([times[0], times[-1]]).tolist(),
    )
    if now is not None:
        figure.add_vline(x=now, line={"color": quiet(mode), "width": 2}, layer="below")
    figure.update_layout(dragmode="zoom")
    return figure
