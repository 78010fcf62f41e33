"""Influence: which training images made a prediction, and how that changes through training? (IF-NTK; SCIENCE §3-5)"""

from ntkcore.analyses import requests
from ntkcore.analyses.influence import influence_key, is_ready, open_influence
from ntkcore.analyses.influence_forecast import forecast_influence
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceSpec
from pages.parts import job_panel, links
from pages.parts.analysis import analysis_page
from pages.parts.forecast import forecast_card
from pages.parts.influence_bar import analysis_bar
from pages.parts.influence_result import show_result


def _show(spec: InfluenceSpec) -> None:
    """The job, the result, or the forecast."""
    ws = workspace()
    job = ws.jobs.state(influence_key(spec, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id)
    elif is_ready(spec, ws):
        show_result(open_influence(spec, ws))
    else:
        if job is not None:
            job_panel.ended(job)
        forecast_card(lambda: forecast_influence(spec, ws), lambda: requests.request_influence(spec, ws))


analysis_page(
    "Influence",
    "Which training images helped or harmed a prediction, and how does that change through training?",
    links.influence,
    analysis_bar,
    _show,
)
