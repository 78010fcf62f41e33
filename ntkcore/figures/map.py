"""The map: every image a point on a plane of the kernel, by class or by a number; a lasso tells the images."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ntkcore.analyses.map.drawn import Aside, Density, Drawn
from ntkcore.figures.theme import class_colour, ink, layout, literal, number_scale, paper, quiet

HEIGHT = 540
_NAMED = 30  # classes whose centroids carry their names
_MANY = 2000  # points that are drawn smaller


def map_figure(drawn: Drawn, picked: Sequence[int], mode: str) -> go.Figure:
    """Every image as a point.

    Args:
        drawn: the plane and what is known of the points.
        picked: images selected before, the others paler; () for none.
        mode: ``"light"`` or ``"dark"``.
    """
    figure = go.Figure(layout=layout(mode, height=HEIGHT))
    if drawn.density is not None:
        _contours(figure, drawn.density, mode)
    size = 6 if len(drawn.groups) <= _MANY else 4
    if not drawn.passing.all():
        left_out = np.flatnonzero(~drawn.passing)
        marker = {"color": quiet(mode), "size": size - 1, "opacity": 0.2}
        _points(figure, drawn, left_out, (), "not within the filters", marker, tells=False)
    if drawn.colours is None:
        for index, name in enumerate(map(literal, drawn.names)):
            own = np.flatnonzero((drawn.groups == index) & drawn.passing)
            marker = {"color": class_colour(index), "size": _size(drawn, own, size), "opacity": _opacity(drawn, own)}
            _points(figure, drawn, own, picked, name, marker)
    else:
        _numbered(figure, drawn, picked, size, mode)
    if drawn.held is not None:
        _aside(figure, drawn, drawn.held, size, mode)
    _named(figure, drawn, mode)
    figure.update_layout(dragmode="lasso", margin={"l": 50, "r": 30, "t": 8, "b": 40})
    figure.update_layout(legend={"itemsizing": "constant", "entrywidth": 0})
    figure.update_xaxes(title_text=literal(drawn.place.right), showgrid=False, zeroline=True, zerolinecolor=quiet(mode), zerolinewidth=0.5)
    figure.update_yaxes(title_text=literal(drawn.place.up), showgrid=False, zeroline=True, zerolinecolor=quiet(mode), zerolinewidth=0.5)
    figure.update_yaxes(scaleanchor="x", scaleratio=1)  # a distance is the same in every direction
    if not drawn.place.metric:
        figure.update_xaxes(showticklabels=False, ticks="", zeroline=False)
        figure.update_yaxes(showticklabels=False, ticks="", zeroline=False)
    return figure


def _numbered(figure: go.Figure, drawn: Drawn, picked: Sequence[int], size: int, mode: str) -> None:
    """Points by a number; those that have none are quiet."""
    assert drawn.colours is not None
    values, (low, high) = drawn.colours.values, drawn.colours.ends
    without = np.flatnonzero(drawn.passing & ~np.isfinite(values))
    if len(without):
        _points(figure, drawn, without, picked, "none", {"color": quiet(mode), "size": size, "opacity": 0.6})
    own = np.flatnonzero(drawn.passing & np.isfinite(values))
    bar = {"title": {"text": literal(drawn.colours.title), "side": "right", "font": {"size": 12}}, "thickness": 10, "outlinewidth": 0}
    marker = {
        "color": values[own],
        "colorscale": number_scale(mode, signed=drawn.colours.signed),
        "cmin": low,
        "cmax": high,
        "colorbar": bar | {"exponentformat": "power"},
        "size": _size(drawn, own, size),
        "opacity": _opacity(drawn, own),
    }
    _points(figure, drawn, own, picked, literal(drawn.colours.title), marker, said="<br>%{marker.color:.4g}")
    figure.update_layout(showlegend=False)


def _points(
    figure: go.Figure, drawn: Drawn, own: np.ndarray, picked: Sequence[int], name: str, marker: dict, *, said: str = "", tells: bool = True
) -> None:
    """One trace; points that tell their image can be selected."""
    chosen = np.isin(own, list(picked))
    figure.add_scattergl(
        x=drawn.place.points[own, 0],
        y=drawn.place.points[own, 1],
        mode="markers",
        name=name,
        customdata=own.tolist() if tells else None,
        marker=marker,
        selectedpoints=np.flatnonzero(chosen).tolist() if len(picked) and tells else None,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.12}},
        hovertemplate=f"{drawn.noun} %{{customdata}}{said}<extra>{name}</extra>" if tells else None,
        hoverinfo=None if tells else "skip",
        showlegend=tells,
    )


def _aside(figure: go.Figure, drawn: Drawn, held: Aside, size: int, mode: str) -> None:
    """Held-out images as open diamonds, quiet unless points have their class's colour; their numbers are told from -1 downwards."""
    shown = np.flatnonzero(held.shown)
    classes = drawn.names == held.class_names and drawn.colours is None
    figure.add_scattergl(
        x=held.points[shown, 0],
        y=held.points[shown, 1],
        mode="markers",
        name="held out",
        customdata=(-1 - shown).tolist(),
        text=[f"held-out {drawn.noun} {image}, {literal(held.class_names[held.labels[image]])}" for image in shown],
        marker={
            "symbol": "diamond-open",
            "color": [class_colour(label) for label in held.labels[shown]] if classes else quiet(mode),
            "size": size + 2,
            "line": {"width": 1.4},
        },
        hovertemplate="%{text}<extra></extra>",
    )
    if drawn.colours is not None:  # whose scale says what they are
        figure.update_traces(showlegend=False, selector=lambda trace: trace.name != "held out")
    figure.update_layout(showlegend=True)


def _contours(figure: go.Figure, density: Density, mode: str) -> None:
    """Lines of equal density: the page takes them away where the map is zoomed in."""
    figure.add_contour(
        x=density.x,
        y=density.y,
        z=density.images,
        contours={"coloring": "none"},
        ncontours=9,
        line={"color": quiet(mode), "width": 1, "smoothing": 1},
        hoverinfo="skip",
        showscale=False,
        showlegend=False,
    )


def _size(drawn: Drawn, own: np.ndarray, size: int) -> float | np.ndarray:
    """Of the points: the larger the number that they are sized by, the larger."""
    return size if drawn.sizes is None else size * (0.5 + 2.5 * np.sqrt(drawn.sizes[own]))


def _opacity(drawn: Drawn, own: np.ndarray) -> float | np.ndarray:
    """Of the points: the paler, the fewer true neighbours lie near, where that is asked for."""
    return 0.8 if drawn.kept is None else 0.08 + 0.92 * drawn.kept[own]


def _named(figure: go.Figure, drawn: Drawn, mode: str) -> None:
    """Each class's name where its images are, on average."""
    if len(drawn.names) > _NAMED:
        return
    for index, (x, y) in enumerate(drawn.centroids):
        if np.isfinite(x):
            colour = class_colour(index) if drawn.colours is None else ink(mode)
            figure.add_annotation(
                x=x,
                y=y,
                text=literal(drawn.names[index]),
                showarrow=False,
                bgcolor=paper(mode),
                bordercolor=colour,
                borderpad=2,
                opacity=0.85,
                font={"size": 12, "color": ink(mode)},
            )
