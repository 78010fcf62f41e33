"""Which parameters' gradient norms are taken from their layer's structure, and which from per-sample gradients, and why.

A parameter is factored when it belongs to exactly one layer whose gradient has a closed form, this layer runs exactly once in a forward
pass, nothing else uses the parameter, and its norms agree with plain autograd's on a few samples. All other gradients are formed.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.kernels.capture import Capture, capture, exact_gradients
from ntkcore.kernels.checks import as_samples, check_model, own_copy, placed
from ntkcore.kernels.examined import examined
from ntkcore.kernels.features import squared_norms
from ntkcore.kernels.general import GeneralGradients, numbers_of
from ntkcore.kernels.layers import LayerRule, rule_for
from ntkcore.kernels.layout import Layout, Outputs, layout_of
from ntkcore.kernels.probe import (
    activation_numbers,
    checking_seeds,
    close,
    count_uses,
    owners_of,
    reference_norms,
)

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
    that the plan was made on; ``allowed``: how often a pass
    may use a factored or an unused parameter, by its tensor's id and its name; ``copied``: whether ``model`` is a copy, and the
    user's own is only read; ``writes``: whether it writes to its own state; ``overwrites``: whether it changes its samples in place;
    ``batched`` and ``folded``: whether one backward pass for several scalars works in these two ways; ``last``: whether images may have
    their channels last in memory.
    """

    model: nn.Module
    plan: LayerPlan
    layout: Layout
    slots: tuple[Slot, ...]
    general: GeneralGradients | None
    allowed: tuple[tuple[int, str, int], ...]
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
        uses = count_uses(found.values[0])
        reference = reference_norms(model, found.values)
        names = {id(p): name for name, p in model.named_parameters()}
        slots, reasons = ([], {}) if found.decides or found.moves else _candidates(model, probe, uses)
        checked = _verified(model, probe, slots, reference, reasons, names, layout)
        factored = {names[id(slot.module.get_parameter(local))] for slot in checked.slots for local in slot.wanted}
        if found.decides or found.moves:  # another sample may take another path
            uses.update({id(p): 1 for p in model.parameters() if not uses[id(p)]})
        trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        rest = tuple(name for name, p in trained if name not in factored and uses[id(p)])
        allowed = tuple((id(p), name, int(name in factored)) for name, p in trained if name in factored or not uses[id(p)])
        general = GeneralGradients(model, rest, layout.k, found.decides, activation_numbers(model, probe)) if rest else None
        if general is not None and not found.decides and not _agrees(general, probe, reference):
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
            treated = ("factored", checked.methods[owner_name])
        elif not uses[id(p)]:
            treated = ("unused", "the outputs do not depend on it")
        entries.append(PlanEntry(name, owner_name, type(owner).__name__, numbers_of(p), *treated))
    plan = LayerPlan(tuple(entries), layout.k)
    kinds = found.copied, found.writes, found.overwrites
    return Planned(
        model,
        plan,
        layout,
        tuple(checked.slots),
        general,
        allowed,
        *kinds,
        checked.batched,
        checked.folded,
        checked.last,
        like,
        seeds,
        probe[:1].clone(),
        *checked.sizes,
    )


def _candidates(model: nn.Module, probe: Tensor, uses: Counter[int]) -> tuple[list[Slot], dict[str, str]]:
    """The layers that may be factored by structure, and for the other known layers' parameters the reason why not."""
    owners = owners_of(model)
    names = {id(p): name for name, p in model.named_parameters()}
    known: dict[str, tuple[nn.Module, LayerRule]] = {}
    for name, module in model.named_modules():
        rule, own = rule_for(module), dict(module.named_parameters(recurse=False))
        real = not any(p.is_complex() for p in own.values())
        if rule is not None and real and set(own) <= {"weight", "bias"} and any(p.requires_grad for p in own.values()):
            known[name] = (module, rule)
    with torch.no_grad():
        watched = capture(model, probe.clone(), {name: module for name, (module, _) in known.items()})
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


@dataclass(frozen=True, slots=True)
class _Checked:
    """The layers whose closed forms hold, in what words, which ways of a backward pass work, and the sizes of one sample."""

    slots: list[Slot]
    methods: dict[str, str]
    batched: bool = False
    folded: bool = False
    last: bool = False
    sizes: tuple[int, ...] = (0,) * 6


