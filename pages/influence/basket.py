"""What would be without the ticked images, or with another label on them: predicted at once, by a block downdate."""

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.influence import InfluenceView
from pages.influence.choice import LINK
from pages.influence.verify.confirm import show_confirmation
from pages.shared import words
from pages.shared.fields import Fields
from pages.shared.strip import pictures

_DEED = Fields("influence.deed")
_CHANGED = 12  # images shown whose loss changes most


def show_basket(result: InfluenceResult, view: InfluenceView) -> None:
    """The ticked images, what to do with them, and what that would change."""
    st.header("What if?", anchor=False)
    basket = views.basket_of(result, view)
    if not basket:
        st.caption("Tick training images above: here stands what deleting or relabelling them would do to every prediction.")
        return
    pictures(result.pack, basket[:40])
    choice = LINK.current()
    _DEED.seed((result.key, choice.revision), {"deed": view.deed, "label": min(view.label or 0, len(result.class_names) - 1)})
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "What to do",
            ["delete", "relabel"],
            format_func={"delete": f"Delete {len(basket)}", "relabel": f"Relabel {len(basket)}"}.__getitem__,
            required=True,
            **_DEED.default("deed"),
            label_visibility="collapsed",
            on_change=lambda: LINK.look(deed=_DEED["deed"]),
        )
        if view.deed == "relabel":
            labels = list(range(len(result.class_names)))
            st.selectbox(
                "New class",
                labels,
                format_func=result.class_names.__getitem__,
                **_DEED.index("label", labels),
                label_visibility="collapsed",
                on_change=lambda: LINK.look(label=_DEED["label"]),
                width=180,
            )
        st.button("Empty", on_click=lambda: LINK.look(basket=(), elsewhere=True), type="tertiary", key="empty_basket")
    found = views.effect(result, view, workspace())
    said = (
        f"{100 * found.accuracy:.1f} % → <b>{100 * found.after:.1f} %</b> of held-out images right"
        if found.changed
        else "no prediction changes sides"
    )
    moved = found.loss_after - found.loss
    st.html(
        f'<p class="atlas-fact">At the end of training: {said}; the mean loss {"rises" if moved.mean() > 0 else "falls"} by '
        f"{words.number(abs(float(moved.mean())), 2)} to {words.number(float(found.loss_after.mean()), 3)}.</p>"
    )
    most = np.argsort(-np.abs(moved), kind="stable")[:_CHANGED]
    st.html('<p class="atlas-quiet">The held-out images whose loss changes most, and by how much:</p>')
    pictures(result.test_pack, [int(i) for i in most], [f"{'+' if moved[i] > 0 else ''}{words.number(float(moved[i]), 2)}" for i in most])
    show_confirmation(result, view)
