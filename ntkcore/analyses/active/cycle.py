"""What a strategy knows when it chooses: the trained network, what it says of labelled images and candidates, its features and kernels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ntkcore.active import LookAhead, simplex, softmax
from ntkcore.active.lookahead import Reference
from ntkcore.active.probabilities import Way
from ntkcore.errors import ModelError
from ntkcore.kernels import Outputs, empirical_ntk
from ntkcore.models import EpochRecord, evaluate
from ntkcore.specs import TrainingSpec

Float = NDArray[np.float64]
Indices = NDArray[np.intp]


class Companion(Protocol):
    """What a strategy trains beside the network."""

    def epoch(self, record: EpochRecord) -> None:
        """The network is as it is after this epoch, 0 being before the first."""


class Begin(Protocol):
    """Begins what is trained beside the network: from the module before the first epoch, the labelled images and their targets."""

    def __call__(self, module: nn.Module, inputs: NDArray, targets: NDArray, generator: np.random.Generator) -> Companion:
        """Inputs (l, ...), targets (l, k), a generator of its own."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The study's rules that concern a choice (:class:`~ntkcore.specs.active.ActiveSpec`)."""

    ridge: float
    reference: Reference
    probabilities: Way
    points: int
    sequential: bool
    dtype: str
    drawn: int
    batches: int


@dataclass(frozen=True, slots=True)
class Kernels:
    """A kernel as :class:`~ntkcore.active.LookAhead` takes it: (l, l), (u, l) and (u, u), of a full one with (k, k) behind."""

    labelled: NDArray
    across: NDArray
    pool: NDArray


@dataclass(frozen=True, eq=False)
class Cycle:
    """One choice of ``count`` of u candidates, seen from l labelled images. Strategies change nothing of it but draw from ``generator``.

    Attributes:
        module: the network trained on the labelled images, in eval mode, where it was trained.
        inputs, candidates: (l, ...) and (u, ...) as the network takes them.
        labels: (l,) positions of the labelled images' classes.
        targets: (l, k) as the network was trained on: one-hot, or -1 and +1 where k = 1.
        count: how many are chosen, at most u.
        generator: of this strategy, seed and cycle.
        rules: of the study.
        reveal: the true target (k,) of a candidate by its number: for choices that are told each label at once.
        train: a network trained anew as the study trains, from images (n, ...) and targets (n, k): same start and schedule.
        training: that schedule.
        judge: a network's accuracy on the held-out images: for the ceiling, which no strategy could know.
        infinite: the kernel (n, n) of the network of infinite width, of some images.
        waiting: called now and then; may raise ``Cancelled``.
        beside: what the strategy trained beside the network, if it did.
    """

    module: nn.Module
    inputs: NDArray
    candidates: NDArray
    labels: NDArray[np.int64]
    targets: Float
    count: int
    generator: np.random.Generator
    rules: Rules
    reveal: Callable[[int], Float]
    train: Callable[[NDArray, NDArray], nn.Module]
    training: TrainingSpec
    judge: Callable[[nn.Module], float]
    infinite: Callable[[NDArray], Float]
    waiting: Callable[[], None]
    beside: Companion | None = None
    _kernels: dict[Outputs, Kernels] = field(default_factory=dict, init=False)

    @cached_property
    def f_labelled(self) -> Float:
        """(l, k) the network's outputs."""
        return self.outputs_of(self.module, self.inputs)

    @cached_property
    def f_pool(self) -> Float:
        """(u, k) the network's outputs."""
        return self.outputs_of(self.module, self.candidates)

    @cached_property
    def p(self) -> Float:
        """(u, classes) probabilities, as the study makes them of outputs."""
        return (simplex if self.rules.probabilities == "simplex" else softmax)(self.f_pool)

    @cached_property
    def h_labelled(self) -> Float:
        """(l, d) inputs of the last layer."""
        return self.features_of(self.inputs)

    @cached_property
    def h_pool(self) -> Float:
        """(u, d) inputs of the last layer."""
        return self.features_of(self.candidates)

    @cached_property
    def order(self) -> Indices:
        """(u,) the candidates in an order drawn at random."""
        return np.asarray(self.generator.permutation(len(self.candidates)))

    def kernels(self, outputs: Outputs = "pseudo") -> Kernels:
        """The network's empirical kernel where it stands, computed when it is asked for first."""
        if outputs not in self._kernels:
            x = np.concatenate([self.inputs, self.candidates])
            dtype = torch.float64 if self.rules.dtype == "float64" else torch.float32
            found = empirical_ntk(self.module, x, outputs=outputs, dtype=dtype, progress=lambda *_: self.waiting()).values
            first = len(self.inputs)
            self._kernels[outputs] = Kernels(found[:first, :first], found[first:, :first], found[first:, first:])
        return self._kernels[outputs]

    def look_ahead(self, outputs: Outputs = "pseudo") -> LookAhead:
        """The pool seen from the labelled images by that kernel."""
        kernels = self.kernels(outputs)
        return LookAhead(
            *(kernels.labelled, kernels.across, kernels.pool, self.f_labelled, self.f_pool, self.targets, self.rules.ridge),
            waiting=self.waiting,
        )

    def outputs_of(self, module: nn.Module, inputs: NDArray) -> Float:
        """(n, k) a network's outputs."""
        device = next(module.parameters()).device
        return evaluate(module, inputs, device=device, progress=lambda *_: self.waiting()).astype(np.float64)

    def features_of(self, inputs: NDArray) -> Float:
        """(n, d) what enters the network's last linear layer."""
        found: list[NDArray] = []
        hook = last_layer(self.module).register_forward_pre_hook(lambda _, given: found.append(given[0].detach().cpu().numpy()))
        try:
            self.outputs_of(self.module, inputs)
        finally:
            hook.remove()
        return np.concatenate(found).astype(np.float64)


def last_layer(module: nn.Module) -> nn.Linear:
    """The layer that gives the outputs.

    Raises:
        ModelError: there is none that is linear.
    """
    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    if not linear:
        raise ModelError("This network has no last linear layer, whose inputs this strategy compares.", "Choose another network.")
    return linear[-1]
