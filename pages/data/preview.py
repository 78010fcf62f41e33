"""What a look into a file has found: classes, counts, the division, what would be left out and why."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ntkcore.analyses.workspace import workspace
from pages.shared import job_panel, words

_CLASSES = 200


def show(key: str) -> None:
    """The look that a job takes, or what it has found."""
    job = workspace().jobs.state(key)
    if job is None:
        return
    if job.active:
        job_panel.job_panel(job.id, name="look_panel")
    elif job.status != "done":
        job_panel.ended(job)
    else:
        _show(job.result)


def _show(found: dict) -> None:
    """The found as :class:`~ntkcore.data.preview.Preview` has it."""
    kind = found["kind"]
    parts = [f"**{found['n']:,} {kind}**, {len(found['class_names'])} classes"]
    if found["unlabelled"]:
        parts.append(f"{found['unlabelled']:,} without a label yet")
    if found["parts"]:
        parts.append("divided into " + ", ".join(f"{words.plain(part)} ({count:,})" for part, count in found["parts"].items()))
    if found["sides"]:
        low, high = found["sides"]
        parts.append(f"short side {low:,} px" if low == high else f"short side {low:,} to {high:,} px")
    st.markdown(" · ".join(parts))
    if found["columns"]:
        named = ", ".join(map(words.plain, found["columns"]))
        st.caption(f"Columns: {named}" if kind == "texts" else f"Further columns, which are kept: {named}")
    for note in found["notes"]:
        st.caption(words.plain(note))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        table = pd.DataFrame({"class": found["class_names"][:_CLASSES], kind: found["counts"][:_CLASSES]})
        st.dataframe(table, hide_index=True, height="content" if len(table) <= 6 else 240)
        if len(found["class_names"]) > _CLASSES:
            st.caption(f"The first {_CLASSES} of {len(found['class_names']):,} classes.")
    with right:
        if found["skipped_count"]:
            left_out(found["skipped"], found["skipped_count"], "look_left", opened=True)
        else:
            st.caption("Nothing would be left out." if kind == "texts" else "Nothing would be left out, as far as the images' headers say.")


def left_out(lines: Sequence[str], count: int, key: str, *, opened: bool = False) -> None:
    """What is left out of a set, with the reasons: the first of them."""
    with st.expander(f"Left out: {count:,}", expanded=opened, key=key), st.container(height=min(240, 40 + 28 * len(lines)), border=False):
        for line in lines:
            st.caption(words.plain(line))
        if count > len(lines):
            st.caption(f"and {count - len(lines):,} more")
