"""Runs a plan on one batch of samples: squared gradient norms, or the features that Gram blocks are made of."""

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.kernels.capture import capture, exact_gradients
from ntkcore.kernels.checks import as_batch, as_samples, placed
from ntkcore.kernels.features import Features
from ntkcore.kernels.plan import FallbackWarning, Planned, make_plan

BATCH_BYTES = {"cpu": 128 * 2**20, "cuda": 4 * 2**30}
"""Memory that one batch may take; batch sizes are derived from it."""

_LARGEST_BATCH = {"cpu": 256, "cuda": 2048}


class Engine:
    """A model, its plan and the samples' common type; made once per computation."""

    def __init__(self, model: nn.Module, x: Tensor | np.ndarray, device: torch.device | str | None = None) -> None:
        """Check the model and the samples and plan the layers; warns :class:`FallbackWarning` where layers are not factored."""
        self.samples = as_samples(x)
        self.model = placed(model, device)
        self._planned: Planned = make_plan(self.model, self.samples)
        self.plan = self._planned.plan
        self.outputs = self.plan.outputs
        self.dtype = self._planned.like.dtype
        self._budget = BATCH_BYTES.get(self._planned.like.device.type, BATCH_BYTES["cpu"]) // self._planned.like.element_size()
        self._largest = _LARGEST_BATCH.get(self._planned.like.device.type, _LARGEST_BATCH["cpu"])
        if self.plan.formed:
            warnings.warn(self.plan.message(), FallbackWarning, stacklevel=3)

    def batch_size(self, wish: int | None) -> int:
        """The batch size for norms: ``wish``, or as many samples as fit BATCH_BYTES.

        A sample takes twice its layers' inputs and outputs (the graph holds what lies between them), the unfolded inputs or products
        of positions, and one output's gradients; at most 256 samples (2048 on CUDA), beyond which nothing is gained.
        """
        if wish is not None:
            return checked_batch_size(wish)
        p = self._planned
        return max(1, min(self._largest, self._budget // max(1, 2 * p.activations + p.held + p.output_numbers)))

    def block_size(self, wish: int | None) -> int:
        """The batch size for Gram blocks: ``wish``, or as many samples as fit BATCH_BYTES with all k outputs' gradients."""
        if wish is not None:
            return checked_batch_size(wish)
        p = self._planned
        general = 0 if p.general is None else self.outputs * p.general.size()
        per_sample = 2 * p.activations + p.held + self.outputs * p.output_numbers + p.pair_held + general
        return max(1, min(2 * self._largest, self._budget // max(1, per_sample)))

    def pair_bytes(self) -> int:
        """Bytes that the features of one sample take."""
        general = 0 if self._planned.general is None else self.outputs * self._planned.general.size()
        return (self._planned.pair_held + general) * self._planned.like.element_size()

    def squared_norms(self, samples: Tensor) -> Tensor:
        """(k, b) float64: squared norm of each output's gradient for ``samples`` (b, ...).

        Each parameter's sum is taken in the model's dtype and added to the others in float64.
        """
        p = self._planned
        x = as_batch(samples, p.like)
        total = torch.zeros(self.outputs, len(x), dtype=torch.float64, device=x.device)
        with exact_gradients(x.device):
            if p.slots:
                watched = capture(self.model, x, {slot.name: slot.module for slot in p.slots})
                names = [slot.name for slot in p.slots]
                calls = [watched.single(name) for name in names]
                prepared = [
                    slot.rule.prepare(slot.module, call.value, call.output.shape, self.outputs, slot.wanted)
                    for slot, call in zip(p.slots, calls, strict=True)
                ]
                span = self._span(len(x))
                for first in range(0, self.outputs, span):
                    last = min(self.outputs, first + span)
                    for layer, gradients in zip(prepared, watched.gradients(names, first, last, p.batched), strict=True):
                        total[first:last] += layer.squared_norms(gradients)
            if p.general is not None:
                total += p.general.squared_norms(x)
        return total

    def features(self, samples: Tensor) -> list[Features]:
        """The features of ``samples`` (b, ...), one entry per factored layer, then one for all other parameters."""
        p = self._planned
        x = as_batch(samples, p.like)
        found: list[Features] = []
        with exact_gradients(x.device):
            if p.slots:
                watched = capture(self.model, x, {slot.name: slot.module for slot in p.slots})
                gradients = watched.gradients([slot.name for slot in p.slots], 0, self.outputs, p.batched)
                for i, slot in enumerate(p.slots):
                    call = watched.single(slot.name)
                    prepared = slot.rule.prepare(slot.module, call.value, call.output.shape, self.outputs, slot.wanted)
                    found.append(prepared.features(gradients[i]))
            if p.general is not None:
                found.append(p.general.features(x))
        return found

    def others(self, z: Tensor | np.ndarray) -> Tensor:
        """Check a second set of samples against the first."""
        samples = as_samples(z, "z")
        if samples.shape[1:] != self.samples.shape[1:] or samples.is_floating_point() != self.samples.is_floating_point():
            raise DataError(
                f"x holds samples of shape {tuple(self.samples.shape[1:])} and z of shape {tuple(samples.shape[1:])}.",
                "Give both sets in the same shape and type.",
            )
        return samples

    def _span(self, batch: int) -> int:
        """How many outputs' gradients are held at once: a quarter of the batch's memory."""
        return max(1, min(self.outputs, self._budget // 4 // max(1, batch * self._planned.output_numbers)))


def gram(rows: list[Features], columns: list[Features]) -> Tensor:
    """(b, b') sum over layers and outputs of the inner products of two blocks' gradients."""
    total: Tensor | None = None
    for here, there in zip(rows, columns, strict=True):
        part = here.gram(there)
        total = part if total is None else total.add_(part)
    assert total is not None
    return total


def checked_batch_size(wish: int) -> int:
    """A batch size from a caller.

    Raises:
        DataError: not a positive whole number.
    """
    if isinstance(wish, bool) or not isinstance(wish, int | np.integer) or wish < 1:
        raise DataError(f"The batch size is {wish!r}.", "Give a whole number of at least 1, or leave it out.")
    return int(wish)
