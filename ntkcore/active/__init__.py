"""Which sample of a pool to label next (SCIENCE.md §8)."""

from ntkcore.active.badge import badge
from ntkcore.active.choice import at_random, highest, one_by_one
from ntkcore.active.core_set import core_set
from ntkcore.active.gaussian_process import gaussian_process, process_change
from ntkcore.active.herding import calibrated_temperature, herding, max_herding, normalised_kernel, smallest_distance, unsure_weights
from ntkcore.active.lookahead import LookAhead
from ntkcore.active.loss_prediction import LossPredictor, LossTraining, train_loss_predictor
from ntkcore.active.naive import naive_change
from ntkcore.active.oracle import BestBatch, best_batch
from ntkcore.active.probabilities import class_targets, label_targets, predicted, raw_gap, simplex, softmax
from ntkcore.active.starts import Starts, cold_and_warm
from ntkcore.active.step import step_change
from ntkcore.active.uncertainty import entropy, least_confident, margin

__all__ = [
    "BestBatch",
    "LookAhead",
    "LossPredictor",
    "LossTraining",
    "Starts",
    "at_random",
    "badge",
    "best_batch",
    "calibrated_temperature",
    "class_targets",
    "cold_and_warm",
    "core_set",
    "entropy",
    "gaussian_process",
    "herding",
    "highest",
    "label_targets",
    "least_confident",
    "margin",
    "max_herding",
    "naive_change",
    "normalised_kernel",
    "one_by_one",
    "predicted",
    "process_change",
    "raw_gap",
    "simplex",
    "smallest_distance",
    "softmax",
    "step_change",
    "train_loss_predictor",
    "unsure_weights",
]
