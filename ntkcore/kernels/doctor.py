"""What a kernel matrix is worth: symmetry, spectrum, precision, batch invariance, compression; and what to do where it falls short."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, isqrt, nan
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray
from torch import Tensor, nn

from ntkcore.kernels.compression import Compression
from ntkcore.kernels.duplicates import dependent_pairs, groups_of, silent
from ntkcore.kernels.empirical import EXACT, empirical_ntk
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.matrices import BLOCK, checked_square
from ntkcore.kernels.plan import FallbackWarning
from ntkcore.kernels.spectrum import condition, effective_rank, rounding_floor, spectrum

TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
"""Relative differences that the order of additions may explain: ten times what the engine promises against explicit Jacobians."""

COARSE = 0.1
"""A compression whose relative error is above this changes what is concluded from the kernel."""

PROBE = 8
_NAMED, _KEPT = 4, 50  # groups, and samples of each, that a finding names, and that are kept
_BATCHES = (8, 3)  # of the probe's samples: at once, and in uneven parts
_NUMBERS = ("asymmetry", "smallest", "largest", "floor", "effective_rank", "condition", "batch_invariance", "compression_error", "jitter")


@dataclass(frozen=True, slots=True)
class KernelDoctor:
    """The examination of one square kernel.

    Attributes:
        n: samples.
        columns: side of the kernel as a matrix, and number of its eigenvalues: n k for a full kernel, else n.
        outputs: k of a full kernel (n, n, k, k), else 1.
        dtype: the precision in which it was computed.
        asymmetry: ``max |K - K^T| / max |K|``; 0 for a zero kernel.
        smallest, largest: extreme eigenvalues of its symmetric part; NaN, as all numbers of the spectrum, where entries are not finite.
        floor: size up to which an eigenvalue is rounding in this precision (:mod:`ntkcore.kernels.spectrum`).
        negative: whether the smallest eigenvalue lies below ``-floor``: not a kernel, even to rounding.
        effective_rank: exp of the entropy of the normalised eigenvalues, at most ``columns``.
        condition: largest over smallest eigenvalue; inf where the smallest is not above the floor.
        batch_invariance: relative difference between a probe block computed in batches of two sizes; None: not measured.
        compression_error: relative error of a compression on an exact block; None: not compressed.
        jitter: added to the diagonal where this kernel's regression needed it, else 0.
        copies: where it is singular, the groups of samples that make it so two by two, the largest first, 50 at most
            (:func:`~ntkcore.kernels.duplicates.dependent_pairs`); None: not looked for.
        silent: where it is singular, samples whose k(x, x) is rounding, 50 at most.
    """

    n: int
    columns: int
    outputs: int
    dtype: str
    asymmetry: float
    smallest: float
    largest: float
    floor: float
    negative: bool
    effective_rank: float
    condition: float
    batch_invariance: float | None
    compression_error: float | None
    jitter: float
    copies: tuple[tuple[int, ...], ...] | None = None
    silent: tuple[int, ...] = ()

    @property
    def finite(self) -> bool:
        """Whether every entry is a finite number."""
        return isfinite(self.largest)

    @property
    def symmetric(self) -> bool:
        """Whether it is its own transpose to rounding."""
        return self.asymmetry <= self._tolerance

    @property
    def batch_invariant(self) -> bool:
        """Whether its values are free of the batch they were computed in, to rounding; True where that was not measured."""
        return self.batch_invariance is None or self.batch_invariance <= self._tolerance

    @property
    def sound(self) -> bool:
        """Whether it can be trusted as the kernel it is meant to be; findings may still be worth knowing."""
        coarse = self.compression_error is not None and not self.compression_error <= COARSE
        return self.finite and self.largest > 0 and not self.negative and self.symmetric and self.batch_invariant and not coarse

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, then what is worth knowing, each with what to do."""
        if not self.finite:
            return ("Some entries are NaN or infinite. Train with a smaller learning rate, or compute the kernel in float64.",)
        found = []
        if not self.symmetric:
            found.append(
                f"It is not symmetric: entries differ from their mirror images by {self.asymmetry:.1e} of the largest. "
                "Compute it anew; its symmetric part is used meanwhile."
            )
        if self.negative:
            found.append(
                f"Its smallest eigenvalue is {self.smallest:.2g}, below what rounding explains (±{self.floor:.1g}), so it is not a kernel. "
                + ("Compute it anew." if self.dtype == "float64" else "Compute it in float64.")
            )
        if not self.batch_invariant:
            found.append(
                f"Its values depend on how images are batched (relative difference {self.batch_invariance:.1e}). "
                "Look for a layer that mixes images, and put the network in evaluation mode."
            )
        found += self._compression()
        if self.largest <= 0 and not self.negative:
            found.append("It is zero: no output reacts to any weight on these images. Choose a wider network or another initialisation.")
        elif not self.negative and not isfinite(self.condition):
            advice = "use λ > 0 in regressions" if self.dtype == "float64" else "compute it in float64, or use λ > 0 in regressions"
            found.append(
                f"Its smallest eigenvalue, {self.smallest:.2g}, is lost in rounding (below {self.floor:.1g}), so that it has no condition "
                f"number; {self._singular()}. To rely on it, {advice}."
            )
        if self.jitter > 0:
            found.append(
                f"For its regression {self.jitter:.1e} was added to the diagonal, which acts as a λ of that size. "
                "Choose λ > 0 to decide it yourself."
            )
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """A document for the store: strict JSON, with numbers that are not finite as strings."""
        return {name: str(v) if isinstance(v, float) and not isfinite(v) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The examination that :meth:`to_json` wrote."""
        fields: dict[str, Any] = {name: float(v) if name in _NUMBERS and v is not None else v for name, v in document.items()}
        if fields.get("copies") is not None:
            fields["copies"] = tuple(map(tuple, fields["copies"]))
        return cls(**fields | {"silent": tuple(fields.get("silent", ()))})

    @property
    def _tolerance(self) -> float:
        return TOLERANCE.get(self.dtype, TOLERANCE["float32"])

    def _singular(self) -> str:
        """Which samples make it so, as far as that is known."""
        if self.copies is None:
            return "images may be duplicates, or more than the network can tell apart"
        said = []
        if self.silent:
            said.append(f"no output reacts to any weight on {_listed('image', self.silent)}")
        if self.copies:
            groups = [_listed("image", group) for group in self.copies[:_NAMED]]
            more = f", and {len(self.copies) - _NAMED} more groups" if len(self.copies) > _NAMED else ""
            said.append(f"the network cannot tell apart {'; '.join(groups)}{more}: leave out all but one of each")
        return " and ".join(said) or "no two images are the same to the network, but there are more than it can tell apart"

    def _compression(self) -> list[str]:
        if self.compression_error is None:
            return []
        told = f"It is compressed, and off by {self.compression_error:.2g} of the exact kernel's norm on a probe block."
        if self.compression_error <= COARSE:
            return [f"{told} Keep more columns for less."]
        return [f"{told} That is too coarse to conclude from: keep more columns, or compute it exactly."]


def examine(
    kernel: ArrayLike,
    *,
    eigenvalues: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    batch_invariance: float | None = None,
    compression_error: float | None = None,
    jitter: float = 0.0,
    waiting: Callable[[], None] | None = None,
) -> KernelDoctor:
    """Examine a square kernel; NaN and infinite entries are a finding, not an error.

    Args:
        kernel: (n, n) or (n, n, k, k).
        eigenvalues: all of its symmetric part, (n,) or (n k,) in any order, where known; else they are solved for, the greater cost.
        dtype: the precision in which it was computed; None: that of the array.
        batch_invariance: from :func:`batch_invariance`.
        compression_error: from the compression's report.
        jitter: of its regression.
        waiting: called about ten times a second while a large matrix is decomposed; may raise ``Cancelled``.
    """
    values = checked_square(kernel)
    kind = np.dtype(values.dtype if dtype is None else dtype)
    n, k = len(values), values.shape[2] if values.ndim == 4 else 1
    finite = all(bool(np.isfinite(row).all()) for row in values)
    smallest = largest = floor = rank = ratio = asymmetry = nan
    if finite:
        found = spectrum(values, waiting) if eigenvalues is None else np.asarray(eigenvalues, dtype=np.float64)
        if found.shape != (n * k,):
            raise ValueError(f"eigenvalues: expected shape ({n * k},), got {found.shape}")
        asymmetry = _asymmetry(values)
        smallest, largest, floor = float(found.min()), float(found.max()), rounding_floor(found, kind)
        rank, ratio = effective_rank(found), condition(found, kind)
    copies, mute = None, ()
    if finite and largest > 0 and smallest >= -floor and not isfinite(ratio):
        copies = groups_of(dependent_pairs(values, floor), n)[:_KEPT]
        mute = tuple(silent(values, floor)[:_KEPT].tolist())
    return KernelDoctor(
        n=n,
        columns=n * k,
        outputs=k,
        dtype=kind.name,
        asymmetry=asymmetry,
        smallest=smallest,
        largest=largest,
        floor=floor,
        negative=smallest < -floor,
        effective_rank=rank,
        condition=ratio,
        batch_invariance=batch_invariance,
        compression_error=compression_error,
        jitter=float(jitter),
        copies=copies,
        silent=mute,
    )


def _listed(what: str, numbers: Sequence[int]) -> str:
    """Image 7; images 3 and 17; images 3, 17, 20, 22 and 5 more."""
    shown = [f"{number:,}" for number in numbers[:_NAMED]]
    rest = len(numbers) - len(shown)
    last = f"{rest} more" if rest else shown.pop()
    return f"{what}{'s' if len(numbers) > 1 else ''} " + " and ".join(filter(None, (", ".join(shown), last)))


def batch_invariance(model: nn.Module, x: Tensor | np.ndarray, outputs: Outputs, *, device: torch.device | str | None = None) -> float:
    """``max |K_8 - K_3| / max |K_8|`` of the kernel of the first 8 samples (or fewer), computed in batches of 8 and of 3.

    0 for a single sample, which has but one batch, and for a zero kernel.

    Args:
        model, x, outputs, device: as for :func:`~ntkcore.kernels.empirical.empirical_ntk`.
    """
    probe = x[:PROBE]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)  # the kernel itself has said it
        whole, parts = (empirical_ntk(model, probe, outputs=outputs, batch_size=size, device=device).values for size in _BATCHES)
    scale = float(np.abs(whole).max())
    return float(np.abs(whole.astype(np.float64) - parts).max()) / scale if scale else 0.0


def compression_error(
    model: nn.Module, x: Tensor | np.ndarray, outputs: Outputs, compression: Compression, *, device: torch.device | str | None = None
) -> float:
    """``‖K_c - K‖_F / ‖K‖_F`` on the exact kernel of the first samples, 64 or as many as have room for all their gradients.

    Args:
        model, x, outputs, device: as for :func:`~ntkcore.kernels.empirical.empirical_ntk`.
        compression: what is judged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)  # the kernel itself has said it
        report = empirical_ntk(model, x[:EXACT], outputs=outputs, compression=compression, device=device).compression
    assert report is not None  # a compression was given
    return report.relative_error


def _asymmetry(values: NDArray) -> float:
    """``max |K - K^T| / max |K|``, a tile at a time."""
    mirrored = values.transpose(1, 0, 3, 2) if values.ndim == 4 else values.T
    side = max(1, isqrt(BLOCK // values[0, 0].size))
    difference = scale = 0.0
    for top in range(0, len(values), side):
        for left in range(top, len(values), side):
            tile = values[top : top + side, left : left + side]
            other = mirrored[top : top + side, left : left + side]
            scale = max(scale, float(np.abs(tile).max()), float(np.abs(other).max()))
            difference = max(difference, float(np.abs(tile - other).max()))
    return difference / scale if scale else 0.0
