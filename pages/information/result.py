"""A unique-information result: λ and training time, then one question and its answer."""

from collections.abc import Callable

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.information.believe.views import warning_of
from ntkcore.analyses.information.explain import explainer
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.information import Question
from pages.information import informative
from pages.information.believe import retraining as believe
from pages.information.choice import LINK, Chosen
from pages.information.drop import answer as drop
from pages.information.groups import page as groups
from pages.information.groups import sources
from pages.information.labels import answer as mislabelled
from pages.information.toy import show_toy
from pages.shared import frame, words
from pages.shared.controls import Controls
from pages.shared.explain import explain
from pages.shared.regression.about import show_about
from pages.shared.regression.moment import Moment

_ASK = Controls("information.ask", LINK)
_MOMENT = Moment(
    "information",
    LINK,
    axis=lambda result, view: views.axis_of(result, view.descent),
    steps=lambda view: view.descent is not None,
)
_QUESTIONS: dict[Question, tuple[str, Callable[[views.InformationLook, Chosen], None]]] = {
    "informative": ("What is informative?", informative.show),
    "mislabelled": ("What is mislabelled?", mislabelled.show),
    "drop": ("What can I drop?", drop.show),
    "sources": ("Which source?", sources.show),
    "groups": ("Under-sampled? Adversarial?", groups.show),
    "believe": ("Can I believe the number?", believe.show),
}


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    informative.TICKS.forget()
    show_about(result)
    _explore(result)
    explain(explainer(result))
    show_toy()


@st.fragment(key="information")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    _MOMENT.turn(result)
    choice = LINK.current()
    view = choice.view
    frame.show_absent(views.missing_from(result, view))
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
    _ASK.seed(result.key, "ask")
    _ASK.control(
        "ask",
        st.segmented_control,
        "Question",
        options=list(_QUESTIONS),
        format_func=lambda question: _QUESTIONS[question][0],
        required=True,
        label_visibility="collapsed",
    )
    _QUESTIONS[view.ask][1](views.look_of(result, view, workspace()), choice)
