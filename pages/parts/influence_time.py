"""λ and the training time of the influence page, which stay in sight while it is scrolled, and playing through training."""

import time

import numpy as np
import streamlit as st

from ntkcore.analyses import influence_views as views
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.specs import InfluenceView
from pages.parts import frame, links
from pages.parts.fields import Fields
from pages.parts.influence_actions import PLAYING, TARGET

_TIME = Fields("influence.time")
_NEXT = "influence.next"  # the next moment's turn has come
_STEP = 1.0  # seconds of each moment
_END = "end of training"
_RIDGES = (0.0, *(float(f"{10.0**power:.3g}") for power in np.arange(-8, 3.01, 0.5)))


def turn(result: InfluenceResult) -> None:
    """Go on to the next moment, if its turn has come; before anything of it is shown."""
    if st.session_state.pop(_NEXT, False):
        _advance(result)


def show_time(result: InfluenceResult, view: InfluenceView, choice: links.Choice) -> None:
    """Both sliders and the button that plays."""
    _TIME.seed((result.key, choice.revision), {"ridge": view.ridge, "time": _END if view.time is None else view.time})
    ridges = sorted({*_RIDGES, view.ridge})
    axis: list[float | str] = [*sorted({*views.times(result), *([view.time] if view.time else [])}), _END]
    with st.container(key="stay_controls"):
        left, right, play = st.columns([10, 18, 2], gap="medium", vertical_alignment="bottom")
        left.select_slider(
            "Regularisation λ",
            ridges,
            format_func=_exact,
            **_TIME.value("ridge"),
            on_change=_changed,
            args=("ridge",),
        )
        right.select_slider(
            "Training time τ",
            axis,
            format_func=lambda t: t if isinstance(t, str) else time_words(result, t),
            **_TIME.value("time"),
            on_change=_changed,
            args=("time",),
            help="Time of gradient flow on the summed squared loss: learning rate times steps of full-batch gradient descent. "
            "Every position is exact: all leave-one-out predictions at that moment, from one decomposition.",
        )
        playing = st.session_state.get(PLAYING) is not None
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


def time_words(result: InfluenceResult, moment: float) -> str:
    """τ, and how many epochs of the training chosen that is."""
    epochs = "" if result.epoch is None else f" ≈ {frame.number(moment / result.epoch, 2)} epochs"
    return f"{_exact(moment)}{epochs}"


def _changed(name: str) -> None:
    value = _TIME[name]
    links.influence.look(**{name: None if value == _END else value}, target=st.session_state.get(TARGET))  # the image being watched stays


def _start_or_stop(result: InfluenceResult) -> None:
    if st.session_state.pop(PLAYING, None) is None:
        st.session_state[PLAYING] = time.monotonic()
        if links.influence.current().view.time is None:
            links.influence.look(time=views.times(result)[0], target=st.session_state.get(TARGET), elsewhere=True)


@st.fragment(run_every=_STEP, key="influence_clock")
def _clock(result: InfluenceResult) -> None:
    """Go to the next training time once the page has shown this one for long enough; stop at the end."""
    since = st.session_state.get(PLAYING)
    if since is None or time.monotonic() - since < 0.8 * _STEP:
        return
    st.session_state[_NEXT] = True  # done by the run that follows: an address written in this one would not reach the browser
    links.rerun()


def _advance(result: InfluenceResult) -> None:
    now = links.influence.current().view.time
    later = [moment for moment in views.times(result) if now is not None and moment > now]
    links.influence.look(time=later[0] if later else None, elsewhere=True)
    if later:
        st.session_state[PLAYING] = time.monotonic()
    else:
        st.session_state.pop(PLAYING, None)


def _exact(value: float) -> str:
    """A number with as many digits as it has, at least two: a slider tells its positions apart by what they are called."""
    return frame.number(value, next(digits for digits in range(2, 18) if float(f"{value:.{digits}g}") == value))
