"""Figures of the question "Can I believe the number?": estimates against retraining, and correlations between networks and times."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.figures.theme import FORM_COLOURS, SEQUENTIAL, class_colour, ink, layout, literal, paper, quiet

HEIGHT = 400
IN_WEIGHTS = "information in the weights by Langevin’s"
_CELL, _AROUND = 56, 150
_WIDE = 60  # characters of all names together that do not fit beside each other
_FORMS = {
    "linear": ("pseudo", "diamond", 9),
    "gauss-newton": ("on", "circle-open", 9),
    "hessian": ("first", "square-open", 9),
    "lissa": ("network", "x-thin", 8),
}


def removal_figure(
    actual: np.ndarray, estimates: Mapping[str, np.ndarray], titles: Mapping[str, str], names: Sequence[str], mode: str, *, what: str
) -> go.Figure:
    """Estimated against retrained squared changes, image by image, on logarithmic axes; on the line the size is right as well.

    Args:
        actual: (r,) by retraining.
        estimates: method to (r,); one that holds NaN is left out.
        titles: of the methods.
        names: (r,) of the images.
        mode: ``"light"`` or ``"dark"``.
        what: is changed.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    drawn = {method: values for method, values in estimates.items() if np.isfinite(values).all()}
    together = np.concatenate([actual, *drawn.values()])
    positive = together[together > 0]
    if len(positive):
        ends = [float(positive.min()), float(positive.max())]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.5}, name="right", hoverinfo="skip")
    for method, values in drawn.items():
        colour, symbol, size = _FORMS[method]
        tint = FORM_COLOURS[mode][colour]
        figure.add_scatter(
            x=actual,
            y=values,
            mode="markers",
            name=titles[method],
            text=[literal(name) for name in names],
            marker={"color": tint, "size": size, "symbol": symbol, "opacity": 0.85, "line": {"color": tint, "width": 1.6}},
            hovertemplate="%{text}<br>retrained %{x:.3g}, estimated %{y:.3g}<extra>" + titles[method] + "</extra>",
        )
    axis = {"type": "log", "exponentformat": "power", "dtick": 1}
    figure.update_xaxes(title_text=f"{what}, by retraining", **axis)
    figure.update_yaxes(title_text=f"{what}, estimated", **axis)
    figure.update_layout(dragmode="zoom", margin={"t": 54})
    return figure


def noise_figure(even: np.ndarray, sgd: np.ndarray, labels: np.ndarray, names: Sequence[str], mode: str) -> go.Figure:
    """Information in the weights by SGD's own noise over that by even noise, on logarithmic axes; on the line both say the same.

    Args:
        even, sgd, labels: (n,).
        names: of the classes.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    together = np.concatenate([even, sgd])
    positive = together[together > 0]
    if len(positive):
        ends = [float(positive.min()), float(positive.max())]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": quiet(mode), "width": 1.5}, name="the same", hoverinfo="skip")
    for index, name in enumerate(map(literal, names)):
        own = np.flatnonzero(labels == index)
        figure.add_scattergl(
            x=even[own],
            y=sgd[own],
            mode="markers",
            name=name,
            customdata=own.tolist(),
            marker={"color": class_colour(index), "size": 6, "opacity": 0.75},
            hovertemplate="image %{customdata}, " + name + "<br>SGD’s noise %{y:.3g} nats, even noise %{x:.3g}<extra></extra>",
        )
    figure.update_xaxes(title_text=f"{IN_WEIGHTS} even noise, nats", type="log", exponentformat="power")
    figure.update_yaxes(title_text="by SGD’s own noise, nats", type="log", exponentformat="power")
    return figure


def correlation_figure(
    values: np.ndarray, names: Sequence[str], mode: str, *, deviations: np.ndarray | None = None, what: str = "Pearson"
) -> go.Figure:
    """Correlations of every one with every other, as a picture with its numbers; what is not defined is left empty.

    Args:
        values: (V, V).
        names: (V,) of the rows and columns.
        mode: ``"light"`` or ``"dark"``.
        deviations: (V, V) written below the numbers.
        what: kind of correlation.
    """
    count = len(names)
    figure = go.Figure(layout=layout(mode, height=_AROUND + max(3, count) * _CELL))
    said = [literal(name) for name in names]
    places = list(range(count))
    figure.add_heatmap(
        z=values,
        x=places,
        y=places,
        zmin=0,
        zmax=1,
        colorscale=[[place / (len(SEQUENTIAL) - 1), colour] for place, colour in enumerate(SEQUENTIAL)],
        text=[[_cell(values[a, b], None if deviations is None else deviations[a, b]) for b in places] for a in places],
        texttemplate="%{text}",
        textfont={"size": 12},
        customdata=[[f"{said[a]}<br>{said[b]}" for b in places] for a in places],
        hovertemplate="%{customdata}<br>" + what + " %{z:.3f}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        colorbar={"thickness": 10, "outlinewidth": 0, "tickfont": {"color": ink(mode), "size": 11}, "title": {"text": what}},
    )
    axis = {"tickvals": places, "ticktext": said, "showgrid": False, "ticks": ""}
    figure.update_xaxes(side="bottom", tickangle=-25 if count > 3 or sum(map(len, names)) > _WIDE else 0, **axis)
    figure.update_yaxes(autorange="reversed", **axis)
    figure.update_layout(dragmode=False, plot_bgcolor=paper(mode))
    return figure


def _cell(value: float, deviation: float | None) -> str:
    if np.isnan(value):
        return "–"
    number = f"{value:.2f}".replace("-", "−")
    return number if deviation is None or np.isnan(deviation) else f"{number}<br>± {deviation:.2f}"
