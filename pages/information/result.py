"""A unique-information result: λ and training time, then one question and its answer."""

from collections.abc import Callable

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.information.believe.views import warning_of
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.information import InformationView, Question
from pages.information import informative as information_informative
from pages.information.believe import retraining as information_believe
from pages.information.choice import LINK
from pages.information.drop import answer as information_drop
from pages.information.explain import explain_information
from pages.information.groups import page as information_groups
from pages.information.groups import sources as information_sources
from pages.information.labels import answer as information_mislabelled
from pages.shared import choice as links
from pages.shared import frame, words
from pages.shared.fields import Fields
from pages.shared.regression.about import show_about
from pages.shared.regression.moment import Moment

_ASK = Fields("information.ask")
_MOMENT = Moment("information", LINK)
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
    choice = LINK.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(words.plain(problem), icon=":material/warning:")
    if unseen := views.unseen_classes(result):
        st.warning(
            words.plain(
                f"No held-out image is of class {', '.join(unseen)}, so what images tell about it is not seen. Hold out more images, or "
                "choose another seed."
            ),
            icon=":material/warning:",
        )
    if view.ask != "believe" and (doubt := warning_of(result.spec, workspace())):
        st.warning(words.plain(doubt), icon=":material/warning:")
    _MOMENT.show(result, choice)
    _ASK.seed((result.key, choice.revision), {"ask": view.ask})
    st.segmented_control(
        "Question",
        list(_QUESTIONS),
        format_func=lambda question: _QUESTIONS[question][0],
        required=True,
        **_ASK.default("ask"),
        label_visibility="collapsed",
        on_change=lambda: LINK.look(ask=_ASK["ask"]),
    )
    _QUESTIONS[view.ask][1](result, view, choice)
