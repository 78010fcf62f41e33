"""What every strategy picked in a cycle: the images, their classes, how many are the same, how hard they are."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from ntkcore.analyses.active import views
from ntkcore.analyses.active.run import images
from ntkcore.analyses.active.views import Study
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.workspace import workspace
from ntkcore.figures import active as figures
from ntkcore.specs.active import STRATEGIES, ActiveView
from pages.active.choice import LINK
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.gallery import Card, Opens, gallery

_BESIDE = 3  # galleries in a row


def show_picked(result: Study, view: ActiveView) -> None:
    """The galleries of a cycle, and what is said of all choices until then."""
    spec, cycle = result.spec, views.cycle_of(result, view)
    split = images(spec, workspace())
    st.header(f"What they picked in cycle {cycle}", anchor=False)
    names = views.shown(result, view)
    places = [spec.strategies.index(name) for name in names]
    numbers, norms = (found(result, view.repeat, cycle)[places] for found in (views.picks, views.norms))
    middle = np.median(norms)
    for first in range(0, len(names), _BESIDE):
        columns = st.columns(min(_BESIDE, max(2, len(names))), gap="large")
        for place in range(first, min(first + _BESIDE, len(names))):
            with columns[place - first]:
                _gallery(names[place], numbers[place], norms[place], float(middle), split, view.image)
    st.caption(
        words.spoken(
            f"Repeat {view.repeat}, from {spec.protocol.labels[cycle - 1]:,} labels; in the order chosen. Below each: its label, and "
            "k(x,x) of the network before training, the same network for all. A click shows who chose an image, and when."
        )
    )
    _compared(result, view, cycle, split)


def _gallery(name: str, numbers: np.ndarray, norms: np.ndarray, middle: float, split: Split, current: int | None) -> None:
    colour = figures.colour_of(name, frame.mode())
    st.html(f'<h3 style="border-left: 4px solid {colour}; padding-left: .5rem !important">{STRATEGIES[name]}</h3>')
    gallery(
        [_card(int(image), float(norm), middle, split) for image, norm in zip(numbers, norms, strict=True)],
        base=media.thumbnail_base(split.pack),
        key=f"active_gallery_{name}",
        revision=LINK.current().revision,
        empty="Nothing was chosen.",
        opens=Opens(lambda image: LINK.look(image=image), "look closely"),
        current=current,
        height=300,
        cell=72,
    )


def _card(image: int, norm: float, middle: float, split: Split) -> Card:
    train = split.train
    name, true = (train.class_names[of[image]] for of in (train.labels, train.true_labels))
    side = "harder" if norm < middle else "easier"
    title = f"{train.ids[image]}: label {words.labelled(name, true)}. k(x,x) = {norm:.6g}, {side} than the middle of this cycle’s choices."
    return Card(image, name, "", words.number(norm), "", name != true, title)


def _compared(result: Study, view: ActiveView, cycle: int, split: Split) -> None:
    spec, mode = result.spec, frame.mode()
    names, classes = views.shown(result, view), split.train.class_names
    titles, places = [STRATEGIES[name] for name in names], [spec.strategies.index(name) for name in names]
    counts, shared = views.balance(result, cycle)[places], views.overlap(result, cycle)[np.ix_(places, places)]
    numbers, norms = (found(result, view.repeat, cycle)[places] for found in (views.picks, views.norms))
    columns = st.columns(2, gap="large") if len(names) <= figures.BANDS else (st.container(), st.container())
    with columns[0]:
        chart(
            f"Labels of each class after cycle {cycle}",
            figures.balance_figure(counts, names, classes, mode),
            key="active_balance",
            table=lambda: pd.DataFrame(counts, index=titles, columns=list(classes)).rename_axis("strategy").reset_index(),
            note="Those at first included; mean over the repeats. Dots: as many of each class.",
        )
    with columns[1]:
        chance = cycle * spec.protocol.query / max(1, spec.dataset.n - spec.protocol.start)
        chart(
            f"Chosen by both until cycle {cycle}",
            figures.overlap_figure(shared, names, mode),
            key="active_overlap",
            table=lambda: pd.DataFrame(shared, index=titles, columns=titles).rename_axis("strategy").reset_index(),
            note=f"Mean over the repeats; two that choose at random share about {chance:.2f}.",
        )
    chart(
        f"How hard: k(x,x) of the choices in cycle {cycle}",
        figures.norms_figure(norms, numbers, names, mode),
        key="active_norms",
        table=partial(views.pick_table, result, classes, split.train.ids),
        note="Of this repeat’s network before training; a small k(x,x) is learned late. Diamond: the median.",
    )
