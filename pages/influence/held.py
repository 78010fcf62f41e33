"""The gallery of held-out images: a click chooses one, a second click looks at it closely, ticks make a group."""

import streamlit as st

from ntkcore.analyses.confusion import Confusion
from ntkcore.analyses.influence import mean
from ntkcore.analyses.influence.subject import Subject
from pages.influence.choice import LINK, TARGET, choose, inspect_held, tick
from pages.shared import media, words
from pages.shared.confusion import cell_line, show_confusion
from pages.shared.controls import Controls
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks

TICKS = Ticks("held_gallery")
_HELD = Controls("influence.held", LINK)
_ORDERS = {"loss": "largest loss first", "wrong": "misclassified", "all": "as drawn"}
_SHOWN = 400  # held-out images in the gallery


def show_held(subject: Subject) -> None:
    """Its controls and the gallery."""
    result, now, shown = subject.result, subject.now, [int(i) for i in subject.shown]
    only = [name for name in subject.view.only if name in result.class_names]
    _HELD.seed(result.key, "tests", only=only)
    st.subheader(words.spoken("Held-out images"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _HELD.control(
            "tests",
            st.selectbox,
            "Order of the held-out images",
            options=list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            label_visibility="collapsed",
            width=170,
        )
        with st.popover(_classes(only), key="held_classes"):
            _HELD.control("only", st.multiselect, "Classes shown", options=result.class_names, placeholder="all")
    cell_line(LINK, result.class_names)
    right = 100 * float(now.correct.mean())
    some = f"{len(shown):,} of {len(now.loss):,} images · " if len(shown) < len(now.loss) else ""
    first = f" · the first {_SHOWN} are here" if len(shown) > _SHOWN else ""
    st.html(f'<p class="atlas-quiet">{some}{right:.1f} % classified correctly · below each: its loss · tick some for their mean{first}</p>')
    revision = LINK.current().revision
    gallery(
        [_card(subject, i) for i in shown[:_SHOWN]],
        base=media.thumbnail_base(result.test_pack),
        key="held_gallery",
        ticked=Ticked(TICKS.began((result.key, revision), mean.picked_of(result, subject.view)), _ticked, "tick for a mean"),
        revision=revision,
        current=subject.target if subject.view.mean == "no" else None,
        opens=Opens(_opened, "choose; again: look closely"),
        tags=tagging(result.spec.dataset, result.test_pack),
        undo=LINK.undo,
        seek=seeker(result.test_ids, choose),
        empty="No held-out image is so here.",
        height=470,
        cell=84,
    )
    show_confusion(
        LINK,
        lambda: Confusion.of(result.test_labels, now.predicted, result.class_names, subject.view.cell),
        title="What held-out images are taken for",
        noun=media.noun(result.test_pack),
        only=(),
        tests="loss" if subject.view.tests == "wrong" else subject.view.tests,
    )


def _classes(only: list[str]) -> str:
    return ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"


def _opened(image: int) -> None:
    if LINK.current().view.mean == "no" and image == st.session_state.get(TARGET):
        inspect_held(image)
    else:
        choose(image)


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        tick(ticked)


def _card(subject: Subject, image: int) -> Card:
    result, now = subject.result, subject.now
    name, predicted = result.class_names[result.test_labels[image]], result.class_names[now.predicted[image]]
    wrong = not now.correct[image]
    which = f"Held-out {media.noun(result.test_pack)} {image}, {result.test_ids[image]}"
    title = f"{which}: {name}, predicted {predicted}, loss {now.loss[image]:.4g}."
    return Card(image, name, f"→ {predicted}" if wrong else "", f"{now.loss[image]:.3f}", "", bool(wrong), title)
