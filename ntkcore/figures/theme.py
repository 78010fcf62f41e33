"""One look for all figures: the palettes, and the templates for light and dark.

The palettes are the ones of ``.streamlit/config.toml``; a test holds them together.
"""

import html
import re

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

# Okabe and Ito's colours, extended to ten: told apart under all common kinds of colour blindness, on white and on near-black.
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B5A900", "#7A5FD0", "#8C6D4F", "#7F8790")
# Amounts, from none to much.
SEQUENTIAL = ("#F3F0E7", "#DCE5DF", "#BFD8D6", "#9DC9CE", "#79B8C5", "#56A3B8", "#3B8BA9", "#287297", "#1C5981", "#144067")
# Signed numbers, from below 0 to above; what is about 0 stands out least on the page.
_SIGNED = {
    "light": ("#8C3B08", "#DA8A45", "#D2CFC6", "#5E9FC7", "#0E4F80"),
    "dark": ("#F2C9A0", "#C96F22", "#4A545B", "#3E8BBD", "#A9D0EA"),
}
EDGE = "#D55E00"  # of lines over pictures in the colours above: in none of them, so seen on all
# The three groups, apart from every class's colour, and light enough for a dark page.
GROUP_COLOURS = {
    "light": {"hard": "#9B2226", "medium": "#6B7280", "easy": "#0A8286"},
    "dark": {"hard": "#FF8A75", "medium": "#A3ABB2", "easy": "#5FD3C8"},
}
# The kernels, the network, the full kernel's two parts, and two differences, the same in every chart: colour, dash and marker each
# tell them apart.
FORM_COLOURS = {
    "light": {"full": "#1E2529", "pseudo": "#D55E00", "first": "#B5508C", "network": "#7F8790"}
    | {"on": "#0072B2", "off": "#8A6A00", "now": "#00795A", "end": "#6A4FC4"},
    "dark": {"full": "#E4E8EA", "pseudo": "#FF8F4A", "first": "#E59BC3", "network": "#8C969E"}
    | {"on": "#56B4E9", "off": "#E6B84A", "now": "#4FD1A5", "end": "#B3A0F0"},
}
FORM_DASHES = {"full": "solid", "pseudo": "dash", "first": "dot", "network": "dashdot"} | dict.fromkeys(("on", "now"), "solid")
FORM_DASHES |= dict.fromkeys(("off", "end"), "dash")
FORM_MARKERS = {"full": "circle", "pseudo": "diamond", "first": "square", "network": "x"} | dict.fromkeys(("on", "now"), "circle")
FORM_MARKERS |= dict.fromkeys(("off", "end"), "diamond")
# Viridis without its end that would not be seen on the page; ordered by lightness, so also without colour.
_ORDERED = {
    "light": ("#440154", "#46327E", "#365C8D", "#277F8E", "#1FA187", "#4AC16D", "#89C53B"),
    "dark": ("#FDE725", "#A0DA39", "#4AC16D", "#1FA187", "#2E90A0", "#4A86BE", "#7A74C4"),
}

_INK = {"light": "#1E2529", "dark": "#E4E8EA"}
_PAPER = {"light": "#FCFBF8", "dark": "#12171B"}
_QUIET = {"light": "#A9AEB1", "dark": "#5C6870"}
_GRID = {"light": "#E4E0D6", "dark": "#2A333A"}


def layout(mode: str, *, height: int) -> go.Layout:
    """Layout shared by all figures.

    Args:
        mode: ``"light"`` or ``"dark"``.
        height: pixels.
    """
    axis = {
        "gridcolor": _GRID[mode],
        "zeroline": False,
        "linecolor": _GRID[mode],
        "ticks": "outside",
        "tickcolor": _GRID[mode],
        "title": {"standoff": 10, "font": {"size": 13}},
        "tickfont": {"size": 12},
        "automargin": True,
    }
    return go.Layout(
        height=height,
        margin={"l": 56, "r": 40, "t": 12, "b": 44},
        paper_bgcolor=_PAPER[mode],  # the page's colour, so that a saved picture looks the same
        plot_bgcolor=_PAPER[mode],
        font={"color": _INK[mode], "family": "Source Sans, Source Sans Pro, sans-serif", "size": 13},
        colorway=list(CLASSES),
        xaxis=axis,
        yaxis=axis,
        hovermode="closest",
        hoverlabel={"font": {"size": 12}},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0, "font": {"size": 12}, "traceorder": "normal"},
        dragmode="select",
        uirevision="keep",
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": _QUIET[mode], "activecolor": _INK[mode]},
    )


def class_colour(index: int) -> str:
    """Colour of a class; classes past the tenth repeat the palette."""
    return CLASSES[index % len(CLASSES)]


def ordered_colours(count: int, mode: str) -> list[str]:
    """Colours of ``count`` ordered things; the last, the largest, stands out most on the page."""
    if count == 1:
        return [_ORDERED[mode][0]]
    stops = _ORDERED[mode][::-1]
    return [str(c) for c in sample_colorscale(list(stops), [i / (count - 1) for i in range(count)], colortype="rgb")]


def number_scale(mode: str, *, signed: bool) -> list[tuple[float, str]]:
    """Plotly's colour scale of a number of each image: of signed ones with 0 in the middle."""
    stops = _SIGNED[mode] if signed else _ORDERED[mode][::-1]
    return [(place / (len(stops) - 1), colour) for place, colour in enumerate(stops)]


def paper(mode: str) -> str:
    """Background colour."""
    return _PAPER[mode]


def ink(mode: str) -> str:
    """Text colour."""
    return _INK[mode]


def quiet(mode: str) -> str:
    """Colour of what is only there to compare with."""
    return _QUIET[mode]


def literal(text: str) -> str:
    """A name from data, as plotly shows it literally: its texts take some HTML, its hover templates %{...}."""
    return html.escape(text, quote=False).replace("%{", "% {")


def raised(text: str) -> str:
    """Our own mathematical text as HTML, which plotly takes as well: λ_max with its index below, w^(−1/2) with its power above."""
    below = re.sub(r"(?<=[λΘΣ])_(\w+)", r"<sub>\1</sub>", text)
    return re.sub(r"\^\(([^)]*)\)", r"<sup>\1</sup>", below)
