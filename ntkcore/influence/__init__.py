"""Which training samples made a prediction, and when the IHVP method can be trusted to say so (SCIENCE.md §4)."""

from ntkcore.influence.bounds import ClusterBound, IhvpError, cluster_bound, ihvp_error
from ntkcore.influence.complexity import group_complexity
from ntkcore.influence.density import Density, kde_density
from ntkcore.influence.iterative import Lissa
from ntkcore.influence.kernel import ihvp_influence, kernel_influence, shift_influence
from ntkcore.influence.linearised import linearised_weights
from ntkcore.influence.network import IhvpNetwork, ihvp_network
from ntkcore.influence.retraining import Retrained, RetrainedChunk, Schedule, actual_influence, retrain_chunks, retrain_without
from ntkcore.influence.system import System

__all__ = [
    "ClusterBound",
    "Density",
    "IhvpError",
    "IhvpNetwork",
    "Lissa",
    "Retrained",
    "RetrainedChunk",
    "Schedule",
    "System",
    "actual_influence",
    "cluster_bound",
    "group_complexity",
    "ihvp_error",
    "ihvp_influence",
    "ihvp_network",
    "kde_density",
    "kernel_influence",
    "linearised_weights",
    "retrain_chunks",
    "retrain_without",
    "shift_influence",
]
