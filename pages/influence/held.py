"""The gallery of held-out images: a click chooses one, a second click looks at it closely, ticks make a group."""

import streamlit as st

from ntkcore.analyses.influence import mean, views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.specs.influence import InfluenceView
from pages.influence.choice import LINK, TARGET, choose, inspect_held, tick
from pages.shared import choice as links
from pages.shared import media
from pages.shared.fields import Fields
from pages.shared.gallery import Card, gallery
from pages.shared.ticks import Ticks

TICKS = Ticks("held_gallery")
_HELD = Fields("influence.held")
_ORDERS = {"loss": "largest loss first", "wrong": "misclassified", "all": "as drawn"}
_SHOWN = 400  # held-out images in the gallery


def show_held(result: InfluenceResult, view: InfluenceView, now: views.Held, shown: list[int], target: int, choice: links.Choice) -> None:
    """Its controls and the gallery.

    Args:
        result, view, choice: what is looked at.
        now: the held-out images at the λ and time chosen.
        shown: those that pass, in order.
        target: the one chosen.
    """
    only = [name for name in view.only if name in result.class_names]
    _HELD.seed((result.key, choice.revision), {"tests": view.tests, "only": only})
    st.subheader("Held-out images", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.selectbox(
            "Order of the held-out images",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            **_HELD.index("tests", list(_ORDERS)),
            label_visibility="collapsed",
            on_change=_changed,
            args=("tests",),
            width=170,
        )
        with st.popover(_classes(only), key="held_classes"):
            st.multiselect(
                "Classes shown", result.class_names, **_HELD.default("only"), placeholder="all", on_change=_changed, args=("only",)
            )
    right = 100 * float(now.correct.mean())
    some = f"{len(shown):,} of {len(now.loss):,} images · " if len(shown) < len(now.loss) else ""
    first = f" · the first {_SHOWN} are here" if len(shown) > _SHOWN else ""
    st.html(f'<p class="atlas-quiet">{some}{right:.1f} % classified correctly · below each: its loss · tick some for their mean{first}</p>')
    gallery(
        [_card(result, now, i) for i in shown[:_SHOWN]],
        base=media.thumbnail_base(result.test_pack),
        key="held_gallery",
        ticked=TICKS.began((result.key, choice.revision), mean.picked_of(result, view)),
        revision=choice.revision,
        current=target if view.mean == "no" else None,
        on_tick=_ticked,
        ticks="tick for a mean",
        on_open=_opened,
        opens="choose; again: look closely",
        empty="No held-out image is so here.",
        height=470,
        cell=84,
    )


def _classes(only: list[str]) -> str:
    return ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"


def _changed(name: str) -> None:
    value = _HELD[name]
    LINK.look(**{name: tuple(value) if name == "only" else value})


def _opened() -> None:
    said = st.session_state["held_gallery"].get("opened")
    if not said:
        return
    if LINK.current().view.mean == "no" and said["id"] == st.session_state.get(TARGET):
        inspect_held(said["id"])
    else:
        choose(said["id"])


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        tick(ticked)


def _card(result: InfluenceResult, now: views.Held, image: int) -> Card:
    name, predicted = result.class_names[result.test_labels[image]], result.class_names[now.predicted[image]]
    wrong = not now.correct[image]
    title = f"Held-out image {image}, {result.test_ids[image]}: {name}, predicted {predicted}, loss {now.loss[image]:.4g}."
    return Card(image, name, f"→ {predicted}" if wrong else "", f"{now.loss[image]:.3f}", "", bool(wrong), title)
