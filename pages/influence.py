"""Influence: which training images made a prediction, and how that changes through training? (IF-NTK; SCIENCE §3-5)"""

from ntkcore.analyses import requests
from ntkcore.analyses.influence import influence_key, is_ready, open_influence
from ntkcore.analyses.influence_forecast import forecast_influence
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceSpec
from pages.parts import links
from pages.parts.analysis import analysis_page, show_or_compute
from pages.parts.influence_bar import analysis_bar
from pages.parts.influence_result import show_result


def _show(spec: InfluenceSpec) -> None:
    """The job, the result, or the forecast."""
    ws = workspace()
    show_or_compute(
        influence_key(spec, ws),
        ready=lambda: is_ready(spec, ws),
        result=lambda: show_result(open_influence(spec, ws)),
        forecast=lambda: forecast_influence(spec, ws),
        request=lambda: requests.request_influence(spec, ws),
    )


analysis_page(
    "Influence",
    "Which training images helped or harmed a prediction, and how does that change through training?",
    links.influence,
    analysis_bar,
    _show,
)
