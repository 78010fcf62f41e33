"""Which parameters' gradient norms are taken from their layer's structure, and which from per-sample gradients, and why.

A parameter is factored when exactly one operation of a forward pass uses it, its gradient there has a closed form, and its norms agree
with plain autograd's on a few samples. The operations are read from autograd's graph, in which a layer is what it computes, whatever its
class. All other gradients are formed.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.kernels.capture import exact_gradients
from ntkcore.kernels.checks import as_samples, check_model, own_copy, placed
from ntkcore.kernels.examined import examined
from ntkcore.kernels.features import squared_norms
from ntkcore.kernels.general import GeneralGradients, numbers_of
from ntkcore.kernels.layout import Layout, Outputs, layout_of
from ntkcore.kernels.probe import (
    activation_numbers,
    activation_sizes,
    checking_seeds,
    close,
    owners_of,
    reference_norms,
)
from ntkcore.kernels.slots import Checked, Slot, verified
from ntkcore.kernels.uses import uses_of

_HELD = 3  # times a layer's output: with its input, and what a shortcut passes by
Form = Literal["factored", "per-sample gradients", "one sample at a time", "unused", "frozen"]


class FallbackWarning(UserWarning):
    """Some layers' gradients are formed sample by sample: the result is exact, but slower."""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One parameter: its name, its layer's name and class, how many real numbers it has, how it is treated, and why."""

    parameter: str
    layer: str
    kind: str
    size: int
    form: Form
    reason: str


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """How each parameter of a network is treated; ``outputs`` is k."""

    entries: tuple[PlanEntry, ...]
    outputs: int

    @property
    def formed(self) -> tuple[PlanEntry, ...]:
        """The parameters whose gradients are formed sample by sample."""
        return tuple(entry for entry in self.entries if entry.form in ("per-sample gradients", "one sample at a time"))

    def message(self) -> str:
        """What a :class:`FallbackWarning` says."""
        listed = "; ".join(f"{e.parameter} ({e.kind}): {e.reason}" for e in self.formed)
        return f"Gradients are formed sample by sample, exact but slower, for {listed}."


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan ready to run: the factored operations, the rest, and the sizes per sample that memory is forecast from.

    ``seeds`` (s, k): the layout's combinations of outputs; ``activations``: numbers in the factored operations' inputs and outputs;
    ``output_numbers``: in their outputs alone; ``held``: kept per layer for the norms; ``pair_held``: kept for Gram blocks, of which
    ``placed`` are formed where they stay; ``collected``: what features need of one scalar's gradients; ``passing``: numbers
    that are held at one moment of a pass over layers whose parameters are frozen, which no graph keeps; ``first`` (1, ...): the sample
    that the plan was made on; ``idle``: the parameters
    that no pass may use, by their tensors' ids and their names; ``copied``: whether ``model`` is a copy, and the
    user's own is only read; ``writes``: whether it writes to its own state; ``overwrites``: whether it changes its samples in place;
    ``batched`` and ``folded``: whether one backward pass for several scalars works in these two ways; ``last``: whether images may have
    their channels last in memory.
    """

    model: nn.Module
    plan: LayerPlan
    layout: Layout
    slots: tuple[Slot, ...]
    general: GeneralGradients | None
    idle: tuple[tuple[int, str], ...]
    copied: bool
    writes: bool
    overwrites: bool
    batched: bool
    folded: bool
    last: bool
    like: Tensor
    seeds: Tensor
    first: Tensor
    activations: int
    output_numbers: int
    held: int
    pair_held: int
    placed: int
    collected: int
    passing: int = 0


def layer_plan(model: nn.Module, x: Tensor | np.ndarray) -> LayerPlan:
    """How :func:`ntk_diagonal` and :func:`empirical_ntk` treat each parameter of ``model``, with the reason.

    Args:
        model: as for :func:`ntk_diagonal`.
        x: (n, ...) samples; a few of them tell what is usual.

    Raises:
        ModelError, DataError: as :func:`ntk_diagonal`.
    """
    return make_plan(placed(model, None), as_samples(x)).plan


