"""The inspector of the information page: one training image enlarged, and everything that is known of it here."""

from math import inf

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import one
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.figures.information import informative as figures
from ntkcore.specs.information import SAME, SCORES, InformationView, Measure, Score
from pages.information.choice import LINK, close_inspector, inspect
from pages.information.ranked import ranked
from pages.shared import frame, media, words
from pages.shared.alike import like_button
from pages.shared.charts import config
from pages.shared.known import everywhere
from pages.shared.strip import pictures
from pages.shared.tables import facts_table
from pages.shared.viewer import basket_button, enlarged, steps

_FEW = 8  # images in a strip
_MEASURES: dict[Measure, str] = {
    "loss": "Its own loss",
    "margin": "Its margin",
    "k_xx": "k(x, x)",
    "influence": "Influence on the held-out loss",
    "residual": "Leave-one-out residual",
    "information": "Unique information F-SI, nats",
}


_SAID: dict[Score, str] = {
    "held-out": "Unique information: half the mean squared change of the held-out outputs when this image alone is left out.",
    "training": "Half the mean squared change of the training outputs when this image alone is left out.",
    "loss": "Change of the mean training loss, its own included, when this image alone is left out.",
    "residual": "Leave-one-out residual: how far from its label’s target the outputs are when this image alone is left out.",
}


def inspect_image(look: Look, view: InformationView) -> None:
    """Open the inspector on the image that the view names, if it names one that exists."""
    values = views.scores(look)
    if view.image is None or view.image >= len(values):
        return
    shown = ranked(look, view, values)
    order = shown if view.image in shown else np.argsort(-values, kind="stable")

    @st.dialog("Inspector", width="large", on_dismiss=close_inspector)
    def dialog() -> None:
        now = LINK.current().view
        if now.image is None:
            st.rerun()
        else:
            _show(look, now, now.image, order)

    dialog()


def _show(look: Look, view: InformationView, image: int, order: np.ndarray) -> None:
    result, values, found = look.result, views.scores(look), views.judged(look)
    kind: Score = look.score if isinstance(look, views.InformationLook) else "held-out"
    score = SCORES[kind]
    name, true, predicted = (result.class_names[of[image]] for of in (result.labels, result.true_labels, found.predicted))
    st.subheader(f"Training {media.noun(result.pack)} {image}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.pack, image, name, result.spec.dataset)
        steps(order, image, inspect)
        basket_button(view.basket, image, lambda basket: LINK.look(basket=basket, elsewhere=True))
        like_button(LINK, image)
    with right:
        rows = [
            ("From", result.ids[image]),
            ("Label", words.labelled(name, true)),
            ("Taken for", f"{predicted}, {'as labelled' if predicted == name else 'not as labelled'}"),
            (score[0].upper() + score[1:], f"{words.number(float(values[image]))}, {_rank(values, image)}"),
            *((title, _against(views.measured(look, measure), image)) for measure, title in _MEASURES.items() if measure != SAME.get(kind)),
        ]
        facts_table(rows, f"{_SAID[kind]} Arrow keys go to the previous and next image, Escape closes.")
        over, now = views.through_training(look), None if look.time == inf else look.time
        figure = figures.course_figure(over, [image], ["this image"], now, frame.mode(), score=score, steps=look.descent is not None)
        figure.update_layout(height=figures.SMALL)
        st.plotly_chart(figure, theme=None, key="inspector_curve", config=config(f"information-{image}"))
    near = one.neighbours(result, image, _FEW)
    said = [result.class_names[result.labels[i]] for i in near]
    names = [f"training {media.noun(result.pack)} {i}, {words.number(float(values[i]))}" for i in near]
    pictures(result.pack, near.tolist(), said, names, head="Training images nearest to it in the kernel: what it shares is not unique")
    everywhere(LINK, result.pack, image, result.ids[image])


def _rank(values: np.ndarray, image: int) -> str:
    return f"number {1 + int((values > values[image]).sum()):,} of {len(values):,}"


def _against(other: np.ndarray, image: int) -> str:
    value = words.number(float(other[image]))
    return f"{value}, {_rank(other, image)} from the largest" if np.ptp(other) > 1e-9 * np.abs(other).max() else f"{value}, as all images"
