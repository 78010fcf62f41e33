"""An influence result: the held-out images chosen, what made their prediction, through training, and without some images."""

import streamlit as st

from ntkcore.analyses import influence_views as views
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.workspace import workspace
from pages.parts import frame, influence_held, influence_training, links
from pages.parts.influence_about import show_about
from pages.parts.influence_actions import MOMENT, TARGET
from pages.parts.influence_basket import show_basket
from pages.parts.influence_charts import show_charts
from pages.parts.influence_explain import explain_influence
from pages.parts.influence_groups import show_groups
from pages.parts.influence_held import show_held
from pages.parts.influence_inspector import inspect
from pages.parts.influence_subject import show_answer, show_whose, subject_of
from pages.parts.influence_training import show_training
from pages.parts.influence_verify import show_verification


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    influence_held.TICKS.forget()
    influence_training.TICKS.forget()
    show_about(result)
    _explore(result)
    explain_influence(result)


@st.fragment(key="influence")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    MOMENT.turn(result)
    ws, choice = workspace(), links.influence.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(frame.plain(problem), icon=":material/warning:")
    MOMENT.show(result, choice)
    now = views.held(result, view, ws)
    shown = views.tests_shown(result, view, now)
    target = st.session_state[TARGET] = views.target_of(result, view, shown, now)
    left, right = st.columns([1, 2], gap="large")
    with left:
        show_held(result, view, now, [int(i) for i in shown], target, choice)
    with right:
        show_whose(result, view, shown, target, choice)
        subject = subject_of(result, view, now, shown, target)
        show_answer(result, view, subject)
        show_training(result, view, subject, choice)
    path = show_charts(result, view, subject)
    show_groups(result, view, choice)
    show_basket(result, view)
    show_verification(result, view, target)
    inspect(result, view, subject, shown, path)
