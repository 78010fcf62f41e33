"""Numbers of images as small histograms on which a range is brushed; and chips that say what is filtered."""

from collections.abc import Callable, Mapping
from math import inf, isinf
from pathlib import Path
from typing import Any

import streamlit as st

from ntkcore.analyses.numbers.filters import Histogram
from ntkcore.analyses.numbers.filters import words as range_words
from ntkcore.specs.filters import changed, range_of
from pages.shared import words
from pages.shared.choice import Link

_HERE = Path(__file__).parent
_brushes = st.components.v2.component("ntk_atlas.brushes", css=(_HERE / "brushes.css").read_text(), js=(_HERE / "brushes.js").read_text())


def brushes(link: Link[Any, Any], histograms: Mapping[str, tuple[str, Histogram]], then: Callable[[], None]) -> None:
    """Show the histograms; a brushed range becomes a filter of the page's view.

    Args:
        link: the page's choice, whose view has ``filters``.
        histograms: by the numbers' names, what each is and how it is distributed.
        then: called when a filter changes, before it does.
    """
    key = f"{link.page}_brushes"
    held = {name: (low, high) for name, low, high in map(range_of, link.current().view.filters)}
    data = [
        {
            "name": name,
            "title": words.spoken(title),
            "edges": found.edges.tolist(),
            "counts": found.counts.tolist(),
            "range": [None if isinf(end) else end for end in held.get(name, (-inf, inf))],
        }
        for name, (title, found) in histograms.items()
    ]

    def told() -> None:
        if said := st.session_state[key].get("brushed"):
            low, high = (-inf if said["low"] is None else said["low"]), (inf if said["high"] is None else said["high"])
            then()
            link.look(filters=changed(link.current().view.filters, said["name"], low, high), elsewhere=True)

    _brushes(key=key, data={"histograms": data}, on_brushed_change=told)


def chips(link: Link[Any, Any], titles: Mapping[str, str], then: Callable[[], None]) -> None:
    """What is filtered, each with a way to take it off; nothing where nothing is.

    Args:
        titles: of the numbers, by their names.
        then: called when a filter changes, before it does.
    """
    filters = link.current().view.filters
    if not filters:
        return

    def off(name: str) -> None:
        then()
        link.look(filters=changed(link.current().view.filters, name, -inf, inf), elsewhere=True)

    with st.container(horizontal=True, gap="xsmall", key=f"{link.page}_chips"):
        for text in filters:
            name, low, high = range_of(text)
            label = words.plain(range_words(titles.get(name, name), low, high))
            st.button(
                label, icon=":material/close:", key=f"{link.page}_chip_{name}", help="Take this filter off", on_click=off, args=(name,)
            )
