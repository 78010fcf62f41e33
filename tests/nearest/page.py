"""Nearest: which images look like another class?"""

import streamlit as st

from nearest.address import NEAREST_ADDRESS
from nearest.analysis import NEAREST, NearestResult
from nearest.spec import NearestSpec, NearestView
from ntkcore.analyses.workspace import workspace
from pages.shared import bar, words
from pages.shared.choice import Choice, Link
from pages.shared.controls import Controls
from pages.shared.fields import Fields
from pages.shared.page import Page
from pages.shared.tables import fact

LINK: Link[NearestSpec, NearestView] = Link("nearest", NEAREST_ADDRESS, lambda held, spec: held.view)
_BAR = Fields("nearest.bar")
_VIEW = Controls("nearest.view", LINK)


def analysis_bar(choice: Choice[NearestSpec, NearestView]) -> NearestSpec | None:
    """The data and the distance."""

    def parts(spec: NearestSpec) -> tuple[bar.Part, ...]:
        options = ["euclidean", "largest"]

        def distance() -> None:
            st.selectbox("Distance", options, **_BAR.index("norm", options))

        return (bar.data_part(_BAR, spec), bar.Part("bar_norm", ":material/straighten:", spec.norm, distance))

    def read(held: NearestSpec) -> NearestSpec:
        return NearestSpec(dataset=bar.read_data(_BAR, held.dataset), norm=_BAR["norm"])

    return bar.analysis_bar(_BAR, choice, {"norm": choice.spec.norm}, read, parts)


def show_result(result: NearestResult) -> None:
    """The answer and the table."""
    view = LINK.current().view
    first, *more = NEAREST.answer(result, view, workspace())
    fact(words.as_html(first), *map(words.as_html, more))
    _VIEW.seed(result.key, "show")
    _VIEW.control("show", st.segmented_control, "Images", options=["near", "far"], required=True)
    st.dataframe(NEAREST.table(result, LINK.current().view, workspace()), hide_index=True)


Page("nearest", LINK, analysis_bar, NEAREST, show_result).draw()
