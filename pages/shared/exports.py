"""The table of what a page shows, for other tools: CSV, Parquet, FiftyOne's samples, Label Studio's tasks; each made when it is pressed."""

from functools import partial
from typing import Any

import streamlit as st

from ntkcore.analyses.sharing import samples
from ntkcore.analyses.workspace import workspace
from pages.shared.choice import Link
from pages.shared.downloads import download

_WORDS = {
    "csv": ("CSV", "text/csv"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "fiftyone": ("FiftyOne samples (zip)", "application/zip"),
    "label-studio": ("Label Studio tasks (JSON)", "application/json"),
}


def exports(link: Link[Any, Any]) -> None:
    """A button for each."""
    st.caption("Its table, every row, for other tools:")
    for form, (label, kind) in _WORDS.items():
        if form in ("csv", "parquet") or link.page in samples.OF_IMAGES:
            file = f"{link.page}.{samples.FORMS[form]}"
            made = partial(_made, link, form, link.current())
            download(label, made, file, kind, key=f"other_{form}", type="tertiary")


def _made(link: Link[Any, Any], form: str, choice: Any) -> bytes:
    ws = workspace()
    return samples.written(form, samples.taken(link.page, choice.spec, choice.view, ws), ws)
