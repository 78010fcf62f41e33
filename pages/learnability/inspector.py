"""The inspector: one image enlarged, every number about it, and its way through training."""

import numpy as np
import streamlit as st

from ntkcore.analyses.learnability import alike, views
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.learnability import image_curves
from pages.learnability.choice import LINK
from pages.shared import frame, media, words
from pages.shared.alike import like_button
from pages.shared.charts import config
from pages.shared.known import everywhere
from pages.shared.tables import facts_table
from pages.shared.viewer import basket_button, enlarged, steps


def inspect(look: Look) -> None:
    """Open the inspector on the view's image; previous and next follow the gallery."""
    order = look.shown
    if look.view.image not in order:  # opened by a link, outside what the gallery shows: step through all images
        order = look.hardest_first

    @st.dialog("Inspector", width="large", on_dismiss=_close)
    def dialog() -> None:
        image = LINK.current().view.image
        if image is None:
            st.rerun()
        _show(look, order, image)

    dialog()


def _close() -> None:
    LINK.look(image=None)


def _go(image: int) -> None:
    LINK.look(image=image, marked=image)


def _show(look: Look, order: np.ndarray, image: int) -> None:
    result = look.result
    name = result.class_names[result.labels[image]]
    st.subheader(f"{media.noun(result.pack).capitalize()} {image}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.pack, image, name, result.spec.dataset)
        steps(order, image, _go)
        basket_button(LINK.current().view.basket, image, lambda basket: LINK.look(basket=basket, elsewhere=True))
        if alike.known(result, workspace()):
            like_button(LINK, image)
        else:
            st.caption("More like this: compute the full kernel; only k(x,x) is stored.")
    with right:
        _facts(look, image)
        st.plotly_chart(
            image_curves(views.image_curve(result, image), frame.mode()), theme=None, key="inspector_curve", config=config(f"image-{image}")
        )
        st.html('<p class="atlas-quiet">Distance of the outputs from the target, ‖f − y‖, after every epoch: 0 is perfect.</p>')
    everywhere(LINK, result.pack, image, result.ids[image])


def _facts(look: Look, image: int) -> None:
    result, outcome = look.result, look.outcome
    names, learned, last = result.class_names, result.learned[image], len(result.outputs) - 1
    right, group = "right" if outcome.correct[image] else "wrong", views.group_of(look.groups, image)
    rows = [
        ("From", result.ids[image]),
        ("Label", words.labelled(names[result.labels[image]], names[result.true_labels[image]])),
        ("Predicted", f"{names[outcome.predicted[image]]}, {right}, after epoch {last}"),
        ("k(x,x)", f"{result.score[image]:.6g}, percentile {outcome.percentile[image]:.1f}: {group}"),
        ("Learned", "never, up to the last epoch" if np.isinf(learned) else f"stays correct from epoch {learned:.0f} on"),
        ("Final error ‖f − y‖", f"{outcome.error[image]:.4g}, percentile {views.error_percentile(outcome, image):.1f}"),
        ("Outputs", _outputs(result, image)),
    ]
    facts_table(
        rows,
        "A larger k(x,x) predicts that this image is learned sooner. Arrow keys go to the previous and next image, Escape closes.",
    )


def _outputs(result: LearnabilityResult, image: int) -> str:
    """The outputs after training beside their targets; of many outputs, the largest."""
    outputs, targets, names = result.outputs[-1][image], result.targets[image], result.class_names

    def told(value: float, decimals: int = 3) -> str:
        return words.signed(float(value), decimals)

    if len(outputs) == 1:
        return f"{told(outputs[0])}, target {told(targets[0], 0)} ({names[0]} −1, {names[1]} +1)"
    largest = np.argsort(-outputs)[:3]
    listed = ", ".join(f"{names[o]} {told(outputs[o])}" for o in largest)
    return f"{listed} (the three largest; the target is 1 for the label and 0 for the others)"
