"""The inspector of the active learning page: an image that was chosen, who chose it and when, and how hard it is."""

import numpy as np
import streamlit as st

from ntkcore.analyses.active import views
from ntkcore.analyses.active.known import unique_information
from ntkcore.analyses.active.run import Task, first_labelled, images
from ntkcore.analyses.active.views import Study
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.active import STRATEGIES, ActiveView
from pages.active.choice import LINK
from pages.shared import media, words
from pages.shared.known import everywhere
from pages.shared.tables import facts_table
from pages.shared.viewer import enlarged, steps


def inspect(result: Study, view: ActiveView) -> None:
    """Open the inspector on the view's image; previous and next follow the cycle's galleries, one after another."""
    split = images(result.spec, workspace())
    places = [result.spec.strategies.index(name) for name in views.shown(result, view)]
    picked = views.picks(result, view.repeat, views.cycle_of(result, view))[places]
    order = np.array(list(dict.fromkeys(picked.ravel().tolist())))

    @st.dialog("Inspector", width="large", on_dismiss=_close)
    def dialog() -> None:
        now = LINK.current().view
        if now.image is None:
            st.rerun()
        else:
            _show(result, now, now.image, order, split)

    dialog()


def _close() -> None:
    LINK.look(image=None)


def _show(result: Study, view: ActiveView, image: int, order: np.ndarray, split: Split) -> None:
    train = split.train
    name, true = (train.class_names[of[image]] for of in (train.labels, train.true_labels))
    st.subheader(f"{media.noun(split.pack).capitalize()} {image}: {words.plain(name)}", anchor=False)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        enlarged(split.pack, image, name)
        steps(order, image, lambda chosen: LINK.look(image=chosen))
    with right:
        rows = [("From", train.ids[image]), ("Label", words.labelled(name, true)), *_hard(result, view, image)]
        if image in first_labelled(Task(result.spec, result.spec.strategies[0], view.repeat, split)):
            rows.append((f"Repeat {view.repeat}", "it has a label from the start, so that nobody chooses it"))
        rows += _choices(result, view, image)
        facts_table(rows, "A small k(x,x) is learned late. Arrow keys go to the previous and next image, Escape closes.")
    everywhere(LINK, split.pack, image, train.ids[image])


def _hard(result: Study, view: ActiveView, image: int) -> list[tuple[str, str]]:
    """k(x,x) before training, and unique information where it is known."""
    found, known = views.hardness(result, image, view.repeat), unique_information(result, image, view.repeat, workspace())
    told = "not measured: nobody chose it in this repeat"
    if found is not None:
        told = f"{found[0]:.6g} before training, less than that of {words.percent(found[1])} of all that was chosen in this repeat"
    unique = "not known: the Information page has not computed this network’s pseudo-NTK on these images"
    if known is not None:
        unique = f"{words.number(known.value)} nats, more than {words.percent(known.below)} of all images, at λ = {known.ridge:g}"
    return [("k(x,x)", told), ("Unique information F-SI", unique)]


def _choices(result: Study, view: ActiveView, image: int) -> list[tuple[str, str]]:
    """For each strategy when it chose the image: in this repeat, and in how many of all."""
    spec, found, rows = result.spec, views.chosen(result, image), []
    for name in spec.strategies:
        own = [pick for pick in found if pick.strategy == name]
        here = next((pick for pick in own if pick.repeat == view.repeat), None)
        told = "did not choose it" if here is None else f"cycle {here.cycle}, as number {here.place} of {spec.protocol.query}"
        rows.append((STRATEGIES[name], told + (f"; in {len(own)} of {spec.seeds} repeats" if spec.seeds > 1 else "")))
    return rows
