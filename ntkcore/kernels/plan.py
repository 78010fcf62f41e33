"""Which parameters' gradient norms are taken from their layer's structure, and which from per-sample gradients, and why.

A parameter is factored when it belongs to exactly one layer whose gradient has a closed form, this layer runs exactly once in a forward
pass, nothing else uses the parameter, and its norm agrees with plain autograd's on the first sample. All other gradients are formed.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.kernels.capture import Capture, capture, exact_gradients
from ntkcore.kernels.checks import as_batch, as_samples, check_model
from ntkcore.kernels.features import squared_norms
from ntkcore.kernels.general import GeneralGradients
from ntkcore.kernels.layers import LayerRule, rule_for
from ntkcore.kernels.layout import Layout, Outputs, layout_of
from ntkcore.kernels.probe import (
    activation_numbers,
    checked_outputs,
    checking_seeds,
    close,
    count_uses,
    owners_of,
    path_depends_on_values,
    reference_norms,
)

Form = Literal["factored", "per-sample gradients", "one sample at a time", "unused", "frozen"]


class FallbackWarning(UserWarning):
    """Some layers' gradients are formed sample by sample: the result is exact, but slower."""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One parameter: its name, its layer's name and class, its number of elements, how it is treated, and why."""

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
class Slot:
    """A factored layer: its name, itself, its rule and which of its own parameters are meant."""

    name: str
    module: nn.Module
    rule: LayerRule
    wanted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan ready to run: the factored layers, the rest, and the sizes per sample that memory is forecast from.

    ``seeds`` (s, k): the layout's combinations of outputs; ``activations``: numbers in the factored layers' inputs and outputs;
    ``output_numbers``: in their outputs alone; ``held``: kept per layer for the norms; ``pair_held``: kept for Gram blocks, of which
    ``placed`` are formed where they stay; ``collected``: what features need of one scalar's gradients; ``first`` (1, ...): the sample
    that the plan was made on; ``batched`` and ``folded``: whether one backward pass for several scalars works in these two ways.
    """

    model: nn.Module
    plan: LayerPlan
    layout: Layout
    slots: tuple[Slot, ...]
    general: GeneralGradients | None
    batched: bool
    folded: bool
    like: Tensor
    seeds: Tensor
    first: Tensor
    activations: int
    output_numbers: int
    held: int
    pair_held: int
    placed: int
    collected: int


def layer_plan(model: nn.Module, x: Tensor | np.ndarray) -> LayerPlan:
    """How :func:`ntk_diagonal` and :func:`empirical_ntk` treat each parameter of ``model``, with the reason.

    Args:
        model: as for :func:`ntk_diagonal`.
        x: (n, ...) samples; only the first two are used.

    Raises:
        ModelError, DataError: as :func:`ntk_diagonal`.
    """
    return make_plan(getattr(model, "_orig_mod", model), as_samples(x)).plan


def make_plan(model: nn.Module, x: Tensor, outputs: Outputs = "mean") -> Planned:
    """Look at the model's structure, run it on at most two samples, and compare every closed form with plain autograd."""
    like = check_model(model)
    probe = as_batch(x[:2], like)
    with exact_gradients(like.device):
        values = checked_outputs(model, probe)
        layout = layout_of(outputs, values.shape[1])
        seeds = layout.seeds(like)
        uses = count_uses(values)
        reference = reference_norms(model, values)
        sequential = path_depends_on_values(model, probe)
        names = {id(p): name for name, p in model.named_parameters()}
        slots, reasons = ([], {}) if sequential else _candidates(model, probe, uses)
        slots, methods, batched, folded, sizes = _verified(model, probe, slots, reference, reasons, names, layout)
        factored = {names[id(slot.module.get_parameter(local))] for slot in slots for local in slot.wanted}
        if sequential:  # another sample may take another path
            uses.update({id(p): 1 for p in model.parameters() if not uses[id(p)]})
        rest = tuple(name for name, p in model.named_parameters() if p.requires_grad and name not in factored and uses[id(p)])
        general = GeneralGradients(model, rest, layout.k, sequential, activation_numbers(model, probe)) if rest else None
        if general is not None and not sequential and not _agrees(general, probe, reference):
            general = replace(general, one_by_one=True)
    if sequential:
        reasons = dict.fromkeys(rest, "the network's path depends on the values (data-dependent control flow)")
    form: Form = "one sample at a time" if general is not None and general.one_by_one else "per-sample gradients"
    layers = owners_of(model)
    entries = []
    for name, p in model.named_parameters():
        owner_name, owner = layers[id(p)][0]
        treated: tuple[Form, str] = (form, reasons.get(name, f"{type(owner).__name__} has no closed form here"))
        if not p.requires_grad:
            treated = ("frozen", "not trained")
        elif name in factored:
            treated = ("factored", methods[owner_name])
        elif not uses[id(p)]:
            treated = ("unused", "the outputs do not depend on it")
        entries.append(PlanEntry(name, owner_name, type(owner).__name__, p.numel(), *treated))
    plan = LayerPlan(tuple(entries), layout.k)
    return Planned(model, plan, layout, tuple(slots), general, batched, folded, like, seeds, probe[:1].clone(), *sizes)


