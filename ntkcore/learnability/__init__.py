"""Learnability (SCIENCE §2): groups by k(x,x), predicted and measured decay, epoch learned, rank correlation."""

from ntkcore.learnability.correlation import Correlation, kendall, spearman_interval
from ntkcore.learnability.decay import diagonal_decay, envelope, full_decay
from ntkcore.learnability.groups import GROUP_NAMES, Groups, percentile, split_groups
from ntkcore.learnability.learned import first_learned_epoch
from ntkcore.learnability.measured import confusion, correctness, error_norms, group_accuracy, group_error, group_mean, predictions

__all__ = [
    "GROUP_NAMES",
    "Correlation",
    "Groups",
    "confusion",
    "correctness",
    "diagonal_decay",
    "envelope",
    "error_norms",
    "first_learned_epoch",
    "full_decay",
    "group_accuracy",
    "group_error",
    "group_mean",
    "kendall",
    "percentile",
    "predictions",
    "spearman_interval",
    "split_groups",
]
