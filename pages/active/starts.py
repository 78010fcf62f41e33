"""Does it matter where each training begins? In the kernel regime, at several λ."""

import streamlit as st

from ntkcore.analyses.active import starts, views
from ntkcore.analyses.active.answer import named
from ntkcore.analyses.active.views import Study
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.active import ActiveView
from pages.shared import tables, words
from pages.shared.waiting import waiting


def show_starts(result: Study, view: ActiveView) -> None:
    """A part that opens: warm start beside cold start on the images that the reference chose."""
    name = views.reference(result.spec)
    with st.expander("Does it matter whether training goes on or begins anew?", key="active_starts", on_change="rerun") as opened:
        if not opened.open:
            return
        with waiting("Warm start and cold start") as tell:
            found = starts.apart(starts.Choices(result, name, view.repeat, workspace()), progress=tell)
        rows = [(words.number(one.ridge), words.number(one.outputs, 2), words.percent(one.classes)) for one in found]
        tables.columns_table(
            ("λ", "Difference of the outputs", "Other class"),
            rows,
            "Kernel regression with the pseudo-NTK of this repeat’s network before training, on the images that "
            f"{named(name)} chose: each cycle’s training goes on from the last one’s end, or begins before all. "
            f"The difference is relative to what training changes, on {min(starts.MOST_TEST, result.spec.test):,} held-out images. "
            "At λ = 0 both are the same function (Theorem 2.2.1), to rounding; with λ > 0 each training is pulled to where it began.",
        )
