"""The result of the influence analysis."""

from dataclasses import dataclass

import numpy as np

from ntkcore.kernels.doctor import KernelDoctor
from ntkcore.regression import KernelRegression
from ntkcore.short import short
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec


@dataclass(frozen=True, slots=True, eq=False)
class InfluenceResult:
    """What every influence is answered from; arrays are float64.

    Attributes:
        spec, key: what was asked for, and its key.
        k_test: (m, n) or (m, n, k, k) kernel of held-out and training images.
        regression: of the training images, with its eigenvectors; its λ is 0: take another by ``with_ridge``.
        f_train, f_test: (n, k) and (m, k) the network's outputs where its kernel was taken; zeros for infinite width.
        labels, true_labels: (n,) after and before the label noise; ``test_labels`` (m,).
        class_names, ids, test_ids: names of the classes and of the images.
        pack, test_pack: ids of the thumbnails.
        epoch: τ of one epoch of the training that was chosen; None where there is none.
        doctor: of the training kernel.
        parameters: of the network; None for infinite width.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: InfluenceSpec
    key: str
    k_test: np.ndarray
    regression: KernelRegression
    f_train: np.ndarray
    f_test: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    test_ids: tuple[str, ...]
    pack: str
    test_pack: str
    epoch: float | None
    doctor: KernelDoctor
    parameters: int | None
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, roughly: K, its vectors, G, and the test kernel."""
        return 3 * self.regression.eigen[1].nbytes + self.k_test.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class HeldKernel:
    """What it takes for held-out images to enter the training set.

    Attributes:
        spec, key: what was asked for, and its key.
        values: (m, m) or (m, m, k, k) kernel of the held-out images with each other, in the precision computed in.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: AdditionSpec
    key: str
    values: np.ndarray
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return self.values.nbytes
