"""The job that the influence and the reliability page share: while it runs, its result, or what it would cost."""

from collections.abc import Callable

from ntkcore.analyses import requests
from ntkcore.analyses.influence.analysis import InfluenceResult, influence_key, is_ready, open_influence
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import InfluenceSpec
from pages.shared.page import show_or_compute


def show_influence(spec: InfluenceSpec, show: Callable[[InfluenceResult], None]) -> None:
    """The job, its result as ``show`` shows it, or the forecast."""
    ws = workspace()
    show_or_compute(
        influence_key(spec, ws),
        ready=lambda: is_ready(spec, ws),
        result=lambda: show(open_influence(spec, ws)),
        forecast=lambda: forecast_influence(spec, ws),
        request=lambda: requests.request_influence(spec, ws),
    )
