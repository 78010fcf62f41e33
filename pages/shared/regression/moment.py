"""λ and the training time of a page, which stay in sight while it is scrolled, and playing through training."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.result import InfluenceResult
from pages.shared import choice as links
from pages.shared import words
from pages.shared.controls import Controls

_STEP = 1.0  # seconds of each moment
_END = "end of training"
_RIDGES = (0.0, *(float(f"{10.0**power:.3g}") for power in np.arange(-8, 3.01, 0.5)))


class Moment:
    """Both sliders and the button that plays.

    Args:
        name: the page's.
        link: its choice, whose view has ``ridge`` and ``time``.
        kept: what else of the view is said when a slider moves.
        axis: the moments of a result in a view.
        steps: whether a view's time counts steps.
    """

    def __init__(
        self,
        name: str,
        link: links.Link[Any, Any],
        kept: Callable[[], dict[str, Any]] = dict,
        axis: Callable[[InfluenceResult, Any], tuple[float, ...]] = lambda result, _: views.times(result),
        steps: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        self._link, self._axis, self._steps = link, axis, steps
        self._controls = Controls(f"{name}.time", link, kept=kept)
        self._playing = f"{name}.playing"  # when the moment shown was begun
        self._next = f"{name}.next"  # the next moment's turn has come
        self._clock = f"{name}_clock"

    def stop(self) -> None:
        """Stop playing."""
        st.session_state.pop(self._playing, None)

    def turn(self, result: InfluenceResult) -> None:
        """Go on to the next moment, if its turn has come; before anything of it is shown."""
        if st.session_state.pop(self._next, False):
            self._advance(result)

    def show(self, result: InfluenceResult, choice: links.Choice) -> None:
        """The controls."""
        view, steps = choice.view, self._steps(choice.view)
        self._controls.seed(result.key, "ridge", time=_END if view.time is None else view.time)
        ridges = sorted({*_RIDGES, view.ridge})
        axis: list[float | str] = [*sorted({*self._axis(result, view), *([view.time] if view.time else [])}), _END]
        with st.container(key="stay_controls"):
            left, right, play = st.columns([10, 18, 2], gap="medium", vertical_alignment="bottom")
            self._controls.control("ridge", left.select_slider, "Regularisation λ", options=ridges, format_func=_exact)
            self._controls.control(
                "time",
                right.select_slider,
                "Steps of gradient descent" if steps else "Training time τ",
                options=axis,
                read=lambda value: None if value == _END else value,
                format_func=lambda t: t if isinstance(t, str) else f"{t:,.0f}" if steps else time_words(result, t),
                help="Time of gradient flow on the summed squared loss: learning rate times steps of full-batch gradient descent. "
                "Every position is exact: all leave-one-out predictions at that moment, from one decomposition.",
            )
            playing = st.session_state.get(self._playing) is not None
            play.button(
                "",
                icon=":material/pause:" if playing else ":material/play_arrow:",
                help="Stop here" if playing else "Play through training",
                on_click=self._start_or_stop,
                args=(result,),
                key="play",
            )
        if playing:
            self._tick()

    def _start_or_stop(self, result: InfluenceResult) -> None:
        if st.session_state.pop(self._playing, None) is None:
            st.session_state[self._playing] = time.monotonic()
            if (view := self._link.current().view).time is None:
                self._controls.set(time=self._axis(result, view)[0], elsewhere=True)

    def _tick(self) -> None:
        """Go to the next training time once the page has shown this one for long enough; stop at the end."""

        @st.fragment(run_every=_STEP, key=self._clock)
        def clock() -> None:
            since = st.session_state.get(self._playing)
            if since is None or time.monotonic() - since < 0.8 * _STEP:
                return
            st.session_state[self._next] = True  # done by the run that follows: an address written in this one would not reach the browser
            links.rerun()

        clock()

    def _advance(self, result: InfluenceResult) -> None:
        view = self._link.current().view
        now = view.time
        later = [moment for moment in self._axis(result, view) if now is not None and moment > now]
        self._link.look(time=later[0] if later else None, elsewhere=True)
        if later:
            st.session_state[self._playing] = time.monotonic()
        else:
            self.stop()


def time_words(result: InfluenceResult, moment: float) -> str:
    """τ, and how many epochs of the training chosen that is."""
    epochs = "" if result.epoch is None else f" ≈ {words.number(moment / result.epoch, 2)} epochs"
    return f"{_exact(moment)}{epochs}"


def _exact(value: float) -> str:
    """A number with as many digits as it has, at least two: a slider tells its positions apart by what they are called."""
    return words.number(value, next(digits for digits in range(2, 18) if float(f"{value:.{digits}g}") == value))