def make_plan(model: nn.Module, x: Tensor, outputs: Outputs = "mean") -> Planned:
    """Look at the model's structure, run a copy of it on a few samples, and compare every closed form with plain autograd."""
    like = check_model(model, complex_weights=True)
    if any(tensor.is_inference() for tensor in (*model.parameters(), *model.buffers())):
        model = own_copy(model)
        like = check_model(model, complex_weights=True)
    with exact_gradients(like.device):
        found = examined(model, x, like)
        model, probe = found.model, found.probe
        layout = layout_of(outputs, found.values[0].shape[1])
        seeds = layout.seeds(like)
        uses = uses_of(found.values[0])
        reference = reference_norms(model, found.values)
        checked, reasons = Checked(), dict[str, str]()
        if not (found.decides or found.moves):
            checked, reasons = verified(model, probe, found.values[0], reference, layout)
        factored = {member.name for slot in checked.slots for member in slot.members}
        # of decisions on values, another sample may take another path
        used = {id(p) for p in model.parameters() if id(p) in uses or found.decides or found.moves}
        trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        rest = tuple(name for name, p in trained if name not in factored and id(p) in used)
        idle = tuple((id(p), name) for name, p in trained if id(p) not in used)
        general = GeneralGradients(model, rest, layout.k, found.decides, activation_numbers(model, probe)) if rest else None
        if general is not None and not found.decides and not (_agrees(general, probe, reference) or _agrees_in_double(general, probe)):
            general = replace(general, one_by_one=True)
    if found.decides:
        reasons = dict.fromkeys(rest, "the network's path depends on the values (data-dependent control flow)")
    elif found.moves:
        reasons = dict.fromkeys(rest, "the network puts its samples in an order that depends on their values")
    form: Form = "one sample at a time" if general is not None and general.one_by_one else "per-sample gradients"
    layers = owners_of(model)
    entries = []
    for name, p in model.named_parameters():
        owner_name, owner = layers[id(p)][0]
        treated: tuple[Form, str] = (form, reasons.get(name, f"{type(owner).__name__} has no closed form here"))
        if not p.requires_grad:
            treated = ("frozen", "not trained")
        elif name in factored:
            treated = ("factored", checked.methods[name])
        elif id(p) not in used:
            treated = ("unused", "the outputs do not depend on it")
        entries.append(PlanEntry(name, owner_name, type(owner).__name__, numbers_of(p), *treated))
    plan = LayerPlan(tuple(entries), layout.k)
    kinds = found.copied, found.writes, found.overwrites
    activations, output_numbers, held, pair_held, placed_numbers, collected = checked.sizes
    return Planned(
        model,
        plan,
        layout,
        checked.slots,
        general,
        idle,
        *kinds,
        checked.batched,
        checked.folded,
        checked.last,
        like,
        seeds,
        probe[:1].clone(),
        activations,
        output_numbers,
        held,
        pair_held,
        placed_numbers,
        collected,
        passing=_HELD * max(activation_sizes(model, probe), default=0) if len(trained) < len(entries) else 0,
    )


def _agrees(general: GeneralGradients, probe: Tensor, reference: dict[str, Tensor]) -> bool:
    """Whether torch.func can differentiate the network sample by sample, with plain autograd's result."""
    seeds = checking_seeds(torch.zeros(1, general.outputs, dtype=general.dtype, device=probe.device))
    try:
        gradients = general.gradients(probe.clone(), seeds)
    except Exception:  # torch.func has no single error for what it does not support; plain autograd then does the work
        return False
    parts = gradients.split(general.sizes(), -1)
    return all(close(squared_norms(part), name, reference, part.dtype) for part, name in zip(parts, general.names, strict=True))


def _agrees_in_double(general: GeneralGradients, probe: Tensor) -> bool:
    """The same in float64: rounded otherwise beside others, a sample may fall on the other side of a kink."""
    if general.dtype == torch.float64:
        return False
    try:
        model = placed(general.model, None, torch.float64)
        exact = probe.double() if probe.is_floating_point() else probe
        reference = reference_norms(model, [model(sample.clone()) for sample in exact.split(1)])
    except Exception:  # not every network can be copied, or computes in another precision
        return False
    return _agrees(replace(general, model=model), exact, reference)
