"""Tables that are taken away."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from ntkcore.analyses.csv_text import csv_of
from pages.shared import words


def csv_download(
    label: str, table: Callable[[], pd.DataFrame], *, file: str, key: str, told: str = "", quiet: bool = True, disabled: bool = False
) -> None:
    """A button that saves a table as CSV; it is made when the button is pressed.

    Args:
        label: what the button says.
        table: makes it.
        file: name of the file, without its ending.
        key: of the button.
        told: what is in it, when pointed at.
        quiet: without a frame, among other controls.
        disabled: that there is nothing to save.
    """
    st.download_button(
        label,
        lambda: csv_of(table()),
        f"{file}.csv",
        "text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
        type="tertiary" if quiet else "secondary",
        help=words.spoken(told) or None,
        disabled=disabled,
    )
