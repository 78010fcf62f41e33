"""Convergence: how well the pseudo-NTK stands in for the full empirical NTK, over width and training (Thesis ch. 3; SCIENCE §7)."""

import time

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.convergence import convergence_key, open_convergence, ready_points
from ntkcore.analyses.convergence_forecast import forecast_convergence
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing
from ntkcore.specs import ConvergenceSpec
from pages.parts import frame, job_panel, links, missing
from pages.parts.convergence_bar import analysis_bar
from pages.parts.convergence_result import show_result, show_waiting
from pages.parts.forecast import forecast_card

_PAUSE = 3.0  # seconds between two drawings of all charts, so that a browser keeps up with quick comparisons


def page() -> None:
    """The page, in one of its states: bad address, contradictory choice, missing data, forecast, job with what is finished, result."""
    frame.heading("Convergence", "How well does the cheap pseudo-NTK stand in for the full empirical NTK, over width and training?")
    try:
        choice = links.convergence.opened()
    except AtlasError as error:
        frame.show_error(error)
        st.button("Start from the defaults", on_click=links.convergence.forget, type="primary")
        return
    spec = analysis_bar(choice)
    if spec is None:
        return
    links.convergence.choose(spec)
    try:
        _state(spec)
    except DataMissing as error:
        missing.offer_download(error, spec.dataset.name)
    except AtlasError as error:
        frame.show_error(error)


def _state(spec: ConvergenceSpec) -> None:
    ws = workspace()
    key = convergence_key(spec, ws)
    job = ws.jobs.state(key)
    active = job is not None and job.active
    try:
        result = open_convergence(spec, ws)
    except CorruptArtifact as damage:
        requests.repair(damage, spec, ws)
        st.warning(f"{damage.message} {damage.remedy}", icon=":material/warning:")
        job_panel.job_panel(key)
        return
    # Two places that are always there: when the job ends and its panel goes, the charts below stay the ones they are.
    standing, below = st.container(), st.container()
    with standing:
        if active:
            shown = time.monotonic()

            def moved() -> bool:
                if time.monotonic() - shown < _PAUSE or links.convergence.current().view.point is not None:
                    return False  # a dialog would close for a moment
                return ready_points(spec, ws) != result.ready

            job_panel.job_panel(key, moved)
        elif not result.complete:
            if job is not None:
                job_panel.ended(job)
            some = f"{result.ready} of {len(result.points)} comparisons are computed." if result.ready else "Not computed yet."
            forecast_card(lambda: forecast_convergence(spec, ws), lambda: requests.request_convergence(spec, ws), said=some)
    with below:
        if result.ready:
            show_result(result)
        elif active:
            show_waiting()


page()
