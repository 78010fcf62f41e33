"""A chart with its title, its note and its downloads (CSV and standalone HTML here; PNG by the chart's own camera)."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ntkcore.figures.theme import layout
from pages.parts import frame


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
        key: unique; the selection is in ``st.session_state["chart.<key>"]``.
        table: makes the numbers behind it, when they are downloaded.
        note: how to read or use it, one sentence.
        controls: shows the chart's own controls, above it.
        on_select: called after a selection.
        selection_mode: plotly's selection modes; () when nothing can be selected.
    """
    with st.container(gap="xsmall", key=f"chart_{key}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(title, anchor=False, width="content")
            with st.popover("", icon=":material/download:", key=f"download_{key}", help="Download this chart", type="tertiary"):
                st.download_button(
                    "Data (CSV)", lambda: table().to_csv(index=False), f"{key}.csv", "text/csv", key=f"csv_{key}", on_click="ignore"
                )
                st.download_button(
                    "Interactive page (HTML)",
                    lambda: _html(figure, title),
                    f"{key}.html",
                    "text/html",
                    key=f"html_{key}",
                    on_click="ignore",
                )
                st.caption("PNG: the camera at the chart's top right.")
        if controls:
            controls()
        extra: dict[str, Any] = {"on_select": on_select, "selection_mode": selection_mode} if on_select else {}
        st.plotly_chart(
            figure,
            key=f"chart.{key}",
            theme=None,
            config={
                "displaylogo": False,
                "modeBarButtonsToRemove": ["autoScale2d", "zoomIn2d", "zoomOut2d"],
                "toImageButtonOptions": {"filename": key, "scale": 2},
            },
            **extra,
        )
        if note:
            st.html(f'<div class="atlas-quiet">{note}</div>')


def _html(figure: go.Figure, title: str) -> str:
    """A standalone page; painted, because the app's background is not there to show through."""
    painted = go.Figure(figure)
    opaque = layout(frame.mode(), height=600, opaque=True)
    painted.update_layout(
        height=600, paper_bgcolor=opaque.paper_bgcolor, plot_bgcolor=opaque.plot_bgcolor, title={"text": title}, margin={"t": 90}
    )
    return painted.to_html(include_plotlyjs=True, full_html=True)
