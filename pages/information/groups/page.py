"""Is a sub-class under-sampled? Is something adversarial? The paper's two studies on the reader's own data (Unique-info Figs. 9, 10)."""

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.information.groups import adversarial as information_adversarial
from pages.information.groups import subclass as information_subclass
from pages.shared import choice as links
from pages.shared.fields import Fields

_VIEW = Fields("information.groups")
_STUDIES = {"subclass": "Is a sub-class under-sampled?", "adversarial": "Is something adversarial?"}


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """One of the two questions."""
    _VIEW.seed((result.key, choice.revision), {"study": view.groups.study})
    st.segmented_control(
        "Study",
        list(_STUDIES),
        format_func=_STUDIES.__getitem__,
        required=True,
        **_VIEW.default("study"),
        label_visibility="collapsed",
        on_change=lambda: LINK.look(groups=view.groups.model_copy(update={"study": _VIEW["study"]})),
    )
    if view.groups.study == "subclass":
        information_subclass.show(result, view, choice)
    else:
        information_adversarial.show(result, view, choice)
