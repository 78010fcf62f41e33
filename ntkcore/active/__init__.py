"""Which sample of a pool to label next (SCIENCE.md §8)."""

from ntkcore.active.lookahead import LookAhead
from ntkcore.active.probabilities import class_targets, label_targets, predicted, simplex, softmax

__all__ = ["LookAhead", "class_targets", "label_targets", "predicted", "simplex", "softmax"]
