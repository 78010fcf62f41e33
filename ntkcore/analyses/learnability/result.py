"""The result of the learnability analysis."""

from dataclasses import dataclass

import numpy as np

from ntkcore.kernels.doctor import KernelDoctor
from ntkcore.learnability import Correlation
from ntkcore.short import short
from ntkcore.specs.learnability import LearnabilitySpec


@dataclass(frozen=True, slots=True)
class LearnabilityResult:
    """A learnability analysis.

    Attributes:
        spec: what was asked for.
        key: its key.
        score: k(x,x) of every image, (n,).
        outputs: the network's outputs after every epoch, (epochs + 1, n, k).
        learned: first epoch from which an image stays correct, (n,); inf when never.
        targets: (n, k).
        labels, true_labels: after and before label noise, (n,).
        class_names, ids: names of classes and images.
        times: epochs (fractional) at which errors are predicted, from the kernel's epoch to the last, (S,).
        full: ‖e_t‖ of every image under the whole kernel (eq. 17) at ``times``, (S, n), or None.
        epoch_time: gradient-flow time τ of one epoch (learning rate × steps on the summed loss).
        correlation: Spearman's ρ between ``score`` and ``learned`` with its bootstrap interval.
        doctor: what the full kernel is worth; None when it was not computed.
        pack: id of the thumbnails.
        parameters: number of the network's parameters.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: LearnabilitySpec
    key: str
    score: np.ndarray
    outputs: np.ndarray
    learned: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    times: np.ndarray
    full: np.ndarray | None
    epoch_time: float
    correlation: Correlation
    doctor: KernelDoctor | None
    pack: str
    parameters: int
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes the arrays take."""
        arrays = (self.score, self.outputs, self.learned, self.targets, self.labels, self.true_labels, self.times, self.full)
        return sum(a.nbytes for a in arrays if a is not None)
