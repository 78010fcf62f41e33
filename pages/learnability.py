"""Learnability: which images are easy, which are hard, and does k(x,x) predict it? (Learnability; SCIENCE §2)"""

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.forecast import forecast_learnability
from ntkcore.analyses.learnability import is_ready, learnability_key, open_learnability
from ntkcore.analyses.workspace import workspace
from ntkcore.data import catalogue, own_sets
from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing
from ntkcore.specs import LearnabilitySpec
from pages.parts import bar, frame, job_panel, links, missing
from pages.parts.learnability_result import show_result


def page() -> None:
    """The page, in one of its states: bad address, contradictory choice, missing data, forecast, job, result."""
    frame.heading("Learnability", "Which images does this network learn easily, which are hard, and did the kernel know beforehand?")
    ws = workspace()
    try:
        choice = links.opened()
    except AtlasError as error:
        frame.show_error(error)
        st.button("Start from the defaults", on_click=links.forget, type="primary")
        return
    spec = bar.analysis_bar(choice, catalogue(ws.settings), own_sets(ws.settings))
    if spec is None:
        return
    links.choose(spec)
    try:
        _state(spec)
    except DataMissing as error:
        missing.offer_download(error, spec.dataset.name)
    except AtlasError as error:
        frame.show_error(error)


def _state(spec: LearnabilitySpec) -> None:
    ws = workspace()
    key = learnability_key(spec, ws)
    job = ws.jobs.state(key)
    if job is not None and job.active:
        job_panel.job_panel(key)
        return
    if is_ready(spec, ws):
        try:
            result = open_learnability(spec, ws)
        except CorruptArtifact as damage:
            requests.repair(damage, spec, ws)
            st.warning(f"{damage.message} {damage.remedy}", icon=":material/warning:")
            job_panel.job_panel(key)
            return
        show_result(result)
        return
    if job is not None:
        job_panel.ended(job)
    _forecast(spec)


def _forecast(spec: LearnabilitySpec) -> None:
    ws = workspace()
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        forecast = forecast_learnability(spec, ws)
    with st.container(border=True, key="forecast"):
        st.markdown("**Not computed yet.** On this machine it will take about:")
        seconds, memory, disk = st.columns(3)
        seconds.metric("Time", frame.duration(forecast.seconds))
        memory.metric("Memory", frame.size(forecast.memory), help=f"One job may use {frame.size(forecast.memory_limit)} here.")
        disk.metric("Disk", frame.size(forecast.disk), help=f"{frame.size(forecast.disk_free)} are free.")
        slow = [f"{stage.name} {frame.duration(stage.seconds)}" for stage in forecast.stages if stage.seconds >= 0.5]
        if slow:
            st.caption("Of that: " + " · ".join(slow) + ". From rates measured on this machine.")
        if forecast.refusal:
            st.error(forecast.refusal, icon=":material/warning:")
        if st.button("Compute", type="primary", key="compute", disabled=bool(forecast.refusal)):
            requests.request_learnability(spec, ws)
            st.rerun()


page()
