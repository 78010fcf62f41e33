"""An influence result: the held-out image chosen, what made its prediction, through training, and without some images."""

import html
import math
import time

import numpy as np
import streamlit as st

from ntkcore.analyses import influence_views as views
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceView
from pages.parts import frame, links, media
from pages.parts.fields import Fields
from pages.parts.gallery import Card, gallery
from pages.parts.influence_about import show_about
from pages.parts.influence_basket import show_basket
from pages.parts.influence_charts import show_charts
from pages.parts.influence_explain import explain_influence
from pages.parts.influence_verify import show_verification

_VIEW = Fields("influence.view")
_TICKS = "influence.ticks"
_PLAYING = "influence.playing"  # when the moment shown was begun
_NEXT = "influence.next"  # the next moment's turn has come
_TARGET = "influence.target"  # the held-out image shown
_STEP = 1.0  # seconds of each moment
_END = "end of training"
_RIDGES = (0.0, *(float(f"{10.0**power:.3g}") for power in np.arange(-8, 3.01, 0.5)))
_TESTS = {"loss": "largest loss first", "wrong": "misclassified", "all": "as drawn"}
_SHOW = {"helpful": "Helpful", "harmful": "Harmful", "idle": "Uninfluential"}
_HELD_SHOWN = 400  # held-out images in the gallery


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    st.session_state.pop(_TICKS, None)
    show_about(result)
    _explore(result)
    explain_influence(result)


@st.fragment(key="influence")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    if st.session_state.pop(_NEXT, False):
        _advance(result)
    ws, choice = workspace(), links.influence.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(frame.plain(problem), icon=":material/warning:")
    _seed(result, choice)
    _controls(result, view)
    now = views.held(result, view, ws)
    shown = views.tests_shown(result, view, now)
    target = st.session_state[_TARGET] = views.target_of(result, view, shown, now)
    values = views.influence(result, view, target, ws)
    left, right = st.columns([1, 2], gap="large")
    with left:
        _held_out(result, view, now, shown, target, choice)
    with right:
        _answer(result, view, now, target, values)
        _training_images(result, view, values, choice)
    show_charts(result, view, target, values)
    show_basket(result, view)
    show_verification(result, view, target)


def _seed(result: InfluenceResult, choice: links.Choice) -> None:
    view = choice.view
    values = {"ridge": view.ridge, "time": _END if view.time is None else view.time, "tests": view.tests, "show": view.show}
    _VIEW.seed((result.key, choice.revision), values)


def _changed(name: str) -> None:
    value = _VIEW[name]
    if name == "time" and value == _END:
        value = None
    stays = {"target": st.session_state.get(_TARGET)} if name in ("time", "ridge") else {}  # the image that is being watched
    links.influence.look(**{name: value}, **stays)


def _controls(result: InfluenceResult, view: InfluenceView) -> None:
    """λ and the training time, which stay in sight while the page is scrolled."""
    ridges = sorted({*_RIDGES, view.ridge})
    axis: list[float | str] = [*sorted({*views.times(result), *([view.time] if view.time else [])}), _END]
    with st.container(key="stay_controls"):
        left, right, play = st.columns([10, 18, 2], gap="medium", vertical_alignment="bottom")
        left.select_slider(
            "Regularisation λ",
            ridges,
            format_func=_exact,
            **_VIEW.value("ridge"),
            on_change=_changed,
            args=("ridge",),
        )
        right.select_slider(
            "Training time τ",
            axis,
            format_func=lambda t: t if isinstance(t, str) else _time_words(result, t),
            **_VIEW.value("time"),
            on_change=_changed,
            args=("time",),
            help="Time of gradient flow on the summed squared loss: learning rate times steps of full-batch gradient descent. "
            "Every position is exact: all leave-one-out predictions at that moment, from one decomposition.",
        )
        playing = st.session_state.get(_PLAYING) is not None
        play.button(
            "",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            help="Stop here" if playing else "Play through training",
            on_click=_start_or_stop,
            args=(result,),
            key="play",
        )
    if playing:
        _clock(result)


def _start_or_stop(result: InfluenceResult) -> None:
    if st.session_state.pop(_PLAYING, None) is None:
        st.session_state[_PLAYING] = time.monotonic()
        if links.influence.current().view.time is None:
            links.influence.look(time=views.times(result)[0], target=st.session_state.get(_TARGET), elsewhere=True)


@st.fragment(run_every=_STEP, key="influence_clock")
def _clock(result: InfluenceResult) -> None:
    """Go to the next training time once the page has shown this one for long enough; stop at the end."""
    since = st.session_state.get(_PLAYING)
    if since is None or time.monotonic() - since < 0.8 * _STEP:
        return
    st.session_state[_NEXT] = True  # done by the run that follows: an address written in this one would not reach the browser
    links.rerun()


def _advance(result: InfluenceResult) -> None:
    now = links.influence.current().view.time
    later = [moment for moment in views.times(result) if now is not None and moment > now]
    links.influence.look(time=later[0] if later else None, elsewhere=True)
    if later:
        st.session_state[_PLAYING] = time.monotonic()
    else:
        st.session_state.pop(_PLAYING, None)


def _time_words(result: InfluenceResult, moment: float) -> str:
    epochs = "" if result.epoch is None else f" ≈ {frame.number(moment / result.epoch, 2)} epochs"
    return f"{_exact(moment)}{epochs}"


def _exact(value: float) -> str:
    """A number with as many digits as it has, at least two: a slider tells its positions apart by what they are called."""
    return frame.number(value, next(digits for digits in range(2, 18) if float(f"{value:.{digits}g}") == value))


