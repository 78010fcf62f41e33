"""A chart with its title, its note and its downloads (CSV and standalone HTML here; PNG by the chart's own camera)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ntkcore.analyses.csv_text import csv_of
from ntkcore.figures.theme import paper
from pages.shared import frame, words
from pages.shared.downloads import download


def chart(
    title: str,
    figure: go.Figure,
    *,
    key: str,
    table: Callable[[], pd.DataFrame],
    note: str = "",
    controls: Callable[[], None] | None = None,
    on_select: Callable[[], None] | None = None,
    selection_mode: str | Sequence[str] = (),
) -> None:
    """Show one chart.

    Args:
        title: what it shows.
        figure: the figure.
        key: unique; names the downloads.
        table: makes the numbers behind it, when they are downloaded.
        note: how to read or use it, one sentence.
        controls: shows the chart's own controls, above it.
        on_select: called after a selection, which :func:`selected` tells.
        selection_mode: plotly's selection modes; () when nothing can be selected.
    """
    title, note = words.spoken(title), words.spoken(note)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        if axis.title.text:
            axis.title.text = words.spoken(axis.title.text)
    mode = frame.mode()  # here: a download is made later, outside the page's run
    with st.container(gap="xsmall", key=f"chart_{key}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(title, anchor=False, width="content")
            with st.popover("", icon=":material/download:", key=f"download_{key}", help="Download this chart", type="tertiary"):
                download("Data (CSV)", lambda: csv_of(table()), f"{key}.csv", "text/csv", key=f"csv_{key}")
                page = partial(_html, figure, title, mode)
                download("Interactive page (HTML)", page, f"{key}.html", "text/html", key=f"html_{key}")
                st.caption("PNG: the camera at the chart's top right.")
        if controls:
            controls()
        extra: dict[str, Any] = {"on_select": on_select, "selection_mode": selection_mode} if on_select else {}
        # A changed figure is another element, for a moment beside the old one: this frame keeps what is below from jumping.
        with st.container(height=int(figure.layout.height), border=False, gap=None, key=f"plot_{key}"):
            st.plotly_chart(
                figure,
                key=_key(key) if on_select else f"chart.{key}",
                theme=None,
                config=config(key),
                **extra,
            )
        if note:
            st.html(f'<div class="atlas-quiet">{note}</div>')


def selected(key: str) -> dict[str, Any]:
    """What is selected in a chart, in its callback."""
    return st.session_state[_key(key)]["selection"]


def clicked(key: str) -> int | None:
    """The number that the clicked point, line or bar of a chart tells, in its callback; it can be clicked again."""
    told = [int(point["customdata"]) for point in selected(key).get("points") or [] if point.get("customdata") is not None]
    forget_selection(key)
    return told[0] if told else None


def forget_selection(*keys: str) -> None:
    """Forget what is selected in these charts, when something else took its place."""
    for key in keys:
        st.session_state[f"chart.{key}.forgotten"] = st.session_state.get(f"chart.{key}.forgotten", 0) + 1


def _key(key: str) -> str:
    """A chart's key in the session: another after each time its selection was forgotten."""
    return f"chart.{key}.{st.session_state.get(f'chart.{key}.forgotten', 0)}"


def config(name: str) -> dict[str, Any]:
    """Plotly's buttons, the same on every chart; ``name`` is the saved picture's."""
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"filename": name, "scale": 2},
    }


def _html(figure: go.Figure, title: str, mode: str) -> str:
    """A standalone page in the colours the reader saw."""
    titled = go.Figure(figure)
    titled.update_layout(height=600, title={"text": title}, margin={"t": 110})
    return titled.to_html(include_plotlyjs=True, full_html=True).replace("<body>", f'<body style="margin:0;background:{paper(mode)}">')
