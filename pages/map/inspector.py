"""The inspector of the map: one image enlarged, every number that is known of it, and those most like it."""

import numpy as np
import streamlit as st

from ntkcore.analyses.map import views
from ntkcore.errors import AtlasError
from ntkcore.specs.map import MapView
from pages.map.choice import LINK, close_inspector, inspect
from pages.shared import media, words
from pages.shared.alike import like_button
from pages.shared.known import everywhere
from pages.shared.strip import pictures
from pages.shared.tables import facts_table
from pages.shared.viewer import basket_button, enlarged, steps

_FEW = 12  # images in a strip


def inspect_image(look: views.Look, view: MapView) -> None:
    """Open the inspector on the image that the view names, if it names one that exists."""
    n = len(look.result.labels)
    if view.image is None or view.image >= n:
        return
    shown = views.shown(look, view)
    order = shown if view.image in shown else np.arange(n)

    @st.dialog("Inspector", width="large", on_dismiss=close_inspector)
    def dialog() -> None:
        now = LINK.current().view
        if now.image is None:
            st.rerun()
        else:
            _show(look, now, now.image, order)

    dialog()


def _show(look: views.Look, view: MapView, image: int, order: np.ndarray) -> None:
    result = look.result
    name, true = (result.class_names[of[image]] for of in (result.labels, result.true_labels))
    st.subheader(f"Training {media.noun(result.pack)} {image}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.pack, image, name, result.spec.dataset)
        steps(order, image, inspect)
        basket_button(view.basket, image, lambda basket: LINK.look(basket=basket, elsewhere=True))
        like_button(LINK, image)
    with right:
        rows = [("From", result.ids[image]), ("Label", words.labelled(name, true))]
        rows += [(title, _said(look, number, image)) for number, title in look.titles.items()]
        facts_table(rows, "Numbers with λ are at the end of training. Arrow keys go to the previous and next image, Escape closes.")
    near = result.alike[image][:_FEW]
    said = [f"{result.class_names[result.labels[i]]} {words.fixed(float(c), 2)}" for i, c in zip(near, result.cosines[image], strict=False)]
    pictures(result.pack, near.tolist(), said, head="Most alike to it, with the kernel’s cosine")
    everywhere(LINK, result.pack, image, result.ids[image])


def _said(look: views.Look, number: str, image: int) -> str:
    try:
        values = look.number(number)
    except AtlasError as error:
        return error.message
    value = float(values[image])
    if not np.isfinite(value):
        return "never" if value > 0 else "–"
    return f"{words.number(value)}, number {1 + int((values > value).sum()):,} of {len(values):,} from the largest"
