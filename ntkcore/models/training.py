"""Training on the summed squared loss by SGD or gradient descent, one record per epoch, resumable byte for byte.

One step moves θ by ``-learning_rate / B`` times the gradient of ``½ Σ_batch ‖f(x) - y‖²``, where B is the nominal batch
size also for a smaller last batch. So an epoch advances the gradient flow of SCIENCE §0 by τ = :func:`epoch_time`.
Momentum is the heavy ball: ``v ← momentum v + gradient``, θ moves along v, which speeds the flow up by 1 / (1 - momentum).
Weight decay adds ``weight_decay θ`` to the gradient of the batch's average, before momentum, as ``torch.optim.SGD`` does.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import prod
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.errors import ComputationError, SpecError
from ntkcore.models.state import TrainingState, capture, restore_momentum
from ntkcore.models.statistics import has_batch_norm, learn
from ntkcore.specs import TrainingSpec

Progress = Callable[[int, int], None]

CHUNK = 256  # most images in one pass through the network
CHUNK_NUMBERS = CHUNK * 3 * 32 * 32  # most input numbers in one pass; with CHUNK it bounds memory and the wait for a cancel
STEP_WORK = 3  # a pass with gradients costs about three passes without
LARGEST_OUTPUT = 1e6  # targets are of order one


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """The network after ``epoch`` epochs (0: before training).

    Attributes:
        epoch: epochs done.
        outputs: ``(n, k)`` in the network's precision, in eval mode, in the order of the inputs.
        state: copy of parameters, buffers and momentum.
    """

    epoch: int
    outputs: NDArray
    state: TrainingState


def epoch_time(spec: TrainingSpec, n: int) -> float:
    """Gradient-flow time τ of one epoch over ``n`` samples on the summed loss: ``rate / (B (1 - momentum))``."""
    return spec.learning_rate / ((spec.batch_size or n) * (1.0 - spec.momentum))


def evaluate(
    module: nn.Module,
    inputs: NDArray | Tensor,
    batch_size: int | None = None,
    device: str | torch.device = "cpu",
    progress: Progress | None = None,
) -> NDArray:
    """Outputs ``(n, k)`` of ``module`` in eval mode, in its own precision.

    Args:
        module: moved to ``device``; left in the mode (train or eval) in which it came.
        inputs: ``(n, ...)``.
        batch_size: samples per pass, by default from their size; it changes the last digits only.
        device: where to compute.
        progress: called after each pass with samples done and in all; may raise ``Cancelled``.
    """
    batch_size = _chunk(inputs) if batch_size is None else batch_size
    if batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
    module.to(device)
    dtype = _dtype(module)
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    outputs = []
    n = len(inputs)
    try:
        with torch.no_grad(), _deterministic(device):
            for start in range(0, n, batch_size):
                index = np.arange(start, min(start + batch_size, n))
                outputs.append(module(_pick(inputs, index, device, dtype)).cpu().numpy())
                if progress is not None:
                    progress(int(index[-1]) + 1, n)
    finally:
        for part, training in modes:
            part.training = training
    return np.concatenate(outputs)


def train(
    module: nn.Module,
    inputs: NDArray | Tensor,
    targets: NDArray | Tensor,
    spec: TrainingSpec,
    *,
    device: str | torch.device = "cpu",
    resume: TrainingState | None = None,
    progress: Progress | None = None,
) -> Iterator[EpochRecord]:
    """Trains ``module`` in place and yields a record at epoch 0 and after every epoch.

    The order of the images in an epoch depends on ``spec.seed`` and the epoch alone, so a resumed run gives the bytes of an
    uninterrupted one on the same machine with the same number of threads. With BatchNorm, whose statistics of a single
    image are useless, a last batch of one image joins the batch before it, and a step takes all its images at once;
    without, a large step is summed over passes of at most ``CHUNK`` images.

    Args:
        module: any network; computes in the precision of its parameters; in eval mode whenever a record is yielded.
        inputs: ``(n, ...)``.
        targets: ``(n, k)``.
        spec: epochs, learning rate, batch size, momentum, weight decay, seed.
        device: where to compute.
        resume: go on from this state (the first record is of the epoch after it) instead of the module's own weights.
        progress: called with the work done and in all (image passes; one with gradients counts 3) after each pass;
            may raise ``Cancelled``. A resumed run starts from the work already done.

    Raises:
        ValueError: targets that are not ``(n, k)``.
        SpecError: one image at a time with BatchNorm.
        DataError: ``resume`` belongs to another network or training.
        ComputationError: the outputs are not finite or exceed 10⁶; on the epoch it happens.
    """
    n = len(inputs)
    if targets.ndim != 2 or len(targets) != n or n == 0:
        raise ValueError(f"targets: expected shape ({n}, k) with at least one sample, got {tuple(targets.shape)}")
    batch_norm = has_batch_norm(module)
    if batch_norm and spec.epochs and (spec.batch_size or n) == 1:
        raise SpecError(
            "A network with batch normalisation cannot learn from one image at a time.",
            "Choose a larger batch (32 is usual), or the model fcn, cnn3, cnn4 or convnet.",
        )
    module.to(device)
    trained = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    momentum = {name: torch.zeros_like(parameter) for name, parameter in trained.items()} if spec.momentum else {}
    if resume is not None:
        resume.load_into(module)
        restore_momentum(resume, momentum)
    return _Run(module, inputs, targets, spec, device, batch_norm, trained, momentum, progress).records(resume)


@dataclass(slots=True)
class _Run:
    module: nn.Module
    inputs: NDArray | Tensor
    targets: NDArray | Tensor
    spec: TrainingSpec
    device: str | torch.device
    batch_norm: bool
    trained: dict[str, nn.Parameter]
    momentum: dict[str, Tensor]
    progress: Progress | None
    done: int = 0

    def records(self, resume: TrainingState | None) -> Iterator[EpochRecord]:
        n = len(self.inputs)
        if resume is None:
            yield self._record(0)
        else:
            self.done = resume.epoch * (1 + STEP_WORK) * n + n
        for epoch in range(1 if resume is None else resume.epoch + 1, self.spec.epochs + 1):
            learn(self.module)
            try:
                with _deterministic(self.device):
                    for batch in self._batches(epoch):
                        self._step(batch, epoch)
            finally:
                self.module.eval()
            yield self._record(epoch)

    def _record(self, epoch: int) -> EpochRecord:
        before = self.done
        outputs = evaluate(self.module, self.inputs, device=self.device, progress=lambda done, _: self._report(before + done))
        if not np.isfinite(outputs).all() or np.abs(outputs).max() > LARGEST_OUTPUT:
            if epoch == 0:
                raise ComputationError(
                    "The network's outputs are too large or not numbers before any training.", "Check the images and the weights."
                )
            self._diverged(epoch)
        self.module.eval()
        return EpochRecord(epoch, outputs, capture(epoch, self.module, self.momentum))

    def _batches(self, epoch: int) -> list[NDArray[np.intp]]:
        n = len(self.inputs)
        size = self.spec.batch_size or n
        order = np.random.default_rng([self.spec.seed, epoch]).permutation(n)
        starts = list(range(0, n, size))
        if self.batch_norm and len(starts) > 1 and n - starts[-1] == 1:
            starts.pop()
        return np.split(order, starts[1:])

    def _step(self, batch: NDArray[np.intp], epoch: int) -> None:
        """One step; with several passes their gradients are added up before it."""
        names, parameters = list(self.trained), list(self.trained.values())
        chunk = len(batch) if self.batch_norm else _chunk(self.inputs)
        total: list[Tensor | None] = [None] * len(names)
        dtype = _dtype(self.module)
        for start in range(0, len(batch), chunk):
            index = batch[start : start + chunk]
            error = self.module(_pick(self.inputs, index, self.device, dtype)) - _pick(self.targets, index, self.device, dtype)
            loss = 0.5 * error.square().sum()
            if not bool(torch.isfinite(loss)):
                self._diverged(epoch)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            total = [new if old is None else old if new is None else old + new for old, new in zip(total, gradients, strict=True)]
            self._report(self.done + STEP_WORK * len(index))
        size = self.spec.batch_size or len(self.inputs)
        rate, decay = self.spec.learning_rate / size, self.spec.weight_decay * size  # the gradients are of the sum, not the average
        with torch.no_grad():
            for name, parameter, gradient in zip(names, parameters, total, strict=True):
                if gradient is None:
                    continue
                if decay:
                    gradient = gradient.add(parameter, alpha=decay)
                if self.momentum:
                    gradient = self.momentum[name].mul_(self.spec.momentum).add_(gradient)
                parameter.add_(gradient, alpha=-rate)

    def _report(self, done: int) -> None:
        self.done = done
        if self.progress is not None:
            n = len(self.inputs)
            self.progress(done, n + self.spec.epochs * (1 + STEP_WORK) * n)

    def _diverged(self, epoch: int) -> NoReturn:
        rate = self.spec.learning_rate
        raise ComputationError(
            f"Training diverged in epoch {epoch} at the learning rate {rate:g}.",
            f"Choose a smaller learning rate, for example {rate / 4:.2g}.",
        )


def _chunk(inputs: NDArray | Tensor) -> int:
    """Images in one pass; from their shape alone, so that the same run always takes the same passes."""
    return max(1, min(CHUNK, CHUNK_NUMBERS // max(1, prod(inputs.shape[1:]))))


def _dtype(module: nn.Module) -> torch.dtype:
    return next(parameter.dtype for parameter in module.parameters())


def _pick(values: NDArray | Tensor, index: NDArray[np.intp], device: str | torch.device, dtype: torch.dtype) -> Tensor:
    """Rows of ``values`` on ``device``; always a copy, so that read-only arrays are fine."""
    if isinstance(values, Tensor):
        return values[torch.from_numpy(index).to(values.device)].to(device=device, dtype=dtype)
    return torch.from_numpy(values[index]).to(device=device, dtype=dtype)


def _deterministic(device: str | torch.device) -> AbstractContextManager[None]:
    """On a GPU: reproducible algorithms and full float32 products, as long as the context lasts."""
    return _cuda_exact() if torch.device(device).type == "cuda" else nullcontext()


@contextmanager
def _cuda_exact() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    products = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cuda.matmul.allow_tf32 = False
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = products
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
