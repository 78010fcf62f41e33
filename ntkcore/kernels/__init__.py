"""Neural tangent kernels of torch networks: the diagonal k(x, x) and the mean kernel over outputs (SCIENCE.md §1)."""

from ntkcore.kernels.diagonal import ntk_diagonal
from ntkcore.kernels.mean import mean_ntk
from ntkcore.kernels.plan import FallbackWarning, LayerPlan, PlanEntry, layer_plan

__all__ = ["FallbackWarning", "LayerPlan", "PlanEntry", "layer_plan", "mean_ntk", "ntk_diagonal"]
