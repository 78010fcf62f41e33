"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

from ntkcore.analyses import requests
from ntkcore.analyses.influence import influence_key, is_ready, open_influence
from ntkcore.analyses.influence_forecast import forecast_influence
from ntkcore.analyses.reliability_views import require_one_kernel
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceSpec
from pages.parts import links
from pages.parts.analysis import analysis_page, show_or_compute
from pages.parts.influence_bar import analysis_bar
from pages.parts.reliability_result import show_result


def _show(spec: InfluenceSpec) -> None:
    """The job, the result, or the forecast: the same job and result as the influence page's."""
    require_one_kernel(spec)
    ws = workspace()
    show_or_compute(
        influence_key(spec, ws),
        ready=lambda: is_ready(spec, ws),
        result=lambda: show_result(open_influence(spec, ws)),
        forecast=lambda: forecast_influence(spec, ws),
        request=lambda: requests.request_influence(spec, ws),
    )


analysis_page(
    "Reliability",
    "When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?",
    links.reliability,
    lambda choice: analysis_bar(choice, "reliability"),
    _show,
)
