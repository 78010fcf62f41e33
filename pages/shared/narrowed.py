"""Galleries narrowed by numbers: who passes the ranges that are chosen, and the order by a number that is chosen."""

from typing import Any

import numpy as np
import streamlit as st

from ntkcore.analyses.numbers import filters
from ntkcore.analyses.numbers.filters import Filtered, Numbers
from ntkcore.errors import AtlasError
from pages.shared import frame
from pages.shared.controls import Controls


def narrowed(numbers: Numbers, view: Filtered, by: str, n: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Which of n images pass a view's filters, and all of them by a number; a number that cannot be had is said, and left out.

    Args:
        by: a number's name, ``-NAME`` for the smallest first, or one that none of them has.

    Returns:
        (n,) who passes, None where nothing is filtered; (n,) the order, None where it is by none of the numbers.
    """
    try:
        return filters.within(view, numbers, n), filters.order_by(by, numbers.titles, numbers.number)
    except AtlasError as error:
        frame.show_notice(error)
        return None, None


def order_menu(controls: Controls, of: object, numbers: Numbers, by: str, usual: str, **told: Any) -> None:
    """A menu of what a gallery is sorted by, the view's ``by``.

    A browser tells what it chose by its words: where these change, or what there is to choose from, the menu is made anew.

    Args:
        controls: the menu's alone.
        of: what the gallery is of, such as a result's key.
        by: the view's.
        usual: what it is sorted by otherwise, in words.
        told: for the widget.
    """
    names = {"": usual} | filters.orders(numbers.titles)
    controls.seed((of, tuple(names.items())), by=by if by in names else "")
    options, said = list(names), names.__getitem__
    controls.control("by", st.selectbox, "Order", options=options, format_func=said, label_visibility="collapsed", **{"width": 215} | told)
