"""A confusion matrix whose cells open as galleries, on a page whose view has ``cell``."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ntkcore.analyses import confusion
from ntkcore.analyses.confusion import Confusion
from ntkcore.figures.confusion import confusion_figure
from pages.shared import frame, words
from pages.shared.charts import chart, clicked
from pages.shared.choice import Link


def show_confusion(link: Link[Any, Any], matrix: Callable[[], Confusion], *, title: str, noun: str, **begun: Any) -> None:
    """Below a gallery, the matrix once it is asked for: a click on a cell shows its images there, another click on it all of them again.

    Args:
        link: the page's choice.
        matrix: makes it.
        title: what it shows.
        noun: what is counted.
        begun: what else of the view a click changes, so that all images of the cell are in the gallery.
    """
    key, chosen = f"{link.page}_confusion", link.current().view.cell
    folded = st.expander("Confusion matrix", expanded=chosen is not None, key=f"{key}_shown", icon=":material/grid_on:", on_change="rerun")
    with folded:
        if folded.open:
            _matrix(link, key, matrix(), title, noun, begun)


def _matrix(link: Link[Any, Any], key: str, found: Confusion, title: str, noun: str, begun: dict[str, Any]) -> None:

    def choose() -> None:
        if (number := clicked(key)) is not None:
            cell = found.cell(number)
            link.look(elsewhere=True, **({"cell": None} if cell == link.current().view.cell else {"cell": cell} | begun))

    chart(
        title,
        confusion_figure(found, frame.mode(), noun=noun),
        key=key,
        table=found.table,
        note="Click a cell: its images are in the gallery, on it again: all. The stronger its colour, the larger its share of its row.",
        on_select=choose,
        selection_mode="points",
    )


def cell_line(link: Link[Any, Any], names: Sequence[str]) -> None:
    """Above a gallery: that it shows the images of a cell, and the way back to all."""
    cell = link.current().view.cell
    if cell is not None and max(cell) < len(names):
        said, key = words.plain(confusion.words(cell, names)), f"{link.page}_cell"
        st.button(said, icon=":material/close:", type="tertiary", key=key, help="Show all again", on_click=_all, args=(link,))


def _all(link: Link[Any, Any]) -> None:
    link.look(cell=None, elsewhere=True)
