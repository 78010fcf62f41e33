"""Learnability: which images are easy, which are hard, and does k(x,x) predict it? (Learnability; SCIENCE §2)"""

from ntkcore.analyses import requests
from ntkcore.analyses.learnability.analysis import is_ready, learnability_key, open_learnability
from ntkcore.analyses.learnability.forecast import forecast_learnability
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import LearnabilitySpec
from pages.learnability.bar import analysis_bar
from pages.learnability.choice import LINK
from pages.learnability.result import show_result
from pages.shared.page import analysis_page, show_or_compute


def _show(spec: LearnabilitySpec) -> None:
    """The job, the result, or the forecast."""
    ws = workspace()
    show_or_compute(
        learnability_key(spec, ws),
        ready=lambda: is_ready(spec, ws),
        result=lambda: show_result(open_learnability(spec, ws)),
        forecast=lambda: forecast_learnability(spec, ws),
        request=lambda: requests.request_learnability(spec, ws),
    )


analysis_page(
    "Learnability",
    "Which images does this network learn easily, which are hard, and did the kernel know beforehand?",
    LINK,
    analysis_bar,
    _show,
)
