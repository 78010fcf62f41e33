"""Networks: built from a specification, described, trained."""

from ntkcore.models.build import (
    CIFAR10_CLASSES,
    LayerDescription,
    ModelDescription,
    build_model,
    check_fit,
    describe_model,
    has_batch_norm,
    parameter_count,
)
from ntkcore.models.state import TrainingState
from ntkcore.models.training import EpochRecord, epoch_time, evaluate, train
from ntkcore.models.weights import weights_content, weights_file

__all__ = [
    "CIFAR10_CLASSES",
    "EpochRecord",
    "LayerDescription",
    "ModelDescription",
    "TrainingState",
    "build_model",
    "check_fit",
    "describe_model",
    "epoch_time",
    "evaluate",
    "has_batch_norm",
    "parameter_count",
    "train",
    "weights_content",
    "weights_file",
]
