"""Neural tangent kernels (SCIENCE.md §1): of torch networks the diagonal k(x, x) and whole kernels in four forms; of infinite width."""

from ntkcore.kernels.compression import Compression, CompressionReport
from ntkcore.kernels.diagonal import ntk_diagonal
from ntkcore.kernels.empirical import EmpiricalKernel, empirical_ntk, ntk_tiles
from ntkcore.kernels.infinite import infinite_ntk
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.memory import working_set
from ntkcore.kernels.plan import FallbackWarning, LayerPlan, PlanEntry, layer_plan
from ntkcore.kernels.relu import two_layer_relu_ntk
from ntkcore.kernels.ways import Ways

__all__ = [
    "Compression",
    "CompressionReport",
    "EmpiricalKernel",
    "FallbackWarning",
    "LayerPlan",
    "Outputs",
    "PlanEntry",
    "Ways",
    "empirical_ntk",
    "infinite_ntk",
    "layer_plan",
    "ntk_diagonal",
    "ntk_tiles",
    "two_layer_relu_ntk",
    "working_set",
]