def _verified(
    model: nn.Module,
    probe: Tensor,
    slots: list[Slot],
    reference: dict[str, Tensor],
    reasons: dict[str, str],
    names: dict[int, str],
    layout: Layout,
) -> _Checked:
    """Drop what disagrees with plain autograd on a sample (with the reason), and measure what is kept.

    The samples are taken in two orders and numbers, in which no layer can have their rows in its own order or from another axis.
    """
    kept: list[Slot] = []
    methods: dict[str, str] = {}
    if not slots:
        return _Checked(kept, methods)
    rows = len(probe)
    turned = list(range(rows - 1, 0, -1))
    agreed: dict[tuple[str, str], bool] = {}
    for order in (turned, list(range(rows))):
        expected = {name: norms[:, order] for name, norms in reference.items()}
        watched = capture(model, probe[order], {slot.name: slot.module for slot in slots})
        slots = [slot for slot in slots if len(watched.calls[slot.name]) == 1]
        gradients, batched, folded = _backward(watched, [slot.name for slot in slots], checking_seeds(watched.outputs.detach()))
        for slot, g in zip(slots, gradients, strict=True):
            call = watched.single(slot.name)
            for local in slot.wanted:
                name, key = names[id(slot.module.get_parameter(local))], (slot.name, local)
                holds = slot.rule.refusal(slot.module, call.value, call.output, len(order)) is None
                if holds and agreed.get(key, True):
                    prepared = slot.rule.prepare(slot.module, call.value, call.output.shape, layout, frozenset({local}))
                    holds = close(prepared.squared_norms(g), name, expected, probe_dtype=g.dtype)
                agreed[key] = holds and agreed.get(key, True)
                if not agreed[key]:
                    reasons[name] = "its closed form disagrees with autograd on a sample"
    sizes = torch.zeros(6, dtype=torch.int64)
    for slot, g in zip(slots, gradients, strict=True):
        wanted = frozenset(local for local in slot.wanted if agreed[slot.name, local])
        if not wanted:
            continue
        call = watched.single(slot.name)
        kept.append(Slot(slot.name, slot.module, slot.rule, wanted))
        prepared = slot.rule.prepare(slot.module, call.value, call.output.shape, layout, wanted)
        methods[slot.name] = prepared.method
        outputs, collected = call.output.numel(), prepared.collected(g[:1]).numel()
        numbers = prepared.numbers(), prepared.pair_numbers(), prepared.placed_numbers(), collected
        sizes += torch.tensor([call.value.numel() + outputs, outputs, *numbers])
    last = probe.ndim == 4 and probe.device.type == "cpu" and _takes_channels_last(model, probe, kept, gradients, watched)
    return _Checked(kept, methods, batched, folded, last, tuple((sizes // rows).tolist()))


def _takes_channels_last(model: nn.Module, probe: Tensor, slots: list[Slot], gradients: list[Tensor], before: Capture) -> bool:
    """Whether images may have their channels last in memory: some operations refuse them."""
    names = [slot.name for slot in slots]
    numbers = list(before.calls)
    try:
        after = capture(model, torch.empty_like(probe, memory_format=torch.channels_last).copy_(probe), {s.name: s.module for s in slots})
        found = after.gradients(names, checking_seeds(after.outputs.detach()), batched=False)
    except Exception:  # an operation may have any reason
        return False
    return all(_near(one, gradients[numbers.index(name)]) for name, one in zip(names, found, strict=True))


def _near(found: Tensor, expected: Tensor) -> bool:
    """Equal to the rounding of sums in another order, through all layers."""
    return bool((found - expected).norm() <= 1e3 * torch.finfo(expected.dtype).eps * expected.norm())


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
    return found, batched, all(map(_near, folded, found))


def _agrees(general: GeneralGradients, probe: Tensor, reference: dict[str, Tensor]) -> bool:
    """Whether torch.func can differentiate the network sample by sample, with plain autograd's result."""
    seeds = checking_seeds(torch.zeros(1, general.outputs, dtype=general.dtype, device=probe.device))
    try:
        gradients = general.gradients(probe.clone(), seeds)
    except Exception:  # torch.func has no single error for what it does not support; plain autograd then does the work
        return False
    parts = gradients.split(general.sizes(), -1)
    return all(close(squared_norms(part), name, reference, part.dtype) for part, name in zip(parts, general.names, strict=True))
