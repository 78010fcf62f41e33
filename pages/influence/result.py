"""An influence result: the held-out images chosen, what made their prediction, through training, and without some images."""

import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.explain import explainer
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.numbers.known import Known
from ntkcore.analyses.workspace import workspace
from pages.influence import held as influence_held
from pages.influence import training as influence_training
from pages.influence.basket import show_basket
from pages.influence.charts import show_charts
from pages.influence.choice import LINK, MOMENT, TARGET
from pages.influence.groups import show_groups
from pages.influence.held import show_held
from pages.influence.inspector import inspect
from pages.influence.subject import show_answer, show_whose
from pages.influence.training import show_training
from pages.influence.verify.verify import show_verification
from pages.shared import frame
from pages.shared.explain import explain
from pages.shared.narrowed import narrowed
from pages.shared.regression.about import show_about


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    influence_held.TICKS.forget()
    influence_training.TICKS.forget()
    show_about(result)
    _explore(result)
    explain(explainer(result))


@st.fragment(key="influence")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    MOMENT.turn(result)
    choice = LINK.current()
    view = choice.view
    frame.show_absent(views.missing_from(result, view))
    MOMENT.show(result, choice)
    look = Look.of(result, view.ridge, view.time, workspace())
    subject = Subject.of(look, view, *narrowed(Known.of(look), view, view.by, len(result.labels)))
    st.session_state[TARGET] = subject.target
    left, right = st.columns([1, 2], gap="large")
    with left:
        show_held(subject)
    with right:
        show_whose(subject)
        show_answer(subject)
        inspect(subject)  # before what is below the fold: a link's inspector does not wait for it
        show_training(subject)
    show_charts(subject)
    show_groups(subject)
    show_basket(subject)
    show_verification(subject)
