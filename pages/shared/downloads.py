"""Files that are taken away: every one of them from here, which keeps who took what."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.workspace import workspace
from ntkcore.library import asking, audit
from pages.shared import words


def download(label: str, made: Callable[[], str | bytes], file: str, kind: str, *, key: str, **options: Any) -> None:
    """A button for a file that is made when it is pressed.

    Args:
        label: what the button says.
        made: makes the file; called outside the page's run.
        file: its name.
        kind: its media type.
        key: of the button.
        options: of Streamlit's.
    """
    asks = asking.person()

    def taken() -> str | bytes:
        asks.require("export")
        with asking.on_behalf(asks):
            found = made()
        audit.write(workspace().library, asks, "exported", file)
        return found

    st.download_button(label, taken, file, kind, key=key, on_click="ignore", **options)


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
    download(
        label,
        lambda: csv_of(table()),
        f"{file}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary" if quiet else "secondary",
        help=words.spoken(told) or None,
        disabled=disabled,
    )
