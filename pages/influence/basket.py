"""What would be without the ticked images, with another label on them, or with held-out ones learned, too: predicted at once."""

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import answer, basket, mean, views
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.basket import Effect
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.errors import SpecError
from ntkcore.specs.influence import AdditionSpec
from pages.influence.choice import LINK
from pages.influence.training import signed
from pages.influence.verify.confirm import show_confirmation
from pages.shared import frame, media, words
from pages.shared.controls import Controls
from pages.shared.standing import Offer, standing
from pages.shared.strip import pictures

_DEED = Controls("influence.deed", LINK)
_CHANGED = 12  # images shown whose loss changes most
_TICKED = 40  # of the ticked ones, shown


def show_basket(subject: Subject) -> None:
    """The ticked images, what to do with them, and what that would change."""
    st.header("What if?", anchor=False)
    result, view = subject.result, subject.view
    ticked, held = views.basket_of(result, view), list(mean.picked_of(result, view))
    kind = media.noun(result.test_pack)
    if not ticked and not held:
        st.caption(
            words.spoken(
                "Tick training images above: here stands what deleting or relabelling them would do to every prediction. Tick held-out "
                "images: what learning them, too, with their labels, would do to the others."
            )
        )
        return
    adding = view.deed == "add"
    if adding and held:
        labels = [result.class_names[result.test_labels[i]] for i in held[:_TICKED]]
        names = [f"held-out {kind} {i}, {label}" for i, label in zip(held, labels, strict=False)]
        pictures(result.test_pack, held[:_TICKED], labels, names)
    elif ticked and not adding:
        pictures(result.pack, ticked[:_TICKED])
    _controls(result, subject, len(ticked), len(held))
    if not (held if adding else ticked):
        where = "held-out images at the top of the page, to add them with their labels" if adding else "training images above"
        st.caption(words.spoken(f"Tick {where}."))
        return
    if adding:
        _add(subject)
        return
    found = basket.effect(subject.look, view)
    _outcome(result, found, answer.basket_sentence(found))
    show_confirmation(subject)


def _controls(result: InfluenceResult, subject: Subject, ticked: int, held: int) -> None:
    """What is done, to how many images."""
    view = subject.view
    label = views.new_label(result, view)
    _DEED.seed((result.key, label if view.label is None else None), "deed", label=label)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _DEED.control(
            "deed",
            st.segmented_control,
            "What to do",
            options=["delete", "relabel", "add"],
            format_func={"delete": f"Delete {ticked}", "relabel": f"Relabel {ticked}", "add": f"Add {held} held-out"}.__getitem__,
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
        if view.deed == "add" and held:
            st.button("Empty", on_click=lambda: LINK.look(picked=(), mean="no", elsewhere=True), type="tertiary", key="empty_held")
        elif view.deed != "add" and ticked:
            st.button("Empty", on_click=lambda: LINK.look(basket=(), elsewhere=True), type="tertiary", key="empty_basket")


def _add(subject: Subject) -> None:
    """What adding the ticked held-out images would do; it takes their kernel with each other, which is offered where it is not there."""
    result, view = subject.result, subject.view
    offer = Offer(
        "Compute their kernel",
        words.spoken(f"To add held-out images takes the kernel of all {len(result.test_labels):,} with each other, once"),
        key="compute_addition",
    )
    held = standing(ADDITION, AdditionSpec(influence=result.spec), name="addition_panel", offer=offer)
    if held is None:
        return
    try:
        found = basket.addition(subject.look, view, held.values)
    except SpecError as error:
        frame.show_notice(error)
        return
    _outcome(result, found, answer.addition_sentence(found))
    show_confirmation(subject)


def _outcome(result: InfluenceResult, found: Effect, sentence: str) -> None:
    """The sentence, and the held-out images whose loss changes most."""
    st.html(f'<p class="atlas-fact">{words.as_html(sentence, f"→ {answer.after_words(found)}")}</p>')
    most = np.argsort(-np.abs(found.moved), kind="stable")[:_CHANGED]
    st.html(words.spoken('<p class="atlas-quiet">The held-out images whose loss changes most, and by how much:</p>'))
    pictures(result.test_pack, found.images[most].tolist(), [signed(float(found.moved[i])) for i in most])
