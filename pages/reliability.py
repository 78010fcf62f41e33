"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

from ntkcore.analyses.reliability_views import require_one_kernel
from ntkcore.specs import InfluenceSpec
from pages.parts import links
from pages.parts.analysis import analysis_page
from pages.parts.influence_bar import analysis_bar
from pages.parts.influence_job import show_influence
from pages.parts.reliability_result import show_result


def _show(spec: InfluenceSpec) -> None:
    """The same job and result as the influence page's."""
    require_one_kernel(spec)
    show_influence(spec, show_result)


analysis_page(
    "Reliability",
    "When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?",
    links.reliability,
    lambda choice: analysis_bar(choice, "reliability"),
    _show,
)
