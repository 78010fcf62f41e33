"""A unique-information result: λ and training time, then one question and its answer."""

from collections.abc import Callable

import streamlit as st

from ntkcore.analyses import information_views as views
from ntkcore.analyses.believe_views import warning_of
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InformationView, Question
from pages.parts import (
    frame,
    information_believe,
    information_drop,
    information_groups,
    information_informative,
    information_mislabelled,
    information_sources,
    links,
)
from pages.parts.fields import Fields
from pages.parts.influence_about import show_about
from pages.parts.information_explain import explain_information
from pages.parts.moment import Moment

_ASK = Fields("information.ask")
_MOMENT = Moment("information", links.information)
_QUESTIONS: dict[Question, tuple[str, Callable[[InfluenceResult, InformationView, links.Choice], None]]] = {
    "informative": ("What is informative?", information_informative.show),
    "mislabelled": ("What is mislabelled?", information_mislabelled.show),
    "drop": ("What can I drop?", information_drop.show),
    "sources": ("Which source?", information_sources.show),
    "groups": ("Under-sampled? Adversarial?", information_groups.show),
    "believe": ("Can I believe the number?", information_believe.show),
}


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    information_informative.TICKS.forget()
    show_about(result)
    _explore(result)
    explain_information(result)


@st.fragment(key="information")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    _MOMENT.turn(result)
    choice = links.information.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(frame.plain(problem), icon=":material/warning:")
    if unseen := views.unseen_classes(result):
        st.warning(
            frame.plain(
                f"No held-out image is of class {', '.join(unseen)}, so what images tell about it is not seen. Hold out more images, or "
                "choose another seed."
            ),
            icon=":material/warning:",
        )
    if view.ask != "believe" and (doubt := warning_of(result.spec, workspace())):
        st.warning(frame.plain(doubt), icon=":material/warning:")
    _MOMENT.show(result, choice)
    _ASK.seed((result.key, choice.revision), {"ask": view.ask})
    st.segmented_control(
        "Question",
        list(_QUESTIONS),
        format_func=lambda question: _QUESTIONS[question][0],
        required=True,
        **_ASK.default("ask"),
        label_visibility="collapsed",
        on_change=lambda: links.information.look(ask=_ASK["ask"]),
    )
    _QUESTIONS[view.ask][1](result, view, choice)
