"""Networks: built from a specification, described, trained."""

from ntkcore.models.build import CIFAR10_CLASSES, build_model
from ntkcore.models.describe import LayerDescription, ModelDescription, describe_model, parameter_count
from ntkcore.models.fit import check_fit
from ntkcore.models.state import TrainingState
from ntkcore.models.statistics import has_batch_norm, learn
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
    "learn",
    "parameter_count",
    "train",
    "weights_content",
    "weights_file",
]
