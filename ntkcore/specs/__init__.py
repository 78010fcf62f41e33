"""Specifications: what to compute, complete enough that equal specifications give equal bytes.

A specification is frozen and refuses unknown fields. Its canonical JSON, the content hash of the data and weights it
names, and the version of the method make the key under which the result is stored (:func:`key_of`).
"""

from ntkcore.specs.base import (
    ARCHITECTURES,
    DATASETS,
    DEFAULT_DEPTH,
    DEFAULT_RATE,
    DEFAULT_WIDTH,
    FIXED_WIDTH,
    LARGEST_MOMENTUM,
    PRETRAINED,
    RATE_RANGE,
    TITLES,
    Architecture,
    DatasetName,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    Outputs,
    RunSpec,
    Spec,
    TrainingSpec,
    key_of,
)
from ntkcore.specs.convergence import (
    CONVERGENCE_DEPTH,
    CONVERGENCE_LOOKS,
    CONVERGENCE_RATE,
    CONVERGENCE_WIDTHS,
    ComparisonSpec,
    ConvergenceSpec,
    ConvergenceView,
)
from ntkcore.specs.influence import (
    CHAINS,
    INFLUENCE_KERNELS,
    MOST_RETRAINED,
    InfluenceKernel,
    InfluenceSpec,
    InfluenceView,
    VerificationSpec,
)
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from ntkcore.specs.network_ihvp import Curvature, EstimateSpec, NetworkIhvpSpec, TrainedSpec
from ntkcore.specs.reliability import ReliabilityView

__all__ = [
    "ARCHITECTURES",
    "CHAINS",
    "CONVERGENCE_DEPTH",
    "CONVERGENCE_LOOKS",
    "CONVERGENCE_RATE",
    "CONVERGENCE_WIDTHS",
    "DATASETS",
    "DEFAULT_DEPTH",
    "DEFAULT_RATE",
    "DEFAULT_WIDTH",
    "FIXED_WIDTH",
    "INFLUENCE_KERNELS",
    "LARGEST_MOMENTUM",
    "MOST_RETRAINED",
    "PRETRAINED",
    "RATE_RANGE",
    "TITLES",
    "Architecture",
    "ComparisonSpec",
    "ConvergenceSpec",
    "ConvergenceView",
    "Curvature",
    "DatasetName",
    "DatasetSpec",
    "EstimateSpec",
    "InfluenceKernel",
    "InfluenceSpec",
    "InfluenceView",
    "KernelSpec",
    "LearnabilitySpec",
    "LearnabilityView",
    "ModelSpec",
    "NetworkIhvpSpec",
    "Outputs",
    "ReliabilityView",
    "RunSpec",
    "Spec",
    "TrainedSpec",
    "TrainingSpec",
    "VerificationSpec",
    "key_of",
]
