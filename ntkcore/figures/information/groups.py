"""Figures of groups of images: whose tell more, what is lost without some, a sub-class over its size (Unique-info Figs. 2a, 9, 10)."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.information.groups.sources import ORDERS
from ntkcore.analyses.information.groups.views import DropCurves, GroupScores, Redundancy, Sweep
from ntkcore.figures.information.informative import HEIGHT, INFORMATION, log_edges
from ntkcore.figures.theme import FORM_COLOURS, class_colour, layout, literal, quiet
from ntkcore.information.detection import Detection, Estimate

_DASHES = ("solid", "dot", "dash", "dashdot")
_MARKERS = ("circle", "diamond", "square", "x")


def groups_histogram(found: GroupScores, mode: str) -> go.Figure:
    """Each group's scores as shares of its own images, overlaid on one logarithmic axis; images without any are left out.

    Bars carry the number of the group, so that a click tells it.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    edges = log_edges(found.flat()[0])
    centres, widths = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    for place, (name, values) in enumerate(zip(found.names, found.values, strict=True)):
        counts = np.histogram(values, bins=edges)[0]
        figure.add_bar(
            x=centres,
            y=counts / max(1, len(values)),
            width=widths,
            name=f"{literal(name)} ({len(values):,})",
            text=[f"{count} images" for count in counts],
            textposition="none",
            marker={"color": class_colour(place), "opacity": 0.55, "line": {"width": 0}},
            hovertemplate="≈ %{x:.3g} nats: %{y:.1%}, %{text}<extra>" + literal(name) + "</extra>",
        )
    for place, mean in enumerate(found.means):
        if mean.value > 0:
            figure.add_vline(x=mean.value, line={"color": class_colour(place), "width": 2, "dash": _DASHES[place % 4]})
    figure.update_layout(barmode="overlay", bargap=0, dragmode="zoom")
    figure.update_xaxes(title_text=INFORMATION, type="log", exponentformat="power")
    figure.update_yaxes(title_text="share of the group", tickformat=".0%")
    return figure


def drop_figure(curves: DropCurves, place: int, names: Sequence[str], mode: str) -> go.Figure:
    """Held-out accuracy when one source's images are dropped: colour tells whose held-out images, dots that they go at random.

    Args:
        place: the source whose images are dropped.
        names: of the sources.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    percent = [100 * share for share in curves.shares]
    judged = [(f"held out of {literal(name)}", class_colour(number)) for number, name in enumerate(names)]
    judged.append(("all held out", FORM_COLOURS[mode]["full"]))
    for number, (name, colour) in enumerate(judged):
        for order, words in enumerate(ORDERS):
            mean, low, high = (values[place, order, :, number] for values in (curves.mean, curves.low, curves.high))
            figure.add_scatter(
                x=percent,
                y=mean,
                name=name,
                legendgroup=name,
                mode="lines+markers",
                line={"color": colour, "width": 2.2, "dash": "solid" if order == 0 else "dot"},
                marker={"size": 5, "symbol": _MARKERS[order]},
                customdata=np.stack([low, high], axis=-1),
                hovertemplate="%{x:.0f} % dropped: %{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra>"
                + f"{name}, {words}</extra>",
                showlegend=order == 0,
            )
    figure.update_xaxes(title_text=f"images of {literal(names[place])} dropped, %")
    figure.update_yaxes(title_text="accuracy", tickformat=".0%")
    figure.update_layout(dragmode="zoom")
    return figure


def redundancy_figure(found: Sequence[Redundancy], names: Sequence[str], mode: str) -> go.Figure:
    """What each source's images tell alone and beside the others."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    shown = [literal(name) for name in names]
    colours = FORM_COLOURS[mode]
    for name, kind, colour in (("alone", "alone", colours["on"]), ("beside the other sources", "beside", colours["pseudo"])):
        means = [getattr(one, kind) for one in found]
        figure.add_bar(
            x=shown,
            y=[mean.value for mean in means],
            error_y=_bars(means),
            name=name,
            marker={"color": colour},
            hovertemplate="%{x}: %{y:.3g} nats<extra>" + name + "</extra>",
        )
    figure.update_yaxes(title_text="mean " + INFORMATION, exponentformat="power")
    figure.update_layout(dragmode="zoom", bargap=0.45)
    return figure


