"""Figures of the mislabelled question: information of flipped images beside others', detectors' curves, and the study over draws."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.information.labels.views import METRICS, SHORT, Histogram, Measured
from ntkcore.figures.information.informative import INFORMATION
from ntkcore.figures.theme import CLASSES, FORM_COLOURS, layout, quiet
from ntkcore.information.detection import Detection
from ntkcore.specs.detection import Suspicion

HEIGHT = 320
_DASHES: dict[Suspicion, str] = {
    "information": "solid",
    "residual": "solid",
    "loss": "dash",
    "margin": "dot",
    "k_xx": "longdash",
    "self": "dashdot",
}
_MARKERS = dict(zip(METRICS, ("circle", "diamond", "square"), strict=True))


def _colours(mode: str) -> dict[Suspicion, str]:
    return {
        "information": FORM_COLOURS[mode]["pseudo"],
        "residual": FORM_COLOURS[mode]["full"],
        "loss": FORM_COLOURS[mode]["on"],
        "margin": CLASSES[2],
        "k_xx": FORM_COLOURS[mode]["network"],
        "self": CLASSES[3],
    }


def detection_histogram(found: Histogram, mode: str) -> go.Figure:
    """Unique information of the images with flipped labels over that of the others (Unique-info Figs. 2b, 8); each kind adds up to 1."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    centres, widths = np.sqrt(found.edges[1:] * found.edges[:-1]), np.diff(found.edges)
    colours = FORM_COLOURS[mode]
    for name, values, colour in (("label as it was", found.others, colours["on"]), ("label flipped", found.flipped, colours["pseudo"])):
        figure.add_bar(
            x=centres,
            y=values,
            width=widths,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.62,
            hovertemplate=f"{name}: %{{y:.1%}} of them<br>≈ %{{x:.3g}} nats<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0, dragmode="zoom")
    figure.update_xaxes(title_text=INFORMATION, type="log", exponentformat="power")
    figure.update_yaxes(title_text="share of the images of each kind", tickformat=".0%")
    return figure


def roc_figure(found: Mapping[Suspicion, Detection], mode: str) -> go.Figure:
    """Share of the flipped labels that is found against the share of the others that is raised for nothing, score by score."""
    figure = _curves(found, "roc", mode, "raised %{x:.1%} of the others, found %{y:.1%}")
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": quiet(mode), "width": 1.2}, name="chance", hoverinfo="skip", showlegend=False
    )
    figure.update_xaxes(title_text="share of the right labels among those looked at", range=[-0.01, 1.01], tickformat=".0%")
    figure.update_yaxes(title_text="share of the flipped labels found", range=[-0.01, 1.02], tickformat=".0%")
    return figure


def recall_figure(found: Mapping[Suspicion, Detection], mode: str) -> go.Figure:
    """Share of flipped labels among those looked at, against the share of all flipped labels that is found by then."""
    figure = _curves(found, "curve", mode, "found %{x:.1%}, of those looked at %{y:.1%} flipped")
    some = next(iter(found.values()))
    figure.add_hline(y=some.flipped / some.n, line={"color": quiet(mode), "width": 1.2})
    figure.update_xaxes(title_text="share of the flipped labels found", range=[-0.01, 1.01], tickformat=".0%")
    figure.update_yaxes(title_text="share flipped among those looked at", range=[-0.01, 1.02], tickformat=".0%")
    return figure


def _curves(found: Mapping[Suspicion, Detection], kind: str, mode: str, said: str) -> go.Figure:
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    colours = _colours(mode)
    for name, one in reversed(list(found.items())):  # the first on top
        across, up = getattr(one, kind)
        figure.add_scatter(
            x=across,
            y=up,
            mode="lines",
            name=SHORT[name],
            line={"color": colours[name], "width": 3 if _DASHES[name] == "solid" else 1.8, "dash": _DASHES[name]},
            hovertemplate=f"{said}<extra>{SHORT[name]}</extra>",
        )
    figure.update_layout(legend={"traceorder": "reversed"}, dragmode="zoom")
    return figure


def study_figure(found: Sequence[Measured], mode: str) -> go.Figure:
    """Every metric of every score: the mean over the draws with its 95 % interval, and each draw as a faint dot."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT + 20))
    colours = dict(zip(METRICS, (FORM_COLOURS[mode][name] for name in ("pseudo", "on", "full")), strict=True))
    lift = dict(zip(METRICS, (0.22, 0.0, -0.22), strict=True))
    scores = list(dict.fromkeys(one.score for one in found))
    place = {score: len(scores) - 1 - number for number, score in enumerate(scores)}
    for metric, title in METRICS.items():
        of = [one for one in found if one.metric == metric]
        heights = [place[one.score] + lift[metric] for one in of]
        figure.add_scatter(
            x=np.concatenate([one.draws for one in of]),
            y=np.repeat(heights, [len(one.draws) for one in of]),
            mode="markers",
            marker={"color": colours[metric], "size": 6, "opacity": 0.3},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=[one.mean.value for one in of],
            y=heights,
            error_x={"type": "data", "array": [one.mean.high - one.mean.value for one in of], "thickness": 1.6, "width": 4},
            mode="markers",
            name=title,
            marker={"color": colours[metric], "size": 10, "symbol": _MARKERS[metric]},
            text=[SHORT[one.score] for one in of],
            customdata=np.array([[one.mean.low, one.mean.high] for one in of]),
            hovertemplate="%{text}: %{x:.3f}, 95 % %{customdata[0]:.3f} to %{customdata[1]:.3f}<extra>" + title + "</extra>",
        )
    figure.update_xaxes(title_text="mean over the draws, with its 95 % interval", range=[0, 1.03])
    figure.update_yaxes(tickvals=list(place.values()), ticktext=[SHORT[score] for score in place], range=[-0.6, len(scores) - 0.4])
    figure.update_layout(dragmode="zoom")
    return figure
