"""The truth about influence, by retraining without some samples or with other targets, from one θ0 (SCIENCE.md §4; IF-NTK eq. 7).

Full-batch gradient descent on the summed loss ``½ Σ_kept ‖f(x_i) - y_i‖² + λ/2 ‖θ - θ0‖²``. Many replicas are trained side by side, in
chunks; a chunk's result can be stored and handed back, so that an interrupted run goes on with the chunks that are missing.
"""

import copy
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.influence.descent import LARGEST_OUTPUT, Course, descent_of
from ntkcore.kernels.capture import exact_gradients
from ntkcore.kernels.checks import as_samples, check_model, placed
from ntkcore.kernels.examined import examined
from ntkcore.kernels.memory import of_device

CHUNK_BYTES = {"cpu": 256 * 2**20, "cuda": 8 * 2**30}
"""Memory of the replicas of one chunk: as many replicas as fit, and at least one."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of full-batch gradient descent.

    Attributes:
        rate: η; a step is ``-η`` times the gradient of the summed loss, so τ = η × steps. Stable below ``2 / (λ_max + λ)``, λ_max the
            largest eigenvalue of the kernel's matrix. Near that bound a narrow ReLU network's units switch from step to step, influence
            depends on η and float32 rounding grows; it settles towards the flow's as η falls (from about ``1 / (4 λ_max)``).
        steps: how many.
        ridge: λ.
        record: steps after which outputs are recorded, ascending, 0 being θ0; (): after the last.

    Raises:
        DataError: numbers that are out of their range.
    """

    rate: float
    steps: int
    ridge: float = 0.0
    record: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        rate, steps, ridge, record = self.rate, self.steps, self.ridge, self.record
        if not (isfinite(rate) and rate > 0 and isfinite(ridge) and ridge >= 0 and steps >= 1):
            raise DataError(f"The rate is {rate}, λ {ridge}, the steps {steps}.", "Choose a rate above 0, λ at least 0 and a step or more.")
        if list(record) != sorted(set(record)) or not all(0 <= step <= steps for step in record):
            raise DataError(f"The steps to record are {list(record)}.", f"Give ascending numbers from 0 to {steps}.")

    @property
    def recorded(self) -> tuple[int, ...]:
        """The steps after which outputs are recorded."""
        return self.record or (self.steps,)


@dataclass(frozen=True, slots=True)
class RetrainedChunk:
    """Some replicas, trained.

    Attributes:
        replicas: (c,) their numbers: 0 has nothing removed, r + 1 lacks ``removed[r]``.
        test: (c, T, m, k) outputs at the test samples after each recorded step, in the computing precision.
        train: (c, T, n, k) at all training samples, the removed ones too.
        moved: θ - θ0 after the last step of each trained parameter, in the model's order, (c, ...); where it was asked for.
    """

    replicas: NDArray[np.int64]
    test: NDArray
    train: NDArray
    moved: tuple[Tensor, ...] | None = None


@dataclass(frozen=True, slots=True)
class Retrained:
    """All replicas, trained.

    Attributes:
        test: (R + 1, T, m, k), replica 0 with nothing removed; replica r + 1 lacks ``removed[r]``.
        train: (R + 1, T, n, k).
        removed: the samples that each replica after the first lacks.
        steps: (T,) recorded steps.
        times: (T,) their gradient-flow times, rate × steps.
        seconds: wall time of the chunks trained here.
    """

    test: NDArray
    train: NDArray
    removed: tuple[tuple[int, ...], ...]
    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    seconds: float

    def influence(self, y_test: ArrayLike) -> NDArray[np.float64]:
        """(R, T, m) :func:`actual_influence` of each removal at each recorded step."""
        return actual_influence(self.test[1:], self.test[0], y_test)


def actual_influence(outputs_without: ArrayLike, outputs_full: ArrayLike, y_test: ArrayLike) -> NDArray[np.float64]:
    """``½ ‖f^(without)(x) - y‖² - ½ ‖f(x) - y‖²`` (IF-NTK eq. 7), as ``<Δ, f(x) - y> + ½ ‖Δ‖²``, which does not cancel.

    Args:
        outputs_without: (..., m, k).
        outputs_full: (m, k), or more axes that broadcast against the former's.
        y_test: (m, k).

    Returns:
        (..., m) float64; positive = helpful.
    """
    full = np.asarray(outputs_full, dtype=np.float64)
    shift = np.asarray(outputs_without, dtype=np.float64) - full
    errors = full - np.asarray(y_test, dtype=np.float64)
    return np.asarray((shift * errors).sum(-1) + np.square(shift).sum(-1) / 2)


def retrain_without(
    model: nn.Module,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray,
    x_test: Tensor | np.ndarray,
    removed: Sequence[Sequence[int]],
    schedule: Schedule,
    *,
    targets: Mapping[int, Tensor | np.ndarray] | None = None,
    replicas: int | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    progress: Callable[[int, int], None] | None = None,
    resume: Iterable[RetrainedChunk] = (),
) -> Retrained:
    """Train once with all samples and once without each of ``removed``; arguments as for :func:`retrain_chunks`.

    Args:
        resume: chunks of the same run that are known already, from :func:`retrain_chunks` with any chunk size.
    """
    began = time.perf_counter()
    known = list(resume)
    skip = [int(r) for chunk in known for r in chunk.replicas]
    made = retrain_chunks(
        *(model, x, y, x_test, removed, schedule),
        targets=targets,
        replicas=replicas,
        dtype=dtype,
        device=device,
        progress=progress,
        skip=skip,
    )
    chunks = [*known, *made]
    order = np.argsort(np.concatenate([chunk.replicas for chunk in chunks]))
    test, train = (np.concatenate(parts)[order] for parts in ([c.test for c in chunks], [c.train for c in chunks]))
    if len(test) != len(removed) + 1:
        raise DataError("The chunks to resume from belong to another run.", "Train again from the start.")
    at = np.asarray(schedule.recorded, dtype=np.int64)
    without = tuple(tuple(map(int, r)) for r in removed)
    return Retrained(test, train, without, at, schedule.rate * at.astype(np.float64), time.perf_counter() - began)


