"""Neural tangent kernels of torch networks: the diagonal k(x, x), and whole kernels in four forms (SCIENCE.md §1)."""

from ntkcore.kernels.compression import Compression, CompressionReport
from ntkcore.kernels.diagonal import ntk_diagonal
from ntkcore.kernels.empirical import EmpiricalKernel, empirical_ntk, ntk_tiles
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.memory import working_set
from ntkcore.kernels.plan import FallbackWarning, LayerPlan, PlanEntry, layer_plan

__all__ = [
    "Compression",
    "CompressionReport",
    "EmpiricalKernel",
    "FallbackWarning",
    "LayerPlan",
    "Outputs",
    "PlanEntry",
    "empirical_ntk",
    "layer_plan",
    "ntk_diagonal",
    "ntk_tiles",
    "working_set",
]
