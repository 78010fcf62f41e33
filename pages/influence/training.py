"""The gallery of training images by their influence: a click looks at one closely, ticks put it in the basket."""

import math

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.specs.influence import InfluenceView
from pages.influence.choice import LINK, inspect_training, marked
from pages.influence.subject import Subject
from pages.shared import choice as links
from pages.shared import media, words
from pages.shared.fields import Fields
from pages.shared.gallery import Card, gallery
from pages.shared.ticks import Ticks

TICKS = Ticks("training_gallery")
_TRAINING = Fields("influence.training")
_SHOW = {"helpful": "Helpful", "harmful": "Harmful", "idle": "Uninfluential"}


def show_training(result: InfluenceResult, view: InfluenceView, subject: Subject, choice: links.Choice) -> None:
    """Its controls and the gallery."""
    _TRAINING.seed((result.key, choice.revision), {"show": view.show})
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Training images",
            list(_SHOW),
            format_func=_SHOW.__getitem__,
            required=True,
            **_TRAINING.default("show"),
            label_visibility="collapsed",
            on_change=lambda: LINK.look(show=_TRAINING["show"]),
        )
        st.download_button(
            "All influences (CSV)",
            lambda: views.table(result, subject.values, subject.left_out).to_csv(index=False),
            "influence.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="influence_csv",
            on_click="ignore",
        )
    shown, turned = views.ranking(subject.values, view.show), subject.turned()
    loss = "their mean loss" if subject.group else "the loss"
    becomes = " · <b>→</b> what it would then be taken for, where that changes" if (turned[shown] >= 0).any() else ""
    flipped = " · ⚑ label flipped" if (result.labels != result.true_labels).any() else ""
    st.html(f'<p class="atlas-quiet">below each: how much {loss} would rise without it (+ helpful, − harmful){becomes}{flipped}</p>')
    gallery(
        [training_card(result, int(i), subject, int(turned[i])) for i in shown],
        base=media.thumbnail_base(result.pack),
        key="training_gallery",
        ticked=TICKS.began((result.key, choice.revision), view.basket),
        revision=choice.revision,
        current=marked(),
        on_tick=_ticked,
        on_open=_opened,
        opens="look closely",
        empty="No training image is so at this λ and time.",
        height=330,
        cell=92,
    )


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)


def _opened() -> None:
    said = st.session_state["training_gallery"].get("opened")
    if said:
        inspect_training(said["id"])


def training_card(result: InfluenceResult, image: int, subject: Subject, turned: int) -> Card:
    """A training image with its influence; in the corner the class that the held-out image would be taken for without it.

    Args:
        turned: that class, -1 where it is the one of now (:meth:`Subject.turned`).
    """
    becomes = f"→ {result.class_names[turned]}" if turned >= 0 else ""
    flag = " ⚑" if result.labels[image] != result.true_labels[image] else ""
    title = f"Training image {image}, {result.ids[image]}: {label_words(result, image)}. {removal_words(result, image, subject)}"
    return Card(image, result.class_names[result.labels[image]] + flag, becomes, signed(subject.values[image]), "", turned >= 0, title)


def label_words(result: InfluenceResult, image: int) -> str:
    """A training image's label, and what it truly is where that differs."""
    name, truly = (result.class_names[labels[image]] for labels in (result.labels, result.true_labels))
    return name if name == truly else f"{name} (flipped; truly {truly})"


def removal_words(result: InfluenceResult, image: int, subject: Subject) -> str:
    """What leaving a training image out does to the loss, and to the prediction."""
    value = float(subject.values[image])
    if subject.left_out is None:
        return f"Removing it changes the mean loss by {value:+.6g}."
    before, after = subject.now.outputs[subject.target], subject.left_out[image]
    return (
        f"Removing it changes the loss by {value:+.6g}. The prediction without it: {outputs_words(result, after)} "
        f"(now: {outputs_words(result, before)})."
    )


def outputs_words(result: InfluenceResult, outputs: np.ndarray, count: int = 3) -> str:
    """What outputs (k,) speak for: the one output with its class, or the ``count`` largest of many."""
    if len(outputs) == 1:
        return _minus(f"{result.class_names[views.classes(outputs[None])[0]]}, output {outputs[0]:+.4f}")
    return ", ".join(
        f"{result.class_names[place]} {_minus(f'{outputs[place]:+.3f}')}" for place in np.argsort(-outputs, kind="stable")[:count]
    )


def _minus(text: str) -> str:
    """With a true minus sign before the number."""
    head, sign, number = text.rpartition("-")
    return f"{head}−{number}" if sign and number.replace(".", "").isdigit() else text


def signed(value: float) -> str:
    """A signed number of two digits."""
    if not math.isfinite(value):
        return "–"
    return ("+" if value > 0 else "") + words.number(value, 2)
