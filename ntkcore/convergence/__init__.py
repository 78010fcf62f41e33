"""How well the pseudo-NTK stands in for the full one (SCIENCE.md §7; Thesis ch. 3): the measures, one file per idea.

Throughout, ``full`` is the kernel (n, m, k, k) with ``[i, j, o, p] = <grad f_o(x_i), grad f_p(z_j)>`` and ``cheap`` a kernel (n, m) that
stands for ``cheap ⊗ I_k``: the pseudo-NTK, the first logit's, or the mean over outputs. Everything is computed in float64, in pieces.
"""

from ntkcore.convergence.alignment import alignment
from ntkcore.convergence.classes import accuracy, agreement, predictions
from ntkcore.convergence.difference import pair_errors, prediction_difference, relative_difference, relative_frobenius
from ntkcore.convergence.magnitudes import magnitudes
from ntkcore.convergence.slope import THEORY, PowerLaw, guide, power_law
from ntkcore.kernels.spectrum import condition, effective_rank, rounding_floor, spectrum

__all__ = [
    "THEORY",
    "PowerLaw",
    "accuracy",
    "agreement",
    "alignment",
    "condition",
    "effective_rank",
    "guide",
    "magnitudes",
    "pair_errors",
    "power_law",
    "prediction_difference",
    "predictions",
    "relative_difference",
    "relative_frobenius",
    "rounding_floor",
    "spectrum",
]
