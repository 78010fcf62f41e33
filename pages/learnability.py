"""Learnability: which images are easy, which are hard, and does k(x,x) predict it? (Learnability; SCIENCE §2)"""

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.learnability import is_ready, learnability_key, open_learnability
from ntkcore.analyses.learnability_forecast import forecast_learnability
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing
from ntkcore.specs import LearnabilitySpec
from pages.parts import frame, job_panel, links, missing
from pages.parts.forecast import forecast_card
from pages.parts.learnability_bar import analysis_bar
from pages.parts.learnability_result import show_result


def page() -> None:
    """The page, in one of its states: bad address, contradictory choice, missing data, forecast, job, result."""
    frame.heading("Learnability", "Which images does this network learn easily, which are hard, and did the kernel know beforehand?")
    try:
        choice = links.learnability.opened()
    except AtlasError as error:
        frame.show_error(error)
        st.button("Start from the defaults", on_click=links.learnability.forget, type="primary")
        return
    spec = analysis_bar(choice)
    if spec is None:
        return
    links.learnability.choose(spec)
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
    forecast_card(lambda: forecast_learnability(spec, ws), lambda: requests.request_learnability(spec, ws))


page()
