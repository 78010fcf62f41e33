"""Numbers of images as small histograms on which a range is brushed; and chips that say what is filtered."""

from collections.abc import Callable, Mapping
from math import inf, isinf
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from ntkcore.analyses.numbers.filters import Histogram, histograms
from ntkcore.analyses.numbers.filters import words as range_words
from ntkcore.specs.filters import changed, range_of
from pages.shared import words
from pages.shared.choice import Link

_HERE = Path(__file__).parent
_brushes = st.components.v2.component("ntk_atlas.brushes", css=(_HERE / "brushes.css").read_text(), js=(_HERE / "brushes.js").read_text())


Numbers = Callable[[str], np.ndarray]


def filter_switch(link: Link[Any, Any], label: str = "Filters") -> bool:
    """Whether the histograms are shown: a switch for a row of controls."""
    says = "A histogram of every number that is known of these images; drag over one to choose a range."
    return st.toggle(label, key=f"{link.page}_filters", help=words.spoken(says))


def filter_rows(link: Link[Any, Any], shown: bool, titles: Mapping[str, str], number_of: Numbers, then: Callable[[], None]) -> None:
    """The histograms, where they are shown, and below them what is filtered.

    Args:
        link: the page's choice, whose view has ``filters``.
        shown: what :func:`filter_switch` said.
        titles: of the numbers, by their names.
        number_of: gives a number of every image by its name.
        then: called when a filter changes, before it does.
    """
    if shown:
        with st.spinner(words.spoken("The numbers of every image …"), show_time=False):
            found = histograms(titles, number_of)
        _histograms(link, found, then)
        if not found:
            st.caption(words.spoken("No number is known of these images yet: compute another analysis of them."))
    _chips(link, titles, then)


def _histograms(link: Link[Any, Any], found: Mapping[str, tuple[str, Histogram]], then: Callable[[], None]) -> None:
    key = f"{link.page}_brushes"
    held = {name: (low, high) for name, low, high in map(range_of, link.current().view.filters)}
    data = [
        {
            "name": name,
            "title": words.spoken(title),
            "edges": made.edges.tolist(),
            "counts": made.counts.tolist(),
            "range": [None if isinf(end) else end for end in held.get(name, (-inf, inf))],
        }
        for name, (title, made) in found.items()
    ]

    def told() -> None:
        if said := st.session_state[key].get("brushed"):
            low, high = (-inf if said["low"] is None else said["low"]), (inf if said["high"] is None else said["high"])
            then()
            link.look(filters=changed(link.current().view.filters, said["name"], low, high), elsewhere=True)

    _brushes(key=key, data={"histograms": data}, on_brushed_change=told)


def _chips(link: Link[Any, Any], titles: Mapping[str, str], then: Callable[[], None]) -> None:
    """What is filtered, each with a way to take it off; nothing where nothing is."""
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
