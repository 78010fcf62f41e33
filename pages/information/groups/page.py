"""Is a sub-class under-sampled? Is something adversarial? The paper's two studies on the reader's own data (Unique-info Figs. 9, 10)."""

import streamlit as st

from ntkcore.analyses.influence.look import Look
from pages.information.choice import LINK, Chosen
from pages.information.groups import adversarial, subclass
from pages.shared.controls import Controls

_STUDY = Controls("information.groups", LINK, within="groups")
_STUDIES = {"subclass": "Is a sub-class under-sampled?", "adversarial": "Is something adversarial?"}


def show(look: Look, choice: Chosen) -> None:
    """One of the two questions."""
    _STUDY.seed(look.result.key, "study")
    _STUDY.control(
        "study",
        st.segmented_control,
        "Study",
        options=list(_STUDIES),
        format_func=_STUDIES.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    if choice.view.groups.study == "subclass":
        subclass.show(look, choice)
    else:
        adversarial.show(look, choice)
