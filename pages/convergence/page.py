"""Convergence: how well the pseudo-NTK stands in for the full empirical NTK, over width and training (Thesis ch. 3; SCIENCE §7)."""

import time

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.convergence.analysis import convergence_key, open_convergence, ready_points
from ntkcore.analyses.convergence.forecast import forecast_convergence
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import ConvergenceSpec
from pages.convergence.bar import analysis_bar
from pages.convergence.choice import LINK
from pages.convergence.result import say_what_is_missing, show_result, show_waiting
from pages.shared import job_panel
from pages.shared.forecast import forecast_card
from pages.shared.page import analysis_page

_PAUSE = 3.0  # seconds between two drawings of all charts, so that a browser keeps up with quick comparisons


def _show(spec: ConvergenceSpec) -> None:
    """The forecast or the job, with what is finished of the result below."""
    ws = workspace()
    job = ws.jobs.state(convergence_key(spec, ws))
    result = open_convergence(spec, ws)  # after the job: what ended in between is shown as running, and drawn again at once
    # Two places that are always there: when the job ends and its panel goes, the charts below stay the ones they are.
    standing, below = st.container(), st.container()
    with standing:
        if not result.ready:
            say_what_is_missing(result)  # else said beside the charts, which can change it
        if job is not None and job.active:
            shown = time.monotonic()

            def moved() -> bool:
                if time.monotonic() - shown < _PAUSE or LINK.current().view.point is not None:
                    return False  # a dialog would close for a moment
                return ready_points(spec, ws) != result.ready

            job_panel.job_panel(job.id, moved)
        elif not result.complete:
            if job is not None:
                job_panel.ended(job)
            some = f"{result.ready} of {len(result.points)} comparisons are computed." if result.ready else "Not computed yet."
            forecast_card(lambda: forecast_convergence(spec, ws), lambda: requests.request_convergence(spec, ws), said=some)
    with below:
        if result.ready:
            show_result(result)
        elif job is not None and job.active:
            show_waiting()


analysis_page(
    "Convergence",
    "How well does the cheap pseudo-NTK stand in for the full empirical NTK, over width and training?",
    LINK,
    analysis_bar,
    _show,
)