def _held_out(result: InfluenceResult, view: InfluenceView, now: views.Held, shown: np.ndarray, target: int, choice: links.Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Held-out images", anchor=False, width="content")
        st.selectbox(
            "Order of the held-out images",
            list(_TESTS),
            format_func=_TESTS.__getitem__,
            **_VIEW.index("tests", list(_TESTS)),
            label_visibility="collapsed",
            on_change=_changed,
            args=("tests",),
            width=170,
        )
    right = 100 * float(now.correct.mean())
    st.html(f'<p class="atlas-quiet">{right:.1f} % classified correctly · below each: its loss · click one</p>')
    gallery(
        [_held_card(result, now, int(i)) for i in shown[:_HELD_SHOWN]],
        base=media.thumbnail_base(result.test_pack),
        key="held_gallery",
        revision=choice.revision,
        current=target,
        on_open=_chosen,
        opens="choose",
        empty="No held-out image is misclassified here.",
        height=470,
        cell=84,
    )


def _chosen() -> None:
    said = st.session_state["held_gallery"].get("opened")
    if said:
        links.influence.look(target=said["id"])


def _held_card(result: InfluenceResult, now: views.Held, image: int) -> Card:
    name, predicted = result.class_names[result.test_labels[image]], result.class_names[now.predicted[image]]
    wrong = not now.correct[image]
    title = f"Held-out image {image}, {result.test_ids[image]}: {name}, predicted {predicted}, loss {now.loss[image]:.4g}."
    return Card(image, name, f"→ {predicted}" if wrong else "", f"{now.loss[image]:.3f}", "", bool(wrong), title)


def _answer(result: InfluenceResult, view: InfluenceView, now: views.Held, target: int, values: np.ndarray) -> None:
    """The chosen image, its prediction, and the two images that mattered most."""
    name = html.escape(result.class_names[result.test_labels[target]])
    predicted = html.escape(result.class_names[now.predicted[target]])
    best, worst = int(values.argmax()), int(values.argmin())
    judged = "rightly" if now.correct[target] else "wrongly"
    said = (
        f"Held-out image {target}, <b>{name}</b>, is {judged} taken for <b>{predicted}</b>; its loss is {frame.number(now.loss[target])}. "
        f"{_removal(result, best, values[best], 'most helpful')} {_removal(result, worst, values[worst], 'most harmful')}"
    )
    picture = f'<img src="{media.thumbnail_base(result.test_pack)}{target}.png" alt="{name}">'
    st.html(f'<div class="atlas-pair">{picture}<p class="atlas-fact">{said}</p></div>')


def _removal(result: InfluenceResult, image: int, value: float, which: str) -> str:
    if (value > 0) != (which == "most helpful") or value == 0:
        return f"No training image is {which.split()[1]}."
    name = html.escape(result.class_names[result.labels[image]])
    verb = "raise" if value > 0 else "lower"
    return f"Removing the {which} training image ({image}, {name}) would {verb} that loss by <b>{frame.number(abs(value), 2)}</b>."


def _training_images(result: InfluenceResult, view: InfluenceView, values: np.ndarray, choice: links.Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Training images",
            list(_SHOW),
            format_func=_SHOW.__getitem__,
            required=True,
            **_VIEW.default("show"),
            label_visibility="collapsed",
            on_change=_changed,
            args=("show",),
        )
        st.download_button(
            "All influences (CSV)",
            lambda: views.table(result, values).to_csv(index=False),
            "influence.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="influence_csv",
            on_click="ignore",
        )
    shown = views.ranking(values, view.show)
    noisy = bool((result.labels != result.true_labels).any())
    st.html(
        '<p class="atlas-quiet">below each: how much the loss would rise without it (+ helpful, − harmful) · '
        f"tick images to delete or relabel them below{' · ⚑ label flipped' if noisy else ''}</p>"
    )
    gallery(
        [_training_card(result, int(i), float(values[i])) for i in shown],
        base=media.thumbnail_base(result.pack),
        key="training_gallery",
        ticked=_ticks_at_revision(result.key, choice),
        revision=choice.revision,
        on_tick=_ticked,
        empty="No training image is so at this λ and time.",
        height=330,
        cell=92,
    )


def _training_card(result: InfluenceResult, image: int, value: float) -> Card:
    name = result.class_names[result.labels[image]]
    flipped = result.labels[image] != result.true_labels[image]
    title = (
        f"Training image {image}, {result.ids[image]}: {name}"
        + (f" (flipped; truly {result.class_names[result.true_labels[image]]})" if flipped else "")
        + f". Removing it changes the loss by {value:+.6g}."
    )
    return Card(image, name + (" ⚑" if flipped else ""), "", _signed(value), "", False, title)


def _signed(value: float) -> str:
    """A signed number of two digits."""
    if not math.isfinite(value):
        return "–"
    return ("+" if value > 0 else "") + frame.number(value, 2)


def _ticks_at_revision(key: str, choice: links.Choice) -> tuple[int, ...]:
    """The basket as it was when the revision began: ticking must not change what the gallery is sent."""
    held = st.session_state.get(_TICKS)
    if held is None or held[0] != (key, choice.revision):
        held = ((key, choice.revision), choice.view.basket)
        st.session_state[_TICKS] = held
    return held[1]


def _ticked() -> None:
    said = st.session_state["training_gallery"].get("ticked")
    if said and said["revision"] == links.influence.current().revision:
        links.influence.look(basket=tuple(said["ids"]))
