"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

from ntkcore.analyses import requests
from ntkcore.analyses.influence import influence_key, is_ready, open_influence
from ntkcore.analyses.influence_forecast import forecast_influence
from ntkcore.analyses.reliability_views import require_one_kernel
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceSpec
from pages.parts import job_panel, links
from pages.parts.analysis import analysis_page
from pages.parts.forecast import forecast_card
from pages.parts.influence_bar import analysis_bar
from pages.parts.reliability_result import show_result


def _show(spec: InfluenceSpec) -> None:
    """The job, the result, or the forecast: the same job and result as the influence page's."""
    ws = workspace()
    require_one_kernel(spec)
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
    "Reliability",
    "When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?",
    links.reliability,
    lambda choice: analysis_bar(choice, "reliability"),
    _show,
)
