"""The inspector of the influence page: one training or held-out image enlarged, and everything that is known of it here."""

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import one, paths, views
from ntkcore.analyses.influence.answer import group_words, label_words
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.figures import influence as figures
from ntkcore.specs.influence import InfluenceView
from pages.influence.charts import path_of
from pages.influence.choice import LINK, close_inspector, inspect_held, inspect_training
from pages.influence.training import outputs_words, signed
from pages.influence.verify.measured import measured_line
from pages.shared import frame, media, words
from pages.shared.alike import like_button
from pages.shared.charts import config
from pages.shared.known import everywhere
from pages.shared.strip import pictures
from pages.shared.tables import facts_table
from pages.shared.viewer import basket_button, enlarged, steps

_FEW = 8  # images in a strip
_CLASSES = 10  # outputs listed
_KEYS = "Arrow keys go to the previous and next image, Escape closes."


def inspect(subject: Subject) -> None:
    """Open the inspector on the image that the view names, if it names one."""
    result, view = subject.result, subject.view
    training = view.image is not None and view.image < len(result.labels)
    if not training and (view.held is None or view.held >= len(result.test_labels)):
        return
    shown = subject.shown
    order = _order(subject) if training else shown if view.held in shown else np.arange(len(result.test_labels))

    @st.dialog("Inspector", width="large", on_dismiss=close_inspector)
    def dialog() -> None:
        now = LINK.current().view
        if now.image is not None and training:
            _training(subject, now, order)
        elif now.held is not None and not training:
            _held(subject, now.held, order)
        else:
            st.rerun()

    dialog()


def _order(subject: Subject) -> np.ndarray:
    """The gallery of training images; all, the most helpful first, for one that it does not show."""
    shown = subject.training
    return shown if subject.view.image in shown else np.argsort(-subject.values, kind="stable")


def _training(subject: Subject, view: InfluenceView, order: np.ndarray) -> None:
    """The training image of the view as it is now, which may be another one than the subject's: its buttons go on."""
    result, image = subject.result, view.image
    assert image is not None
    st.subheader(f"Training {media.noun(result.pack)} {image}: {words.plain(result.class_names[result.labels[image]])}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.pack, image, result.class_names[result.labels[image]], result.spec.dataset)
        steps(order, image, inspect_training)
        basket_button(view.basket, image, lambda basket: LINK.look(basket=basket, elsewhere=True))
        like_button(LINK, image)
    with right:
        facts_table(_training_facts(subject, image), _KEYS)
        if not subject.group:
            _measured(subject, subject.target)
        st.html(f'<p class="atlas-quiet">Its influence on {_whose(subject)} through training: above 0 it helps</p>')
        figure = figures.image_figure(path_of(subject), image, view.time, frame.mode())
        st.plotly_chart(figure, theme=None, key="inspector_curve", config=config(f"training-image-{image}"))
    moved = subject.look.effects(image)
    ranked = np.argsort(-moved, kind="stable")
    helped, harmed = ranked[:_FEW][moved[ranked[:_FEW]] > 0], ranked[::-1][:_FEW][moved[ranked[::-1][:_FEW]] < 0]
    left, right = st.columns(2, gap="medium")
    with left:
        _strip(result, "Helps most, of all held-out images", helped, moved)
        _nearest(result, one.neighbours(result, image, _FEW))
    with right:
        _strip(result, "Harms most", harmed, moved)
    everywhere(LINK, result.pack, image, result.ids[image])


def _training_facts(subject: Subject, image: int) -> list[tuple[str, str]]:
    result = subject.result
    value = float(subject.values[image])
    rank = 1 + int((np.abs(subject.values) > abs(value)).sum())
    kind = "helpful" if value > 0 else "harmful" if value < 0 else "without influence"
    output = subject.look.fitted()[image]
    right = "right" if views.classes(output[None])[0] == result.labels[image] else "wrong"
    rows = [
        ("From", result.ids[image]),
        ("Label", label_words(result, image)),
        ("Outputs on it", f"{outputs_words(result, output, _CLASSES)}: {right}"),
        (
            f"Influence on {_whose(subject)}",
            f"{signed(value)}, {kind}; number {rank:,} of {len(subject.values):,} by size",
        ),
    ]
    if subject.left_out is not None:
        rows += [
            ("Prediction now", outputs_words(result, subject.now.outputs[subject.target])),
            ("Without this image", outputs_words(result, subject.left_out[image])),
        ]
    return rows


def _whose(subject: Subject) -> str:
    result = subject.result
    if subject.group:
        return f"the mean over {group_words(result, subject.view, len(subject.group))}"
    return f"held-out {media.noun(result.test_pack)} {subject.target} ({result.class_names[result.test_labels[subject.target]]})"


def _strip(result: InfluenceResult, head: str, images: np.ndarray, moved: np.ndarray) -> None:
    """Held-out images, with the change of their loss."""
    which = f"held-out {media.noun(result.test_pack)}"
    titles = [f"{which} {i}, {result.class_names[result.test_labels[i]]}: loss {words.exact(moved[i], '.4g')}" for i in images]
    pictures(result.test_pack, images.tolist(), [signed(float(moved[i])) for i in images], titles, head=head)


def _names(result: InfluenceResult, images: np.ndarray) -> list[str]:
    return [f"training {media.noun(result.pack)} {i}, {label_words(result, int(i))}" for i in images]


def _held(subject: Subject, image: int, order: np.ndarray) -> None:
    result, now = subject.result, subject.now
    name = result.class_names[result.test_labels[image]]
    st.subheader(f"Held-out {media.noun(result.test_pack)} {image}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.test_pack, image, name, result.spec.dataset)
        steps(order, image, inspect_held)
    with right:
        below = 100 * float((now.loss < now.loss[image]).mean())
        predicted = result.class_names[now.predicted[image]]
        rows = [
            ("From", result.test_ids[image]),
            ("Class", name),
            ("Predicted", f"{predicted}, {'right' if now.correct[image] else 'wrong'}"),
            ("Outputs", outputs_words(result, now.outputs[image], _CLASSES)),
            ("Loss ½‖f − y‖²", f"{words.number(float(now.loss[image]))}, larger than that of {below:.0f} % of the held-out images"),
        ]
        facts_table(rows, _KEYS)
        _measured(subject, image)
        with st.spinner("Through training …", show_time=False):
            path = paths.trajectory(subject.look, image)
        figure = figures.loss_figure(path, result.class_names, int(result.test_labels[image]), subject.view.time, frame.mode())
        st.plotly_chart(figure, theme=None, key="inspector_held_curve", config=config(f"held-out-image-{image}"))
    values = subject.look.influence(image)
    for column, show, head in zip(
        st.columns(2, gap="medium"), ("helpful", "harmful"), ("Most helpful training images", "Most harmful"), strict=True
    ):
        with column:
            images = views.ranking(values, show)[:_FEW]
            said = [signed(float(values[i])) for i in images]
            pictures(result.pack, images.tolist(), said, _names(result, images), head=head)
            if show == "helpful":
                _nearest(result, one.neighbours_held(result, image, _FEW))


def _measured(subject: Subject, target: int) -> None:
    """How far the influences are known to be true."""
    if line := measured_line(subject, target):
        st.html(f'<p class="atlas-quiet">{line}</p>')


def _nearest(result: InfluenceResult, near: np.ndarray) -> None:
    said = [result.class_names[result.labels[i]] for i in near]
    pictures(result.pack, near.tolist(), said, _names(result, near), head="Training images nearest to it in the kernel")
