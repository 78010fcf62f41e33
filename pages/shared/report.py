"""The frozen report of what a page shows: what it would hold, how large it is, and the file."""

import html
from typing import Any

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.library import Person
from ntkcore.report import Line, Report, build, contents, links, write
from pages.shared import frame, person, words
from pages.shared.choice import Link
from pages.shared.downloads import download

_HEADS = {
    "live": ("Live", "as on the page"),
    "still": ("Still", "as it stands now"),
    "left out": ("Left out", "on the page alone"),
}


def frozen_report(link: Link[Any, Any]) -> None:
    """Show it, for a dialog; the file is made anew when it is asked for, so that no session holds it."""
    choice, ws, who = link.current(), workspace(), person.who()
    asked = links.Asked(link.page, choice.spec, choice.view, frame.server(), link.saved)
    with st.spinner("What a report would hold …", show_time=False):
        report = _report(asked, who)
        size = len(write(report, ws.settings).encode())
    lines = contents(report)
    st.markdown(f"One file, **{words.size(size)}**: it opens in any browser without a network, and prints.")
    download(
        "Save the report",
        lambda: write(_report(asked, who), ws.settings),
        f"report-{link.page}.html",
        "text/html",
        key="report_save",
        icon=":material/download:",
        type="primary",
    )
    for column, state in zip(st.columns(3, gap="medium"), _HEADS, strict=True):
        column.html(_listed(state, [line for line in lines if line.state == state]))
    st.caption("The same without a browser:")
    st.code(report.command.splitlines()[-1], language="bash", wrap_lines=True)


def _report(asked: links.Asked, who: Person) -> Report:
    ws = workspace()
    saved, notes = links.said_of(asked, who, ws)
    return build(asked.name, asked.spec, asked.view, ws, server=asked.server, saved=saved, notes=notes)


def _listed(state: str, lines: list[Line]) -> str:
    head, told = _HEADS[state]
    items = "".join(
        f'<li>{html.escape(words.spoken(line.name))}<br><span class="atlas-quiet">{html.escape(words.spoken(line.said))}</span></li>'
        for line in lines
    )
    return f'<div class="atlas-listed"><b>{head}</b>, {told}<ul>{items}</ul></div>'
