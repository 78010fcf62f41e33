"""One look for all figures: the palettes, and the templates for light and dark.

The palettes are the ones of ``.streamlit/config.toml``; a test holds them together.
"""

import html

import plotly.graph_objects as go

# Okabe and Ito's colours, extended to ten: told apart under all common kinds of colour blindness, on white and on near-black.
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B5A900", "#7A5FD0", "#8C6D4F", "#7F8790")
# The three groups, apart from every class's colour, and light enough for a dark page.
GROUP_COLOURS = {
    "light": {"hard": "#9B2226", "medium": "#6B7280", "easy": "#0A8286"},
    "dark": {"hard": "#FF8A75", "medium": "#A3ABB2", "easy": "#5FD3C8"},
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


def paper(mode: str) -> str:
    """Background colour."""
    return _PAPER[mode]


def ink(mode: str) -> str:
    """Text colour."""
    return _INK[mode]


def literal(text: str) -> str:
    """A name from data, as plotly shows it literally: its texts take some HTML, its hover templates %{...}."""
    return html.escape(text, quote=False).replace("%{", "% {")
