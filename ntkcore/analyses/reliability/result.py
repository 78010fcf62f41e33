"""The result of the reliability analysis."""

from dataclasses import dataclass

import numpy as np

from ntkcore.short import short
from ntkcore.specs.network_ihvp import Curvature, NetworkIhvpSpec


@dataclass(frozen=True, slots=True, eq=False)
class NetworkIhvp:
    """Influences of r training images on one held-out image, each image by retraining, by the kernel, and by every estimate.

    Attributes:
        spec, key: what was asked for, and its key.
        images: (r,) the training images.
        actual: (r,) by retraining without each, to τ.
        kernel, kernel_end: (r,) I of the kernel regime, exact (eq. 14), at τ and at the end of training.
        regime: (r,) Î of the kernel regime (eq. 13), at the end of training.
        hessian, gauss_newton: (r,) Î on the network (eq. 12), solved by conjugate gradients; NaN where that failed. The two-layer network
            is piecewise linear in its weights, so that both are the same there.
        lissa: (R, r) of each run of LiSSA; NaN where it failed.
        mean_run: (r,) the mean over all possible runs: LiSSA's recursion with all images in every step.
        curvature: which of the two LiSSA used: the Hessian, unless it is not positive definite.
        failures: by the estimate's name, why it is missing.
        iterations, residual: of conjugate gradients with ``curvature``; None where they failed.
        scale, depth: of LiSSA; None where it failed.
        stationarity: how far the network is from the minimum that eq. 12 assumes: 0 is there, 1 is far; None where nothing was solved.
        rate, steps: of gradient descent.
        seconds, device, created: how long the job took, on what and when (UTC, ISO 8601).
    """

    spec: NetworkIhvpSpec
    key: str
    images: np.ndarray
    actual: np.ndarray
    kernel: np.ndarray
    kernel_end: np.ndarray
    regime: np.ndarray
    hessian: np.ndarray
    gauss_newton: np.ndarray
    lissa: np.ndarray
    mean_run: np.ndarray
    curvature: Curvature
    failures: dict[str, str]
    iterations: int | None
    residual: float | None
    scale: float | None
    depth: int | None
    stationarity: float | None
    rate: float
    steps: int
    seconds: float
    device: str
    created: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, roughly."""
        return 4 * self.lissa.nbytes

    @property
    def exact(self) -> np.ndarray:
        """(r,) what LiSSA estimates: by conjugate gradients with its curvature."""
        return self.hessian if self.curvature == "hessian" else self.gauss_newton

    @property
    def lissa_mean(self) -> np.ndarray:
        """(r,) over the runs."""
        return np.asarray(self.lissa.mean(0))

    @property
    def lissa_deviation(self) -> np.ndarray:
        """(r,) standard deviation of one run."""
        return np.asarray(self.lissa.std(0, ddof=1))
