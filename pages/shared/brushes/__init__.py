"""Numbers of images as small histograms on which a range is brushed, words and tags to choose from; and chips that say what is filtered."""

from collections.abc import Callable, Mapping
from math import inf, isinf
from pathlib import Path
from typing import Any

import streamlit as st

from ntkcore.analyses.numbers.filters import Histogram, Numbers, histograms
from ntkcore.analyses.numbers.filters import words as range_words
from ntkcore.analyses.numbers.tagged import TAG
from ntkcore.errors import LibraryError
from ntkcore.specs.filters import changed, changed_words, chosen_words, range_of
from pages.shared import words
from pages.shared.choice import Link

_HERE = Path(__file__).parent
_brushes = st.components.v2.component("ntk_atlas.brushes", css=(_HERE / "brushes.css").read_text(), js=(_HERE / "brushes.js").read_text())


def filter_switch(link: Link[Any, Any], label: str = "Filters") -> bool:
    """Whether the histograms are shown: a switch for a row of controls."""
    says = "A histogram of every number that is known of these images; drag over one to choose a range."
    return st.toggle(label, key=f"{link.page}_filters", help=words.spoken(says))


def filter_rows(link: Link[Any, Any], shown: bool, numbers: Numbers, then: Callable[[], None]) -> None:
    """The histograms and the words, where they are shown, and below them what is filtered.

    Args:
        link: the page's choice, whose view has ``filters`` and ``among``.
        shown: what :func:`filter_switch` said.
        numbers: what is known of every image.
        then: called when a filter changes, before it does.
    """
    if shown:
        with st.spinner(words.spoken("The numbers of every image …"), show_time=False):
            found = histograms(numbers.titles, numbers.number)
        _histograms(link, found, then)
        _words(link, numbers, then)
        if not found and not _choices(numbers):
            st.caption(words.spoken("No number is known of these images yet: compute another analysis of them."))
    _chips(link, numbers, then)


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


def _words(link: Link[Any, Any], numbers: Numbers, then: Callable[[], None]) -> None:
    """A choice of words for each column of words, and one of tags where there are any."""
    choices = _choices(numbers)
    if not choices:
        return
    choice = link.current()
    held = chosen_words(choice.view.among)

    def told(name: str, key: str) -> None:
        then()
        link.look(among=changed_words(link.current().view.among, name, tuple(st.session_state[key])))

    with st.container(horizontal=True, gap="small", key=f"{link.page}_words"):
        for name, (title, offered) in choices.items():
            key = f"{link.page}_among_{name}_{choice.revision}"  # made anew when the choice came from elsewhere
            chosen = [word for word in held.get(name, ()) if word in offered]
            st.multiselect(words.plain(title), offered, chosen, placeholder="all", key=key, on_change=told, args=(name, key), width=240)


def _choices(numbers: Numbers) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The words that can be chosen, by the name of their column, with its title; and the tags."""
    found = {name: (column.title, column.choices) for name, column in numbers.words.items()}
    try:
        tags = () if numbers.tags is None else numbers.tags.names()
    except LibraryError:  # said under the page's title
        tags = ()
    return found | ({TAG: ("Tags", tags)} if tags else {})


def _chips(link: Link[Any, Any], numbers: Numbers, then: Callable[[], None]) -> None:
    """What is filtered, each with a way to take it off; nothing where nothing is."""
    view = link.current().view
    filters, among, titles = view.filters, chosen_words(view.among), numbers.titles
    if not filters and not among:
        return

    def off(name: str) -> None:
        then()
        link.look(filters=changed(link.current().view.filters, name, -inf, inf), elsewhere=True)

    def off_words(name: str) -> None:
        then()
        link.look(among=changed_words(link.current().view.among, name, ()), elsewhere=True)

    with st.container(horizontal=True, gap="xsmall", key=f"{link.page}_chips"):
        for text in filters:
            name, low, high = range_of(text)
            _chip(f"{link.page}_chip_{name}", range_words(titles.get(name, name), low, high), off, name)
        for name, chosen in among.items():
            title = numbers.words[name].title if name in numbers.words else name
            _chip(f"{link.page}_chip_{name}", f"{title}: {' or '.join(chosen)}", off_words, name)


def _chip(key: str, said: str, off: Callable[[str], None], name: str) -> None:
    st.button(words.plain(said), icon=":material/close:", key=key, help="Take this filter off", on_click=off, args=(name,))
