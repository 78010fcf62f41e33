"""The gallery of training images by their influence: a click looks at one closely, ticks put it in the basket."""

import math
from functools import partial

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.answer import label_words
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.numbers.known import Known
from pages.influence.choice import LINK, inspect_training, marked
from pages.shared import media, words
from pages.shared.alike import like_line, likes
from pages.shared.brushes import filter_rows, filter_switch
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.narrowed import order_menu
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks

TICKS = Ticks("training_gallery")
_TRAINING, _ORDER = Controls("influence.training", LINK), Controls("influence.order", LINK)
_SHOW = {"helpful": "Helpful", "harmful": "Harmful", "idle": "Uninfluential"}
_USUAL = {"helpful": "most helpful first", "harmful": "most harmful first", "idle": "least influential first"}


def show_training(subject: Subject) -> None:
    """Its controls and the gallery."""
    result, view = subject.result, subject.view
    known = Known.of(subject.look)
    _TRAINING.seed(result.key, "show")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _TRAINING.control(
            "show",
            st.segmented_control,
            "Training images",
            options=list(_SHOW),
            format_func=_SHOW.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if view.like is None:
            order_menu(_ORDER, result.key, known, view.by, _USUAL[view.show], width=200)
        table = partial(INFLUENCE.table, result, view, subject.look.ws)
        csv_download("All influences (CSV)", table, file="influence", key="influence_csv")
        filtering = filter_switch(LINK)
    filter_rows(LINK, filtering, known, lambda: None)
    like_line(LINK, result.pack)
    shown = subject.training
    loss = "their mean loss" if subject.group else "the loss"
    becomes = " · <b>→</b> what it would then be taken for, where that changes" if (subject.turned[shown] >= 0).any() else ""
    flipped = " · ⚑ label flipped" if (result.labels != result.true_labels).any() else ""
    st.html(f'<p class="atlas-quiet">below each: how much {loss} would rise without it (+ helpful, − harmful){becomes}{flipped}</p>')
    revision = LINK.current().revision
    gallery(
        [_card(subject, int(i)) for i in shown],
        base=media.thumbnail_base(result.pack),
        key="training_gallery",
        ticked=Ticked(TICKS.began((result.key, revision), view.basket), _ticked),
        revision=revision,
        current=marked(),
        opens=Opens(inspect_training, "look closely"),
        likes=likes(LINK),
        tags=tagging(result.spec.dataset, result.pack),
        undo=LINK.undo,
        seek=seeker(result.ids, inspect_training),
        empty="No training image is so at this λ and time, or within these filters.",
        height=330,
        cell=92,
    )


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)


def _card(subject: Subject, image: int) -> Card:
    """A training image with its influence; in the corner the class that the held-out image would be taken for without it."""
    result, turned = subject.result, int(subject.turned[image])
    becomes = f"→ {result.class_names[turned]}" if turned >= 0 else ""
    return card(result, image, float(subject.values[image]), _removal_words(subject, image), becomes)


def card(result: InfluenceResult, image: int, value: float, said: str, corner: str = "") -> Card:
    """A training image with its influence.

    Args:
        result, image: which.
        value: the influence.
        said: what that is, a sentence.
        corner: an outcome, which stands out.
    """
    flag = " ⚑" if result.labels[image] != result.true_labels[image] else ""
    title = f"Training {media.noun(result.pack)} {image}, {result.ids[image]}: {label_words(result, image)}. {said}"
    return Card(image, result.class_names[result.labels[image]] + flag, corner, signed(value), "", bool(corner), title)


def _removal_words(subject: Subject, image: int) -> str:
    """What leaving a training image out does to the loss, and to the prediction."""
    value = float(subject.values[image])
    if subject.left_out is None:
        return f"Removing it changes the mean loss by {words.exact(value)}."
    before, after = subject.now.outputs[subject.target], subject.left_out[image]
    return (
        f"Removing it changes the loss by {words.exact(value)}. The prediction without it: {outputs_words(subject.result, after)} "
        f"(now: {outputs_words(subject.result, before)})."
    )


def outputs_words(result: InfluenceResult, outputs: np.ndarray, count: int = 3) -> str:
    """What outputs (k,) speak for: the one output with its class, or the ``count`` largest of many."""
    if len(outputs) == 1:
        return f"{result.class_names[views.classes(outputs[None])[0]]}, output {words.exact(outputs[0], '.4f')}"
    return ", ".join(
        f"{result.class_names[place]} {words.exact(outputs[place], '.3f')}" for place in np.argsort(-outputs, kind="stable")[:count]
    )


def signed(value: float) -> str:
    """A signed number of two digits."""
    if not math.isfinite(value):
        return "–"
    return ("+" if value > 0 else "") + words.number(value, 2)
