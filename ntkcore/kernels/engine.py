"""Runs a plan on one batch of samples: squared gradient norms, or the features that Gram blocks are made of."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError, ModelError
from ntkcore.kernels.assembly import Assembly, Found
from ntkcore.kernels.capture import Capture, capture, exact_gradients
from ntkcore.kernels.checks import as_batch, as_samples, placed
from ntkcore.kernels.compression import Compression, Compressor, Sketch
from ntkcore.kernels.features import Block, ExplicitFeatures, rows_within
from ntkcore.kernels.general import GeneralGradients
from ntkcore.kernels.kept import plans_for
from ntkcore.kernels.layers import Prepared, Site
from ntkcore.kernels.layout import Layout, Outputs
from ntkcore.kernels.plan import FallbackWarning, Planned
from ntkcore.kernels.pool import processors
from ntkcore.kernels.quickest import choosable, measured
from ntkcore.kernels.ways import PLAIN, Ways
from ntkcore.kernels.workers import run_all, twin

BATCH_BYTES = {"cpu": 256 * 2**20, "cuda": 4 * 2**30}
"""Memory that the batches of one moment may take; batch sizes are derived from it."""

_LARGEST_BATCH = {"cpu": 256, "cuda": 2048}
_SHORT, _STRETCHED = 8, 4  # samples of a batch that are few for one operation: for as many, so many times the memory is taken
_LEAST = 4  # samples of a batch below which more of them at once gain nothing
_ONE_PASS = 2**16  # numbers that a batch's layers put out below which one backward pass for all scalars is faster than one for each
_WORTH = 2**20  # numbers below which several threads cost more than they gain


@dataclass(frozen=True, slots=True)
class Batches:
    """``n`` samples cut into batches of at most ``step``, ``at_once`` of them in work at a time; ``even``: equal but for one sample."""

    n: int
    step: int
    at_once: int
    even: bool = False

    def slices(self) -> list[slice]:
        """The samples of each."""
        if self.even:  # as many for each processor
            count = min(self.n, self.at_once * -(-self.n // (self.at_once * self.step)))
            return [slice(self.n * i // count, self.n * (i + 1) // count) for i in range(count)]
        return [slice(start, min(self.n, start + self.step)) for start in range(0, self.n, self.step)]


class Engine:
    """A model, its plan and the samples' common type; made once per computation."""

    def __init__(
        self,
        model: nn.Module,
        x: Tensor | np.ndarray,
        device: torch.device | str | None = None,
        *,
        outputs: Outputs = "mean",
        dtype: torch.dtype | None = None,
        tf32: bool = False,
        ways: Ways | None = None,
    ) -> None:
        """Check the model and the samples and plan the layers."""
        if dtype not in (None, torch.float32, torch.float64):
            raise DataError(f"The precision is {dtype}.", "Choose torch.float32 or torch.float64, or leave it out.")
        self.samples = as_samples(x)
        self.model = placed(model, device, dtype)
        self._plans = plans_for(self.model, self.samples, outputs)
        self._planned = self._plans[0]
        self.plan = self._planned.plan
        self.layout: Layout = self._planned.layout
        self.outputs = self.layout.k
        self.like = self._planned.like.detach()
        self.dtype = self.like.dtype
        self.tf32 = tf32
        self.compressor: Compressor | None = None
        p = self._planned
        general = 0 if p.general is None else self.layout.count * p.general.size()
        self._kept_numbers = max(1, p.pair_held + general)
        kind = self.like.device.type
        self._images = kind == "cpu" and self.samples.ndim == 4 and any(slot.images for slot in p.slots)
        per_scalar = p.collected if self._images else p.output_numbers
        self._per_sample = max(1, p.passing, p.activations + self.layout.count * per_scalar + p.pair_held - p.placed + general)
        self._per_norm = max(1, p.passing, 2 * p.activations + p.held + p.output_numbers)
        self._width = self.like.element_size()
        self._budget = BATCH_BYTES.get(kind, BATCH_BYTES["cpu"]) // self._width
        self._largest = _LARGEST_BATCH.get(kind, _LARGEST_BATCH["cpu"])
        little = len(self.samples) * max(self._per_sample, self._per_norm) < _WORTH
        plain = not choosable(self.like) or (ways is None and little)
        self.ways = PLAIN if plain else ways or measured()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know: parameters whose gradients are formed sample by sample."""
        return (self.plan.message(),) if self.plan.formed else ()

    def say_notes(self) -> None:
        """Warn :class:`FallbackWarning`, on behalf of the function that was called by the user."""
        for note in self.notes:
            warnings.warn(note, FallbackWarning, stacklevel=3)

    def compress(self, compression: Compression | None) -> None:
        """Keep a compressed form of the gradients from here on; None: the gradients themselves."""
        sizes = {entry.parameter: entry.size for entry in self.plan.entries if entry.form not in ("frozen", "unused")}
        self.compressor = None if compression is None else Compressor(compression, sizes, self.like)

    def norm_batches(self, n: int, wish: int | None) -> "Batches":
        """How ``n`` samples are cut for norms: batches of ``wish``, or of as many samples as fit BATCH_BYTES (eight: four times that).

        A sample takes twice its layers' inputs and outputs (the graph holds what lies between them), the unfolded inputs or products
        of positions, and one output's gradients; at most 256 samples (2048 on CUDA), beyond which nothing is gained.
        """
        return self._cut(n, wish, self._per_norm, self._largest)

    def pair_batches(self, n: int, wish: int | None) -> "Batches":
        """How ``n`` samples are cut for features, as for norms.

        A sample takes its layers' inputs and outputs, what is collected of each scalar's gradients, and the features that are not formed
        where they stay. One pass's gradients and one layer's unfolded inputs come on top of it.
        """
        return self._cut(n, wish, self._per_sample, 2 * self._largest)

    def _cut(self, n: int, wish: int | None, numbers: int, largest: int) -> "Batches":
        fitting = max(1, self._budget // numbers)
        step = min(largest, fitting) if wish is None else checked_batch_size(wish)
        if self.like.device.type != "cpu" or n * numbers < _WORTH:
            return Batches(n, step, 1)
        if wish is not None:
            return Batches(n, step, max(1, min(processors(), fitting // step, -(-n // step))))
        at_once = max(1, min(processors(), fitting, n // _LEAST))
        step = max(fitting // at_once, min(_SHORT, _STRETCHED * self._budget // (numbers * at_once)))
        return Batches(n, min(largest, max(1, step)), at_once, even=True)

    def pair_bytes(self) -> int:
        """Bytes that the features of one sample take."""
        numbers = self._kept_numbers if self.compressor is None else self.compressor.columns() * self.layout.count
        return numbers * self._width

    def threads(self, rows: int, columns: int) -> int | None:
        """Processors for a kernel of ``rows`` × ``columns`` samples: one where waking others would take longer; None: all."""
        samples = max(rows, columns)
        numbers = max(samples * self._per_sample, rows * columns * self.layout.rows**2)
        few = numbers < (8 * _WORTH if samples < 2 * _LEAST else _WORTH)  # samples too few for a batch each leave each operation short
        return 1 if few and self.like.device.type == "cpu" else None

    def batch_bytes(self, batches: "Batches") -> int:
        """Bytes that the batches of one moment take while their features are made."""
        return min(batches.n, batches.at_once * batches.step) * self._per_sample * self._width

    def norm_bytes(self, batches: "Batches") -> int:
        """Bytes that the batches of one moment take while their norms are taken."""
        return min(batches.n, batches.at_once * batches.step) * self._per_norm * self._width

    def each(self, batches: "Batches", work: Callable[[Planned, slice], None], done: Callable[[slice], None]) -> None:
        """``work`` on each of the ``batches`` with a plan of its own, several at once on a CPU; ``done`` after each, in this thread."""
        while len(self._plans) < batches.at_once and (other := twin(self._planned)) is not None:
            self._plans.append(other)
        run_all(batches.slices(), self._plans[: batches.at_once], work, done)

    def squared_norms(self, p: Planned, samples: Tensor) -> Tensor:
        """(k, b) float64: squared norm of each output's gradient for ``samples`` (b, ...), by the plan ``p`` that :meth:`each` gives.

        Each parameter's sum is taken in the model's dtype and added to the others in float64.
        """
        with exact_gradients(self.like.device):
            x = as_batch(samples, p.like)
            total = torch.zeros(self.outputs, len(x), dtype=torch.float64, device=x.device)
            seeds = torch.eye(self.outputs, dtype=self.dtype, device=x.device)
            if p.slots:
                watched, sites = self._captured(p, x)
                nodes = [site.node for site in sites]
                span = self._span(len(x))
                held = list(map(self._prepared, sites)) if span < self.outputs else []
                for first in range(0, self.outputs, span):
                    last = min(self.outputs, first + span)
                    gradients = watched.gradients(nodes, seeds[first:last], p.batched)
                    for layer, site in enumerate(sites):
                        prepared = held[layer] if held else self._prepared(site)
                        total[first:last] += prepared.squared_norms(prepared.by_sample(gradients[layer]))
                        gradients[layer] = seeds  # its memory is wanted for the next
            if p.general is not None:
                total += p.general.squared_norms(x)
        return total

    def block(self, samples: Tensor, batch_size: int | None, waiting: Callable[[], None] | None = None) -> Block:
        """The features of ``samples`` (b, ...); ``waiting`` is called after each batch."""
        n = samples.shape[0]
        made = Assembly(n, self.layout.rows)

        def work(planned: Planned, batch: slice) -> None:
            made.put(batch.start, batch.stop - batch.start, self._features(planned, samples[batch], batch.start, made))

        self.each(self.pair_batches(n, batch_size), work, lambda batch: waiting() if waiting is not None else None)
        return made.block()

    def own_gram(self, block: Block) -> Tensor:
        """(b·r, b·r) Gram matrix of a block."""
        with exact_gradients(self.like.device, tf32=self.tf32):  # no feature has a graph
            return block.own_gram(self.like, self.ways.products)

    def gram(self, rows: Block, columns: Block) -> Tensor:
        """(b·r, b'·r) Gram matrix of two blocks."""
        with exact_gradients(self.like.device, tf32=self.tf32):
            return rows.gram(columns, self.like, self.ways.products)

    def others(self, z: Tensor | np.ndarray) -> Tensor:
        """Check a second set of samples against the first."""
        samples = as_samples(z, "z")
        if samples.shape[1:] != self.samples.shape[1:] or samples.is_floating_point() != self.samples.is_floating_point():
            raise DataError(
                f"x holds samples of shape {tuple(self.samples.shape[1:])} and z of shape {tuple(samples.shape[1:])}.",
                "Give both sets in the same shape and type.",
            )
        if not samples.is_floating_point() and samples.dtype != self.samples.dtype:  # tokens: the network was looked at with x's type
            cast = samples.to(self.samples.dtype)
            if not bool((cast == samples).all()):
                raise DataError(
                    f"z holds {samples.dtype} values that x's {self.samples.dtype} has not.", "Give both sets in the same type."
                )
            return cast
        return samples

    def _features(self, p: Planned, samples: Tensor, start: int, made: Assembly) -> Found:
        """The features of one batch, whose first sample is the block's sample ``start``: those that are not formed where they stay."""
        found: Found = {}
        joined = self.layout.joined
        seeds, batch, many = p.seeds, samples.shape[0], self.layout.count > 1
        grouped = self.ways.weights == "grouped"
        apart = self._images and self.compressor is None and not (many and batch * p.output_numbers < _ONE_PASS)
        last = apart and p.last and not grouped
        with exact_gradients(self.like.device, tf32=self.tf32):
            x = as_batch(samples, p.like)
            if last:
                x = torch.empty_like(x, memory_format=torch.channels_last).copy_(x)  # convolutions on a CPU are faster so
            sketch = None if self.compressor is None else self.compressor.begin(self.layout.count, batch)
            if p.slots:
                watched, sites = self._captured(p, x)
                nodes = [site.node for site in sites]
                by_pass = many and (last or (apart and grouped))
                held = list(map(self._prepared, sites)) if by_pass else []
                if by_pass:
                    gradients = watched.collected(nodes, seeds, [_collecting(prepared) for prepared in held])
                else:
                    gradients = watched.gradients(nodes, seeds, p.batched, p.folded and self._images)
                for layer, site in enumerate(sites):
                    prepared = held[layer] if by_pass else self._prepared(site)
                    if sketch is None:
                        of_all = gradients[layer] if by_pass else prepared.collected(prepared.by_sample(gradients[layer]))
                        found[layer] = prepared.features(of_all, made.room(layer, start, batch, self.like))
                    else:
                        self._sketch_layer(site, prepared, prepared.by_sample(gradients[layer]), sketch)
                    gradients[layer] = seeds  # the layer's gradient is not needed any more: let its memory go
            if p.general is not None:
                if sketch is None:
                    found[len(p.slots)] = [p.general.features(x, seeds, joined)]
                else:
                    self._sketch_others(p.general, x, seeds, sketch)
        if sketch is not None:
            found[0] = [ExplicitFeatures.of(sketch.columns, joined)]
        return found

    def _captured(self, p: Planned, x: Tensor) -> tuple[Capture, list[Site]]:
        """A forward pass that uses each weight as the plan knows it, and the slots' operations in it.

        Raises:
            ModelError: it does not.
        """
        watched = capture(p.model, x.clone() if p.overwrites else x)
        sites = [slot.site(watched, self.ways) for slot in p.slots]
        odd = [slot.members[0].name for slot, site in zip(p.slots, sites, strict=True) if site is None]
        odd += [name for place, name in p.idle if place in watched.uses]
        if odd or watched.outputs.shape[0] != len(x):
            raise ModelError(
                f"The network uses {odd[0] if odd else 'its samples'!r} otherwise for some samples than for others.",
                "Use a network whose path does not depend on the samples' values or their number, or give a batch_size of 1.",
            )
        return watched, [site for site in sites if site is not None]

    def _prepared(self, site: Site) -> Prepared:
        reason = site.rule.refusal(site)
        if reason is not None:
            raise ModelError(
                f"For {site.batch} samples {' and '.join(site.names.values())} give a result of shape {site.output}: {reason}.",
                "Use a network whose path does not depend on the samples' values or their number.",
            )
        return site.rule.prepare(site, self.layout)

    def _sketch_layer(self, site: Site, prepared: Prepared, gradients: Tensor, sketch: Sketch) -> None:
        size = sum(math.prod(use.shape) for use in site.uses.values())
        step = rows_within(self.like, len(gradients) * size)
        for start in range(0, gradients.shape[1], step):
            rows = slice(start, start + step)
            for role, formed in prepared.formed(gradients[:, rows], rows).items():
                sketch.add(site.names[role], rows, formed)

    @staticmethod
    def _sketch_others(general: GeneralGradients, x: Tensor, seeds: Tensor, sketch: Sketch) -> None:
        step = general.step(len(seeds))
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            for name, formed in general.by_parameter(x[rows], seeds).items():
                sketch.add(name, rows, formed)

    def _span(self, batch: int) -> int:
        """How many outputs' gradients are held at once: a quarter of the batches' memory."""
        return max(1, min(self.outputs, self._budget // 4 // max(1, batch * self._planned.output_numbers)))


def _collecting(prepared: Prepared) -> Callable[[Tensor], Tensor]:
    return lambda raw: prepared.collected(prepared.by_sample(raw))


def checked_batch_size(wish: int) -> int:
    """A batch size from a caller.

    Raises:
        DataError: not a positive whole number.
    """
    if isinstance(wish, bool) or not isinstance(wish, int | np.integer) or wish < 1:
        raise DataError(f"The batch size is {wish!r}.", "Give a whole number of at least 1, or leave it out.")
    return int(wish)