def _candidates(model: nn.Module, probe: Tensor, uses: Counter[int]) -> tuple[list[Slot], dict[str, str]]:
    """The layers that may be factored by structure, and for the other known layers' parameters the reason why not."""
    owners = owners_of(model)
    names = {id(p): name for name, p in model.named_parameters()}
    known: dict[str, tuple[nn.Module, LayerRule]] = {}
    for name, module in model.named_modules():
        rule, own = rule_for(module), dict(module.named_parameters(recurse=False))
        if rule is not None and set(own) <= {"weight", "bias"} and any(p.requires_grad for p in own.values()):
            known[name] = (module, rule)
    with torch.no_grad():
        watched = capture(model, probe, {name: module for name, (module, _) in known.items()})
    slots, reasons = [], {}
    for name, (module, rule) in known.items():
        calls, wanted = watched.calls[name], set()
        for local, p in module.named_parameters(recurse=False):
            holders = owners[id(p)]
            reason = None
            if len(holders) > 1:
                reason = "shared by " + " and ".join(repr(holder) for holder, _ in holders)
            elif len(calls) != 1:
                reason = f"its layer runs {len(calls)} times in one pass" if calls else "used without running its layer"
            elif uses[id(p)] > 1:
                reason = f"used {uses[id(p)]} times in one pass, not by its layer alone"
            else:
                reason = rule.refusal(module, calls[0].value, calls[0].output, len(probe))
            if reason is not None:
                reasons[names[id(p)]] = reason
            elif p.requires_grad and uses[id(p)]:
                wanted.add(local)
        if wanted:
            slots.append(Slot(name, module, rule, frozenset(wanted)))
    return slots, reasons


def _verified(
    model: nn.Module,
    probe: Tensor,
    slots: list[Slot],
    reference: dict[str, Tensor],
    reasons: dict[str, str],
    names: dict[int, str],
    layout: Layout,
) -> tuple[list[Slot], dict[str, str], bool, bool, tuple[int, ...]]:
    """Drop what disagrees with plain autograd on the first sample (with the reason), and measure what is kept."""
    kept: list[Slot] = []
    methods: dict[str, str] = {}
    sizes = torch.zeros(6, dtype=torch.int64)
    if not slots:
        return kept, methods, False, False, tuple(sizes.tolist())
    watched = capture(model, probe, {slot.name: slot.module for slot in slots})
    gradients, batched, folded = _backward(watched, [slot.name for slot in slots], checking_seeds(watched.outputs.detach()))
    for slot, g in zip(slots, gradients, strict=True):
        call, agreed = watched.single(slot.name), set()
        for local in slot.wanted:
            name = names[id(slot.module.get_parameter(local))]
            prepared = slot.rule.prepare(slot.module, call.value, call.output.shape, layout, frozenset({local}))
            if close(prepared.squared_norms(g)[:, 0], name, reference, probe_dtype=g.dtype):
                agreed.add(local)
            else:
                reasons[name] = "its closed form disagrees with autograd on the first sample"
        if not agreed:
            continue
        kept.append(Slot(slot.name, slot.module, slot.rule, frozenset(agreed)))
        prepared = slot.rule.prepare(slot.module, call.value, call.output.shape, layout, frozenset(agreed))
        methods[slot.name] = prepared.method
        outputs, collected = call.output.numel(), prepared.collected(g[:1]).numel()
        numbers = prepared.numbers(), prepared.pair_numbers(), prepared.placed_numbers(), collected
        sizes += torch.tensor([call.value.numel() + outputs, outputs, *numbers])
    return kept, methods, batched, folded, tuple((sizes // len(probe)).tolist())


def _backward(watched: Capture, names: list[str], seeds: Tensor) -> tuple[list[Tensor], bool, bool]:
    """The gradients, and whether one pass for several outputs works, batched and, of images on a CPU, folded.

    Some operations have no such pass: it fails, or gives other gradients. One pass for each output is then taken, exact and slower.
    """
    try:
        found, batched = watched.gradients(names, seeds, batched=True), True
    except (RuntimeError, NotImplementedError, ValueError):
        found, batched = watched.gradients(names, seeds, batched=False), False
    if watched.outputs.device.type != "cpu" or all(watched.single(name).output.ndim != 4 for name in names):
        return found, batched, False
    try:
        folded = watched.gradients(names, seeds, batched=True, folded=True)
    except (RuntimeError, NotImplementedError, ValueError):
        return found, batched, False
    rounding = 1e3 * torch.finfo(seeds.dtype).eps  # of sums in another order, through all layers
    return found, batched, all((f - g).norm() <= rounding * g.norm() for f, g in zip(folded, found, strict=True))


def _agrees(general: GeneralGradients, probe: Tensor, reference: dict[str, Tensor]) -> bool:
    """Whether torch.func can differentiate the network sample by sample, with plain autograd's result."""
    seeds = checking_seeds(torch.zeros(1, general.outputs, dtype=general.dtype, device=probe.device))
    try:
        gradients = general.gradients(probe, seeds)[:, 0]
    except Exception:  # torch.func has no single error for what it does not support; plain autograd then does the work
        return False
    parts = gradients.split([general.model.get_parameter(name).numel() for name in general.names], 1)
    return all(close(squared_norms(part), name, reference, part.dtype) for part, name in zip(parts, general.names, strict=True))
