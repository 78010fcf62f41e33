"""Whose influences the page shows: one held-out image's, or the mean over a group; and its answer in a sentence."""

import html
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import mean, views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.influence import InfluenceView
from pages.influence.choice import LINK, WHOSE, inspect_held
from pages.influence.verify.measured import measured_line
from pages.shared import choice as links
from pages.shared import media, words
from pages.shared.waiting import waiting


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What influences are shown of.

    Attributes:
        now: every held-out image at the λ and time chosen.
        target: the held-out image chosen.
        group: the held-out images whose mean is shown; () where it is the target's own.
        values: (n,) influences.
        left_out: (n, k) the target's outputs without each training image; None for a group.
    """

    now: views.Held
    target: int
    group: tuple[int, ...]
    values: np.ndarray
    left_out: np.ndarray | None

    def turned(self) -> np.ndarray:
        """(n,) class that the target is taken for without each training image; -1 where that is the class it is taken for now."""
        if self.left_out is None:
            return np.full(len(self.values), -1)
        without = views.classes(self.left_out)
        return np.where(without == self.now.predicted[self.target], -1, without)


def show_whose(result: InfluenceResult, view: InfluenceView, shown: np.ndarray, target: int, choice: links.Choice) -> None:
    """The choice between one image and a group's mean, and the way to look closely at the one."""
    ticked = len(mean.picked_of(result, view))
    options = {"no": "One image", "shown": f"Mean over the {len(shown):,} shown"}
    if ticked or view.mean == "ticked":
        options["ticked"] = f"Mean over {ticked:,} ticked"
    WHOSE.seed((result.key, choice.revision), {"mean": view.mean})
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.segmented_control(
            "Influence on",
            list(options),
            format_func=options.__getitem__,
            required=True,
            **WHOSE.default("mean"),
            label_visibility="collapsed",
            on_change=lambda: LINK.look(mean=WHOSE["mean"]),
        )
        if view.mean == "no":
            st.button(
                f"Look closely at image {target}",
                icon=":material/zoom_in:",
                type="tertiary",
                key="inspect_held",
                on_click=inspect_held,
                args=(target,),
            )


def subject_of(result: InfluenceResult, view: InfluenceView, now: views.Held, shown: np.ndarray, target: int) -> Subject:
    """The influences asked for; a large group's take a moment."""
    ws = workspace()
    if group := mean.group_of(result, view, shown):
        with waiting(f"The mean over {len(group):,} held-out images") as tell:
            return Subject(now, target, group, mean.mean_influence(result, view, group, ws, tell), None)
    values = views.influence(result, view, target, ws)
    return Subject(now, target, (), values, views.without(result, view, target, ws))


def group_words(result: InfluenceResult, view: InfluenceView, count: int) -> str:
    """A group of held-out images by its name: "the 12 misclassified held-out images of class 7"."""
    many = "s" if count > 1 else ""
    if view.mean == "ticked":
        return f"the {count:,} ticked held-out image{many}"
    wrong = "misclassified " if view.tests == "wrong" else ""
    names = [name for name in result.class_names if name in view.only]
    of = f" of class{'es' if len(names) > 1 else ''} {', '.join(names)}" if names else ""
    every = "all " if not wrong and not names else "the "
    return f"{every}{count:,} {wrong}held-out image{many}{of}"


def show_answer(result: InfluenceResult, view: InfluenceView, subject: Subject) -> None:
    """The image or group, its prediction, the two training images that mattered most, and how far that is known to be true."""
    if view.mean != "no" and not subject.group:
        st.caption("The group is empty, so there is no mean; this is one image.")
    if subject.group:
        said = _of_group(result, view, subject)
        st.html(f'<div class="atlas-pair"><p class="atlas-fact">{said}</p></div>')
    else:
        label = result.class_names[result.test_labels[subject.target]]
        picture, name = media.picture(result.test_pack, subject.target, label), html.escape(label)
        st.html(f'<div class="atlas-pair">{picture}<p class="atlas-fact">{_of_one(result, subject, name)}</p></div>')
        if line := measured_line(result, view, subject.target):
            st.html(f'<p class="atlas-quiet">{line}</p>')


def _of_one(result: InfluenceResult, subject: Subject, name: str) -> str:
    now, target = subject.now, subject.target
    predicted = html.escape(result.class_names[now.predicted[target]])
    turns = int((subject.turned() >= 0).sum())
    if turns:
        turned = f"Leaving out any one of <b>{turns:,}</b> would change the class it is taken for."
    else:
        turned = "No single removal would change the class it is taken for."
    return (
        f"Held-out image {target}, <b>{name}</b>, is {'rightly' if now.correct[target] else 'wrongly'} taken for <b>{predicted}</b>; "
        f"its loss is {words.number(now.loss[target])}. {_removals(result, subject.values, 'that loss')} {turned}"
    )


def _of_group(result: InfluenceResult, view: InfluenceView, subject: Subject) -> str:
    images = list(subject.group)
    loss, right = float(subject.now.loss[images].mean()), 100 * float(subject.now.correct[images].mean())
    judged = "" if view.mean == "shown" and view.tests == "wrong" else f", and {right:.1f} % of them are classified correctly"
    return (
        f"The mean over <b>{html.escape(group_words(result, view, len(images)))}</b>: their mean loss is {words.number(loss)}{judged}. "
        f"{_removals(result, subject.values, 'that mean loss')}"
    )


def _removals(result: InfluenceResult, values: np.ndarray, what: str) -> str:
    best, worst = int(values.argmax()), int(values.argmin())
    return f"{_removal(result, best, values[best], 'most helpful', what)} {_removal(result, worst, values[worst], 'most harmful', what)}"


def _removal(result: InfluenceResult, image: int, value: float, which: str, what: str) -> str:
    if (value > 0) != (which == "most helpful") or value == 0:
        return f"No training image is {which.split()[1]}."
    name = html.escape(result.class_names[result.labels[image]])
    verb = "raise" if value > 0 else "lower"
    return f"Removing the {which} training image ({image}, {name}) would {verb} {what} by <b>{words.number(abs(value), 2)}</b>."
