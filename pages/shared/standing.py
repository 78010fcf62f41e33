"""How an analysis stands: stored, under way, offered with what it will take, failed, or damaged. Every page has these states from here."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from ntkcore.analyses.analysis import Analysis, S, Sized
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import CorruptArtifact
from pages.shared import job_panel, words

R = TypeVar("R", bound=Sized)


@dataclass(frozen=True, slots=True)
class Offer:
    """How a part of a page offers what is not computed: a button, and beside it a sentence that the forecast's seconds end.

    Attributes:
        button: what it says; ``again`` where a part is done already.
        said: what it would do.
        key: of the button; "" for one named after the analysis.
        primary: whether it is the page's first.
        less: whether the forecast is that of all of it, though a part is done.
    """

    button: str
    said: str
    key: str = ""
    again: str = "Go on"
    primary: bool = False
    less: bool = True


def standing(
    analysis: Analysis[S, Any, R],
    spec: S,
    *,
    name: str = "",
    offer: Offer | None = None,
    said: str = "Not computed yet.",
    moved: Callable[[], bool] | None = None,
) -> R | None:
    """The stored result; where there is none, its job is shown, or what it will take and the button that starts it.

    Args:
        analysis, spec: what is meant.
        name: of the job's panel; "" for one named after the analysis, or the page's own.
        offer: how it is offered; None: as the page's own, on a card with the whole forecast.
        said: how things stand, on that card.
        moved: whether there is more to show than the page shows, asked while the job runs.
    """
    ws = workspace()
    name = name or ("job_panel" if offer is None else f"{analysis.kind}_panel")
    job = ws.jobs.state(analysis.key(spec, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id, moved, name=name)
        return None
    state = analysis.state(spec, ws)  # asked after the job, so that what ends in between is shown as running, and drawn again
    if state == "ready":
        try:
            return analysis.open(spec, ws)
        except CorruptArtifact as damage:
            mend(analysis, spec, damage, name=name)
            return None
    if job is not None:
        job_panel.ended(job)
    if offer is None:
        _card(analysis, spec, said)
    else:
        offered([(analysis, spec)], offer, begun=state == "partial")
    return None


def mend(analysis: Analysis[S, Any, Any], spec: S, damage: CorruptArtifact, *, name: str = "job_panel") -> None:
    """Compute again what was found damaged, say so, and show the job."""
    job = analysis.repair(damage, spec, workspace())
    st.warning(words.plain(f"{damage.message} {damage.remedy}"), icon=":material/warning:")
    job_panel.job_panel(job.id, name=name)


def offered(asked: Sequence[tuple[Analysis[Any, Any, Any], Any]], offer: Offer, *, begun: bool = False) -> None:
    """A button that starts some analyses one after another, beside what they will take on this machine.

    Args:
        asked: what is started.
        offer: its words.
        begun: whether a part of it is stored.
    """
    ws = workspace()
    forecasts = [_measured(analysis, spec) for analysis, spec in asked]
    refusal = next((found.refusal for found in forecasts if found.refusal), "") or ws.jobs.refusal(asked[0][0].kind)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        button = words.spoken(offer.again if begun else offer.button)
        key = offer.key or f"study_{asked[0][0].kind}"
        if st.button(button, key=key, type="primary" if offer.primary else "secondary", disabled=bool(refusal)):
            for analysis, spec in asked:
                analysis.request(spec, ws)
            st.rerun()
        if not refusal:
            took = f"about **{words.duration(sum(found.seconds for found in forecasts))}** on this machine"
            st.markdown(f"{words.spoken(offer.said)}: {took}{', less what is done' if begun and offer.less else ''}.", width="stretch")
    if refusal:
        st.error(words.plain(refusal), icon=":material/warning:")


def made(created: str, device: str, seconds: float) -> None:
    """When and where a result was computed, in one quiet line."""
    where = html.escape(words.place(device))
    st.html(f'<p class="atlas-quiet">Computed {words.when(created)} on {where} in {words.duration(seconds)}.</p>')


def _measured(analysis: Analysis[S, Any, Any], spec: S) -> Forecast:
    """The forecast; it may take a while the first time."""
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        return analysis.expected(spec, workspace())


def _card(analysis: Analysis[S, Any, Any], spec: S, said: str) -> None:
    forecast = _measured(analysis, spec)
    with st.container(border=True, key="forecast"):
        st.markdown(f"**{said}** On this machine it will take about:")
        seconds, memory, disk = st.columns(3)
        seconds.metric("Time", words.duration(None if forecast.refusal else forecast.seconds))
        memory.metric("Memory", words.size(forecast.memory), help=f"One job may use {words.size(forecast.memory_limit)} here.")
        disk.metric("Disk", words.size(forecast.disk), help=f"{words.size(forecast.disk_free)} are free.")
        slow = [f"{stage.name} {words.duration(stage.seconds)}" for stage in forecast.stages if stage.seconds >= 0.5]
        if slow:
            st.caption(f"Of that: {' · '.join(slow)}. F{forecast.source[1:]}.")
        refusal = forecast.refusal or workspace().jobs.refusal(analysis.kind)
        if refusal:
            st.error(words.plain(refusal), icon=":material/warning:")
        if st.button("Compute", type="primary", key="compute", disabled=bool(refusal)):
            analysis.request(spec, workspace())
            st.rerun()