def sweep_figure(found: Sweep, names: Sequence[str], count: int, mode: str) -> go.Figure:
    """Mean F-SI of an image of each kind over how many images the rare sub-class has; a mark where the page stands."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    for place, (name, means) in enumerate(zip(names, (found.rare, found.common, found.other), strict=True)):
        figure.add_scatter(
            x=found.counts,
            y=[mean.value for mean in means],
            error_y=_bars(means),
            name=literal(name),
            customdata=list(found.counts),
            mode="lines+markers",
            line={"color": class_colour(place), "width": 2.4, "dash": _DASHES[place]},
            marker={"size": 8, "symbol": _MARKERS[place]},
            hovertemplate="%{x:,} rare images: %{y:.3g} nats<extra>" + literal(name) + "</extra>",
        )
    figure.add_vline(x=count, line={"color": quiet(mode), "width": 2}, layer="below")
    figure.update_xaxes(title_text=f"training images of {literal(names[0])}", type="log", tickvals=list(found.counts))
    figure.update_yaxes(title_text="mean " + INFORMATION, type="log", exponentformat="power")
    figure.update_layout(dragmode="zoom")
    return figure


def found_figure(found: Sweep, names: Sequence[str], count: int, mode: str) -> go.Figure:
    """How well the rare ones are found among their class, and how well their held-out images are classified, over their number."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    lines = [("ROC-AUC of finding them", found.auc, FORM_COLOURS[mode]["full"], "solid")]
    lines += [
        (f"accuracy, held out {literal(name)}", found.accuracy[:, place], class_colour(place), _DASHES[place])
        for place, name in enumerate(names)
    ]
    for number, (name, values, colour, dash) in enumerate(lines):
        figure.add_scatter(
            x=found.counts,
            y=values,
            name=name,
            customdata=list(found.counts),
            mode="lines+markers",
            line={"color": colour, "width": 2.2, "dash": dash},
            marker={"size": 7, "symbol": _MARKERS[number]},
            hovertemplate="%{x:,} rare images: %{y:.3f}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=0.5, line={"color": quiet(mode), "width": 1.2}, layer="below")
    figure.add_vline(x=count, line={"color": quiet(mode), "width": 2}, layer="below")
    figure.update_xaxes(title_text=f"training images of {literal(names[0])}", type="log", tickvals=list(found.counts))
    figure.update_yaxes(title_text="area, accuracy", range=[0, 1.03])
    figure.update_layout(dragmode="zoom")
    return figure


def found_by_figure(found: dict[str, Detection], mode: str) -> go.Figure:
    """ROC curves of several scores; the diagonal is chance."""
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": quiet(mode), "width": 1.5}, hoverinfo="skip", name="chance")
    for place, (name, one) in enumerate(found.items()):
        figure.add_scatter(
            x=one.roc[0],
            y=one.roc[1],
            name=f"{name} ({one.auc.value:.3f})",
            mode="lines",
            line={"color": class_colour(place), "width": 2.4, "dash": _DASHES[place]},
            hovertemplate="%{x:.1%} of the others, %{y:.1%} found<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title_text="false positive rate", range=[0, 1])
    figure.update_yaxes(title_text="true positive rate", range=[0, 1.02])
    figure.update_layout(dragmode="zoom")
    return figure


def _bars(means: Sequence[Estimate]) -> dict[str, object]:
    """95 % intervals as error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [mean.high - mean.value for mean in means],
        "arrayminus": [mean.value - mean.low for mean in means],
        "thickness": 1.4,
        "width": 4,
    }