def retrain_chunks(
    model: nn.Module,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray,
    x_test: Tensor | np.ndarray,
    removed: Sequence[Sequence[int]],
    schedule: Schedule,
    *,
    targets: Mapping[int, Tensor | np.ndarray] | None = None,
    replicas: int | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    progress: Callable[[int, int], None] | None = None,
    skip: Collection[int] = (),
    moved: bool = False,
) -> Iterator[RetrainedChunk]:
    """Trains the replicas chunk by chunk and yields each chunk when it is done.

    A replica's numbers do not depend on the chunk that it is in, to rounding. Memory of a chunk, w bytes a number: for a network of P
    parameters and a values of all layers for a sample, ``c w (4 P + 3 b a)``, b the samples of one pass (all, or as many as fit
    ``BATCH_BYTES``); for a two-layer ReLU network with a fixed second layer (:class:`~ntkcore.influence.descent.TwoLayer`) of width h,
    ``c w h (2 n + min(n, d))`` at most.

    Args:
        model: at θ0; maps (b, ...) to (b, k), each row from its sample alone, in eval mode. It is not changed.
        x: (n, ...); y: (n, k); x_test: (m, ...).
        removed: for each replica after the first the samples that it lacks.
        schedule: the steps that every replica takes.
        targets: (n, k) of the replicas that learn others than y, by the replica's number.
        replicas: c, replicas of a chunk; None: as many as fit CHUNK_BYTES.
        dtype: precision; None: the model's.
        device: where to compute; None: where the model is.
        progress: called with the replica-steps done and in all, after each step; may raise ``Cancelled``.
        skip: numbers of replicas not to train, because they are known.
        moved: hand back how far the parameters moved, too: as much memory again as the replicas' parameters.

    Raises:
        ModelError, DataError: a network or samples that cannot be used, indices that are no samples or are all of them.
        ComputationError: training diverged.
    """
    inner = placed(model, device)
    check_model(inner)
    if dtype is not None:
        inner = _converted(inner, dtype)
    like = check_model(inner).detach()
    samples, own, others = as_samples(x), as_samples(y, "y"), as_samples(x_test, "x_test")
    with exact_gradients(like.device):
        k = examined(inner, samples, like).values[0].shape[1]
    n = len(samples)
    if own.shape != (n, k) or others.shape[1:] != samples.shape[1:]:
        raise DataError(
            f"The targets have the shape {tuple(own.shape)} and the test samples {tuple(others.shape)}.",
            f"Give {(n, k)}, a row for each sample, and test samples of the training samples' shape.",
        )
    _check(removed, n)
    y_here = own.to(like)
    given = {number: as_samples(values, "targets").to(like) for number, values in (targets or {}).items()}
    for number, values in given.items():
        if values.shape != (n, k) or not 0 <= number <= len(removed):
            raise DataError(
                f"The targets of replica {number} have the shape {tuple(values.shape)}.",
                f"Give {(n, k)}, to replicas from 0 to {len(removed)}.",
            )
    with exact_gradients(like.device), torch.no_grad():
        descent = descent_of(inner, samples.to(like.device), others.to(like.device), schedule.rate, schedule.ridge, like)
    side = max(1, of_device(CHUNK_BYTES, like.device) // descent.bytes_per_replica) if replicas is None else replicas
    if side < 1:
        raise DataError(f"There are {side} replicas in a chunk.", "Give at least 1, or leave it out.")
    wanted = [r for r in range(len(removed) + 1) if r not in set(skip)]
    largest = max(float(values.abs().max()) for values in (y_here, *given.values()))
    steps = schedule.steps
    course = Course(descent, schedule.rate, steps, list(schedule.recorded), LARGEST_OUTPUT * max(1.0, largest), progress)
    course.total, course.done = (len(removed) + 1) * steps, (len(removed) + 1 - len(wanted)) * steps
    for first in range(0, len(wanted), side):
        numbers = wanted[first : first + side]
        kept = torch.ones(len(numbers), n, dtype=like.dtype)
        for row, number in enumerate(numbers):
            if number:
                kept[row, list(removed[number - 1])] = 0
        learned = torch.stack([given.get(number, y_here) for number in numbers])
        with exact_gradients(like.device), torch.no_grad():
            test, train = course.trained(kept.to(like.device), learned)
            kept_moves = descent.moved() if moved else None
        yield RetrainedChunk(np.asarray(numbers, dtype=np.int64), test, train, kept_moves)


def _converted(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The model, or a copy in another precision.

    Raises:
        DataError: no precision that training is done in.
    """
    if dtype not in (torch.float32, torch.float64):
        raise DataError(f"The precision is {dtype}.", "Choose torch.float32 or torch.float64, or leave it out.")
    same = all(p.dtype == dtype for p in model.parameters() if p.is_floating_point())
    return model if same else copy.deepcopy(model).to(dtype)


def _check(removed: Sequence[Sequence[int]], n: int) -> None:
    for group in removed:
        if len(set(group)) != len(group) or not all(0 <= i < n for i in group):
            raise DataError(f"The samples {list(group)} cannot be removed.", f"Name each once, by numbers from 0 to {n - 1}.")
        if len(group) == n:
            raise DataError("Nothing would be left to train on.", "Leave at least one sample in.")
