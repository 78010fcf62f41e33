"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

from ntkcore.analyses.reliability.views import require_one_kernel
from ntkcore.specs import InfluenceSpec
from pages.reliability.choice import LINK
from pages.reliability.result import show_result
from pages.shared.page import analysis_page
from pages.shared.regression.bar import analysis_bar
from pages.shared.regression.job import show_influence


def _show(spec: InfluenceSpec) -> None:
    """The same job and result as the influence page's."""
    require_one_kernel(spec)
    show_influence(spec, show_result)


analysis_page(
    "Reliability",
    "When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?",
    LINK,
    lambda choice: analysis_bar(choice, "reliability"),
    _show,
)
