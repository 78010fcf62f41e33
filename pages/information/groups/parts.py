"""What the questions about groups of images show alike: a group's means, its scores as a histogram, its images."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups.composed import Composed
from ntkcore.analyses.information.groups.kernel import OFTEN
from ntkcore.analyses.information.groups.views import GroupScores
from ntkcore.analyses.information.views import SHOWN
from ntkcore.figures.information import groups as figures
from ntkcore.specs import Spec
from pages.information.choice import LINK, Chosen
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, gallery

_NARROW = 170
_ORDER = Controls("information.groups.order", LINK)


def histogram(found: GroupScores, *, key: str, table: Callable[[], pd.DataFrame], note: str = "") -> None:
    """The groups' scores."""
    none = int((found.flat()[0] <= 0).sum())
    told = f" {none:,} images carry none and are not drawn." if none else ""
    chart(
        "How the information is distributed",
        figures.groups_histogram(found, frame.mode()),
        key=key,
        table=table,
        note=f"{note} Upright lines: the groups’ means.{told}",
    )


def number(controls: Controls, label: str, name: str, low: float, high: float, **told: object) -> None:
    """An input of a number."""
    controls.control(name, st.number_input, label, low, high, **({"step": 1, "width": _NARROW} | told))


def unsaid(result: InfluenceResult, view: Spec, values: Mapping[str, object]) -> tuple[object, ...]:
    """What widgets are about that begin with values of which the view may not say some: those change with what fits."""
    return result.key, *(value for name, value in values.items() if getattr(view, name) is None)


def repeated(repeats: int, said: int | None) -> str:
    """How often a study is made, and why so rarely where nobody ``said`` how often: the end of a sentence."""
    often = f", {repeats} times with other images" if repeats > 1 else ""
    return often + words.fewer(repeats, OFTEN if said is None else None)


def repeat_shown(controls: Controls, repeats: int) -> None:
    """Which repeat's images are shown; nothing where there is one."""
    if repeats > 1:
        controls.control(
            "part",
            st.selectbox,
            "Repeat",
            options=list(range(repeats)),
            format_func=lambda part: f"repeat {part + 1} of {repeats}",
            label_visibility="collapsed",
            width=_NARROW,
        )


def order_shown(key: str) -> None:
    """Which end of the ranking the galleries begin with; ``key`` of the study's result."""
    _ORDER.seed(key, "show")
    _ORDER.control(
        "show",
        st.segmented_control,
        "Order",
        options=["most", "least"],
        format_func={"most": "Most informative", "least": "Least informative"}.__getitem__,
        required=True,
        label_visibility="collapsed",
    )


def scores_button(table: Callable[[], pd.DataFrame], study: str) -> None:
    """A download of every image's scores; ``study`` names the file."""
    csv_download("All scores (CSV)", table, file=study, key=f"{study}_csv")


def galleries(images: Composed, members: Sequence[np.ndarray], found: GroupScores, show: str, choice: Chosen, key: str) -> None:
    """The most or the least informative images of each group, beside each other.

    Args:
        images: what was put together.
        members: of each group the numbers of its images, in the order of ``found.values``.
        show: ``"most"`` or ``"least"``.
        key: names the galleries.
    """
    everything = np.sort(np.concatenate(found.values))
    columns = st.columns(len(members), gap="large")
    for place, column in enumerate(columns):
        values = found.values[place]
        order = np.argsort(-values if show == "most" else values, kind="stable")[:SHOWN]
        with column:
            st.subheader(f"{words.plain(found.names[place])}", anchor=False)
            gallery(
                [_card(images, int(members[place][at]), float(values[at]), everything) for at in order],
                base=media.thumbnail_base(images.split.pack),
                key=f"{key}_{place}",
                revision=choice.revision,
                empty="There is no image in this group.",
                cell=86,
            )


def _card(images: Composed, image: int, value: float, everything: np.ndarray) -> Card:
    train = images.split.train
    name = train.class_names[train.labels[image]]
    below = 100 * float(np.searchsorted(everything, value)) / max(1, len(everything) - 1)
    title = (
        f"{train.ids[image]}: label {name}. Unique information {words.number(value, 6)} nats, percentile {below:.1f} of all groups' images."
    )
    return Card(image, name, "", words.number(value), f"P {below:.0f}", False, title)
