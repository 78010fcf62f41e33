"""A study as the information page shows it: stored, under way, or offered with what it will take."""

from typing import TypeVar

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.study import Parts, Study
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import CorruptArtifact
from ntkcore.specs import Spec
from pages.shared import job_panel, words

S = TypeVar("S", bound=Spec)


def studied(study: Study[S], spec: S, *, button: str, said: str) -> Parts[S] | None:
    """The stored study; where there is none, its job is shown, or the button that starts it.

    Args:
        study, spec: what is studied.
        button: what the button says.
        said: what the study would do, a sentence that the forecast's seconds end.
    """
    ws = workspace()
    name = study.kind
    job = ws.jobs.state(study.key(spec, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id, name=f"{name}_panel")
        return None
    state = study.state(spec, ws)
    if state == "ready":
        try:
            return study.open(spec, ws)
        except CorruptArtifact as damage:
            st.warning(words.plain(f"{damage.message} {damage.remedy}"), icon=":material/warning:")
            job_panel.job_panel(requests.repair(damage, spec, ws).id, name=f"{name}_panel")
            return None
    if job is not None:
        job_panel.ended(job)
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        forecast = study.forecast(spec, ws)
    begun = state == "partial"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Go on" if begun else button, key=f"study_{name}", type="primary", disabled=bool(forecast.refusal)):
            requests.request_study(study, spec, ws)
            st.rerun()
        if not forecast.refusal:
            took = f"about **{words.duration(forecast.seconds)}** on this machine"
            st.markdown(f"{said}: {took}{', less what is done' if begun else ''}.", width="stretch")
    if forecast.refusal:
        st.error(words.plain(forecast.refusal), icon=":material/warning:")
    return None


def made(parts: Parts[S]) -> None:
    """When and where a study was computed, in one quiet line."""
    device = "the CPU" if parts.device == "cpu" else parts.device
    st.html(f'<p class="atlas-quiet">Computed {words.when(parts.created)} on {device} in {words.duration(parts.seconds)}.</p>')
