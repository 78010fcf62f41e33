"""How much a training image tells the network that no other image does (SCIENCE.md §6; Unique-info)."""

from ntkcore.information.functions import functional_course, functional_information
from ntkcore.information.steady_state import SteadyState, sgd_information, steady_state
from ntkcore.information.weights import langevin_information, weight_changes, weight_information

__all__ = [
    "SteadyState",
    "functional_course",
    "functional_information",
    "langevin_information",
    "sgd_information",
    "steady_state",
    "weight_changes",
    "weight_information",
]
