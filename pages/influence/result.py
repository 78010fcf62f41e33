"""An influence result: the held-out images chosen, what made their prediction, through training, and without some images."""

import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.workspace import workspace
from pages.influence import held as influence_held
from pages.influence import training as influence_training
from pages.influence.basket import show_basket
from pages.influence.charts import show_charts
from pages.influence.choice import LINK, MOMENT, TARGET
from pages.influence.explain import explain_influence
from pages.influence.groups import show_groups
from pages.influence.held import show_held
from pages.influence.inspector import inspect
from pages.influence.subject import show_answer, show_whose, subject_of
from pages.influence.training import show_training
from pages.influence.verify.verify import show_verification
from pages.shared import frame, words
from pages.shared.regression.about import show_about


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
    ws, choice = workspace(), LINK.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(words.plain(problem), icon=":material/warning:")
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
