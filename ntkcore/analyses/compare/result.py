"""The result of a comparison."""

from dataclasses import dataclass

import numpy as np

from ntkcore.short import short
from ntkcore.specs.compare import CompareSpec


@dataclass(frozen=True, slots=True, eq=False)
class CompareResult:
    """How alike the kernels of A and B are; all else is told by the two influence analyses, which are stored as their own.

    Attributes:
        spec, key: what was asked for, and its key.
        alignment: centred alignment of both kernels; NaN where one is constant.
        alike: (n,) of each training image, the cosine of its centred rows in both.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: CompareSpec
    key: str
    alignment: float
    alike: np.ndarray
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.alike.nbytes
