"""The inspector of a comparison: one image enlarged, every number of it in A and in B, and who is most alike to it in each."""

import numpy as np
import streamlit as st

from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.influence.one import cosines, neighbours
from ntkcore.analyses.information.views import judged
from ntkcore.errors import AtlasError
from pages.compare.choice import LINK, close_inspector, inspect
from pages.shared import media, words
from pages.shared.alike import like_button
from pages.shared.known import everywhere
from pages.shared.strip import pictures
from pages.shared.tables import columns_table
from pages.shared.viewer import basket_button, enlarged, steps

_FEW = 8  # images in a strip


def inspect_image(look: Look) -> None:
    """Open the inspector on the image that the view names, if it names one that exists."""
    image, n = look.view.image, len(look.one.labels)
    if image is None or image >= n:
        return
    order = np.concatenate([look.movers(True), look.movers(False)[::-1]])
    order = order if image in order else np.arange(n)

    @st.dialog("Inspector", width="large", on_dismiss=close_inspector)
    def dialog() -> None:
        now = LINK.current().view
        if now.image is None:
            st.rerun()
        else:
            _show(look, now.basket, now.image, order)

    dialog()


def _show(look: Look, basket: tuple[int, ...], image: int, order: np.ndarray) -> None:
    one = look.one
    name, true = (one.class_names[of[image]] for of in (one.labels, one.true_labels))
    st.subheader(f"Training {media.noun(one.pack)} {image}: {words.plain(words.labelled(name, true))}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(one.pack, image, name, look.result.spec.dataset)
        steps(order, image, inspect)
        basket_button(basket, image, lambda changed: LINK.look(basket=changed, elsewhere=True))
        like_button(LINK, image)
    with right:
        rows = [("predicted", *_predicted(look, image)), *((title, *_said(look, number, image)) for number, title in look.titles.items())]
        alike = words.fixed(float(look.result.alike[image]))
        note = f"Below each number its rank, 1 the largest. The image’s rows of both kernels have the cosine {alike}. {one.ids[image]}."
        columns_table(("", "A", "B"), rows, note)
        for side, there in zip("AB", look.sides, strict=True):
            near = neighbours(there.result, image, _FEW)
            likeness = cosines(there.result, image)[near]
            said = [f"{one.class_names[one.labels[i]]} {words.fixed(float(c))}" for i, c in zip(near, likeness, strict=True)]
            pictures(one.pack, near.tolist(), said, head=f"Most alike to it in {side}, with the kernel’s cosine")
    everywhere(LINK, one.pack, image, one.ids[image])


def _predicted(look: Look, image: int) -> tuple[str, ...]:
    try:
        return tuple(look.one.class_names[judged(side).predicted[image]] for side in look.sides)
    except AtlasError as error:
        return error.message, error.message


def _said(look: Look, number: str, image: int) -> tuple[str, ...]:
    try:
        return tuple(_ranked(values, image) for values in look.number(number))
    except AtlasError as error:
        return error.message, error.message


def _ranked(values: np.ndarray, image: int) -> str:
    value = float(values[image])
    said = words.number(value) if np.isfinite(value) else "never" if value > 0 else "–"
    return f"{said}\n{1 + int((values > value).sum()):,} of {len(values):,}"
