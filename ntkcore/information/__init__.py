"""How much a training image tells the network that no other image does (SCIENCE.md §6; Unique-info)."""

from ntkcore.information.functions import functional_course, functional_information, training_information, training_loss_change
from ntkcore.information.steady_state import SteadyState, sgd_information, steady_state
from ntkcore.information.weights import langevin_information, weight_changes, weight_information

__all__ = [
    "SteadyState",
    "functional_course",
    "functional_information",
    "langevin_information",
    "sgd_information",
    "steady_state",
    "training_information",
    "training_loss_change",
    "weight_changes",
    "weight_information",
]
