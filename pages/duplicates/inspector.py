"""The inspector of the duplicates page: one image enlarged, its copies beside it, and what they have in common."""

import numpy as np
import streamlit as st

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.views import Copies, Group
from ntkcore.specs.duplicates import DuplicatesView
from pages.duplicates.choice import LINK, close_inspector, inspect
from pages.shared import media, words
from pages.shared.known import everywhere
from pages.shared.strip import pictures
from pages.shared.tables import facts_table
from pages.shared.viewer import enlarged, steps

_FEW = 12  # copies in the strip
_KEYS = "Arrow keys go through the copies of all groups shown, Escape closes."


def inspect_image(found: Copies, view: DuplicatesView) -> None:
    """Open the inspector on the image that the view names, if it names one that exists."""
    if view.image is None or view.image >= len(found.result.labels):
        return
    order = np.array([image for group in views.shown(found, view) for image in group.images], dtype=np.int64)

    @st.dialog("Inspector", width="large", on_dismiss=close_inspector)
    def dialog() -> None:
        image = LINK.current().view.image
        if image is None:
            st.rerun()
        else:
            _show(found, image, order)

    dialog()


def _show(found: Copies, image: int, order: np.ndarray) -> None:
    result, group = found.result, views.group_of(found, image)
    name = result.class_names[result.labels[image]]
    part = "Held-out" if image >= result.n else "Training"
    st.subheader(f"{part} {media.noun(result.pack)} {_number(found, image)}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(result.pack, image, name, result.spec.dataset)
        steps(order, image, inspect)
    with right:
        rows = [("From", result.ids[image]), ("Label", name), ("Place in its set", f"{result.places[image]:,}")]
        facts_table([*rows, *_among(found, image, group)], _KEYS)
        if group is not None:
            others = [other for other in group.images if other != image][:_FEW]
            said = [f"{result.class_names[result.labels[other]]}{' · held out' if other >= result.n else ''}" for other in others]
            pictures(result.pack, others, said, [result.ids[other] for other in others], head="Its copies")
    if image < result.n:
        everywhere(LINK, result.pack, image, result.ids[image])


def _among(found: Copies, image: int, group: Group | None) -> list[tuple[str, str]]:
    """What it is a copy of, and what becomes of it."""
    result = found.result
    if group is None:
        return [("Copies", "none, as alike as asked for")]
    what = f"{len(group.images):,} times {views.how_words(group.how, result)}"
    if group.contradictory:
        what += ", whose labels differ"
    rows = [("Group", what + (", on both sides of the division" if group.leak else ""))]
    if image == group.kept:
        return [*rows, ("When all but one are left out", "this one stays")]
    kept = f"{_number(found, group.kept)} ({result.class_names[result.labels[group.kept]]}, {result.ids[group.kept]})"
    beside = "; ".join(views.compared(result, image, group.kept))
    return [*rows, ("When all but one are left out", f"it goes, and {kept} stays"), *([("Beside that one", beside)] if beside else [])]


def _number(found: Copies, image: int) -> int:
    """Among the training images, or among those held out."""
    return image - found.result.n if image >= found.result.n else image
