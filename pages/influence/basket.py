"""What would be without the ticked images, or with another label on them: predicted at once, by a block downdate."""

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import answer, basket, views
from ntkcore.analyses.influence.subject import Subject
from pages.influence.choice import LINK
from pages.influence.training import signed
from pages.influence.verify.confirm import show_confirmation
from pages.shared import words
from pages.shared.controls import Controls
from pages.shared.strip import pictures

_DEED = Controls("influence.deed", LINK)
_CHANGED = 12  # images shown whose loss changes most


def show_basket(subject: Subject) -> None:
    """The ticked images, what to do with them, and what that would change."""
    st.header("What if?", anchor=False)
    result, view = subject.result, subject.view
    ticked = views.basket_of(result, view)
    if not ticked:
        st.caption(words.spoken("Tick training images above: here stands what deleting or relabelling them would do to every prediction."))
        return
    pictures(result.pack, ticked[:40])
    label = views.new_label(result, view)
    _DEED.seed((result.key, label if view.label is None else None), "deed", label=label)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _DEED.control(
            "deed",
            st.segmented_control,
            "What to do",
            options=["delete", "relabel"],
            format_func={"delete": f"Delete {len(ticked)}", "relabel": f"Relabel {len(ticked)}"}.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if view.deed == "relabel":
            _DEED.control(
                "label",
                st.selectbox,
                "New class",
                options=list(range(len(result.class_names))),
                format_func=result.class_names.__getitem__,
                label_visibility="collapsed",
                width=180,
            )
        st.button("Empty", on_click=lambda: LINK.look(basket=(), elsewhere=True), type="tertiary", key="empty_basket")
    found = basket.effect(subject.look, view)
    st.html(f'<p class="atlas-fact">{words.as_html(answer.basket_sentence(found), f"→ {answer.after_words(found)}")}</p>')
    moved = found.loss_after - found.loss
    most = np.argsort(-np.abs(moved), kind="stable")[:_CHANGED]
    st.html(words.spoken('<p class="atlas-quiet">The held-out images whose loss changes most, and by how much:</p>'))
    pictures(result.test_pack, [int(i) for i in most], [signed(float(moved[i])) for i in most])
    show_confirmation(subject)
