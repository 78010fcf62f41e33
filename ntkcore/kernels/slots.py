"""The operations of a network that have closed forms, and the check of each of them against plain autograd."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from ntkcore.kernels.capture import Capture, capture
from ntkcore.kernels.layers import OperationRule, Site, rule_for
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.probe import checking_seeds, close, owners_of, reference_norms
from ntkcore.kernels.uses import Use, Way, shape_of
from ntkcore.kernels.ways import PLAIN, Ways

_Ways = tuple[Way, ...]
_KINKS = 5e-2  # of a gradient or its squared norm: more than a few values on the other side of a kink make of it
_DISAGREES = "its closed form disagrees with autograd on a sample"


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter: its tensor's id, and its name."""

    place: int
    name: str


class Form(NamedTuple):
    """How an operation takes the members of a slot: its ``rule``, their ``roles`` in it, and where the samples lie in its result, as
    :class:`~ntkcore.kernels.layers.Site` says."""

    rule: OperationRule
    roles: tuple[str, ...]
    axis: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Parameters that one operation takes in every pass, with their gradients in closed form.

    Attributes:
        members: the parameters.
        forms: the ways in which an operation takes them; a sample alone may be computed otherwise than several.
        images: whether it is a convolution of images.
    """

    members: tuple[Member, ...]
    forms: dict[_Ways, Form]
    images: bool

    def site(self, watched: Capture, by: Ways = PLAIN) -> Site | None:
        """The operation in a pass; None where that uses a parameter otherwise."""
        uses = self.uses(watched)
        ways = tuple([use.way for use in uses])
        form = self.forms.get(ways)
        return None if form is None else self.site_of(watched, uses, form, by)

    def uses(self, watched: Capture) -> list[Use]:
        """Those of the members by the one operation of a pass that takes them all, once; none where there is no such one."""
        found: list[Use] = []
        for member in self.members:
            taken = watched.uses.get(member.place, ())
            if len(taken) != 1 or (found and taken[0].node is not found[0].node):
                return []
            found += taken
        return found

    def site_of(self, watched: Capture, uses: Sequence[Use], form: Form, by: Ways = PLAIN) -> Site:
        """The operation of these ``uses``."""
        named = {role: member.name for role, member in zip(form.roles, self.members, strict=True)}
        node = uses[0].node
        by_role = dict(zip(form.roles, uses, strict=True))
        return Site(form.rule, node, type(node).__name__, by_role, named, shape_of(node), len(watched.outputs), form.axis, by)

    def formed(self, watched: Capture) -> tuple[_Ways, Site] | None:
        """As :meth:`site`, in any form that there is a rule for."""
        uses = self.uses(watched)
        rule = rule_for(uses[0].way) if uses else None
        roles = [] if rule is None else [role for role in (rule.role(use.way) for use in uses) if role is not None]
        if rule is None or len(set(roles)) < len(uses):
            return None
        return tuple(use.way for use in uses), self.site_of(watched, uses, Form(rule, tuple(roles), 0))


@dataclass(frozen=True, slots=True)
class Checked:
    """The slots whose closed forms hold, in what words by parameter, which ways of a backward pass work, the sizes of one sample."""

    slots: tuple[Slot, ...] = ()
    methods: dict[str, str] = field(default_factory=dict)
    batched: bool = False
    folded: bool = False
    last: bool = False
    sizes: tuple[int, ...] = (0,) * 6


_Reasons = dict[int, dict[str, str]]
"""For each axis, the names of the parameters whose closed form does not hold there, and why not."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A slot, and for each form what does not hold of it, as far as it was seen."""

    slot: Slot
    against: dict[_Ways, _Reasons]

    def judged(self, site: Site, raw: Tensor, expected: dict[str, Tensor], layout: Layout) -> _Reasons:
        """By the ``expected`` norms, for the gradients ``raw`` of the operation's result."""
        found: _Reasons = {}
        for axis in site.rule.axes:
            here = replace(site, axis=axis)
            refusal = site.rule.refusal(here)
            found[axis] = {} if refusal is None else dict.fromkeys(site.names.values(), refusal)
            for role, use in site.uses.items() if refusal is None else ():
                prepared = site.rule.prepare(replace(here, uses={role: use}), layout)
                norms, name = prepared.squared_norms(prepared.by_sample(raw)), site.names[role]
                if not close(norms, name, expected, probe_dtype=raw.dtype):
                    found[axis][name] = _DISAGREES
        return found

    def note(self, ways: _Ways, reasons: _Reasons) -> None:
        """Remember what a pass has shown."""
        known = self.against.setdefault(ways, {axis: {} for axis in reasons})
        for axis, found in reasons.items():
            known[axis] = found | known[axis]

    def settled(self) -> tuple[Slot, dict[str, str]]:
        """The slot of those members whose closed forms hold in all forms, and why the others' do not."""
        axes = {ways: min(known, key=lambda axis: (len(known[axis]), axis)) for ways, known in self.against.items()}
        reasons = {name: reason for ways, axis in axes.items() for name, reason in self.against[ways][axis].items()}
        kept = [number for number, member in enumerate(self.slot.members) if member.name not in reasons]
        forms = {}
        for ways, axis in axes.items():
            rule = rule_for(ways[0])
            assert rule is not None
            forms[tuple(ways[number] for number in kept)] = Form(rule, tuple(rule.role(ways[number]) or "" for number in kept), axis)
        return replace(self.slot, members=tuple(self.slot.members[number] for number in kept), forms=forms), reasons


def verified(
    model: nn.Module, probe: Tensor, alone: Tensor, reference: dict[str, Tensor], layout: Layout
) -> tuple[Checked, dict[str, str]]:
    """The slots that agree with plain autograd's norms ``reference`` on a few samples, and for other parameters the reason why not.

    The samples are taken in two orders and numbers, in which no operation can have their rows in its own order or from another axis;
    ``alone`` (1, k) are the outputs of the first by itself.
    """
    rows = len(probe)
    orders = [list(range(rows - 1, 0, -1)), [0], list(range(rows))]
    passes = [capture(model, probe[orders[0]]), Capture.of(alone), capture(model, probe)]
    slots, reasons = _candidates(model, passes)
    trials = [_Trial(slot, {}) for slot in slots]
    raw: list[Tensor] = []
    batched = folded = False
    for order, watched in zip(orders, passes, strict=True):
        met = [(trial, *found) for trial in trials if (found := trial.slot.formed(watched)) is not None]
        if order == [0]:  # computed as among others, it needs no look of its own
            met = [(trial, ways, site) for trial, ways, site in met if ways not in trial.against]
        if not met:
            continue
        nodes, seeds = [site.node for _, _, site in met], checking_seeds(watched.outputs.detach())
        if len(order) == rows:
            raw, batched, folded = _backward(watched, nodes, seeds)
        else:
            raw = watched.gradients(nodes, seeds, batched=False)
        expected = {name: norms[:, order] for name, norms in reference.items()}
        judged = [trial.judged(site, gradients, expected, layout) for (trial, _, site), gradients in zip(met, raw, strict=True)]
        if raw[0].dtype == torch.float32 and any(map(_in_doubt, judged)):
            expected = _of_one_pass(reference_norms(model, watched.outputs.split(1)), expected)
            judged = [trial.judged(site, gradients, expected, layout) for (trial, _, site), gradients in zip(met, raw, strict=True)]
        for (trial, ways, _), shown in zip(met, judged, strict=True):
            trial.note(ways, shown)
    kept = []
    for trial, gradients in zip(trials, raw, strict=True):
        slot, why = trial.settled()
        reasons |= why
        if slot.members:
            kept.append((slot, gradients))
    methods: dict[str, str] = {}
    sizes = torch.zeros(6, dtype=torch.int64)
    for slot, gradients in kept:
        here = slot.site(passes[-1])
        assert here is not None
        prepared = here.rule.prepare(here, layout)
        methods |= dict.fromkeys(here.names.values(), prepared.method)
        outputs, collected = gradients[0].numel(), prepared.collected(prepared.by_sample(gradients[:1])).numel()
        numbers = prepared.numbers(), prepared.pair_numbers(), prepared.placed_numbers(), collected
        sizes += torch.tensor([prepared.input_numbers() + outputs, outputs, *numbers])
    last = probe.ndim == 4 and probe.device.type == "cpu" and bool(kept) and _takes_channels_last(model, probe, kept)
    return Checked(tuple(slot for slot, _ in kept), methods, batched, folded, last, tuple((sizes // rows).tolist())), reasons


def _in_doubt(judged: _Reasons) -> bool:
    """Whether no axis is free of reasons, and one of them is a disagreement."""
    return all(judged.values()) and any(_DISAGREES in reasons.values() for reasons in judged.values())


def _of_one_pass(norms: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The ``norms`` of samples beside others in place of those ``expected`` of them alone, where these are not quite others.

    Beside others a sample is rounded otherwise, and a value may fall on the other side of a kink: then only the same pass is comparable.
    """
    return {
        name: norms[name] if bool(((norms[name] - alone).abs() <= _KINKS * alone.amax()).all()) else alone
        for name, alone in expected.items()
    }


def _candidates(model: nn.Module, passes: Sequence[Capture]) -> tuple[list[Slot], dict[str, str]]:
    """The slots that may have a closed form by structure in all ``passes``, and for other parameters the reason why not."""
    owners = owners_of(model)
    groups: dict[tuple[Node, ...], list[Member]] = {}
    reasons: dict[str, str] = {}
    for name, p in model.named_parameters():
        taken, holders = [watched.uses.get(id(p), []) for watched in passes], owners[id(p)]
        most = max(map(len, taken))
        # compiled once it has run a few times, a script has other operations
        if not most or p.is_complex() or any(isinstance(holder, torch.jit.ScriptModule) for _, holder in holders):
            continue
        if most > 1 or min(map(len, taken)) == 0:
            shared = "shared by " + " and ".join(repr(holder) for holder, _ in holders)
            reasons[name] = shared if len(holders) > 1 else f"used {most} times in one pass"
        elif all(rule_for(one.way) is not None for (one,) in taken):
            groups.setdefault(tuple(one.node for (one,) in taken), []).append(Member(id(p), name))
    slots = []
    for nodes, held in groups.items():
        images = type(nodes[-1]).__name__ == "ConvolutionBackward0" and len(shape_of(nodes[-1])) == 4
        slot = Slot(tuple(held), {}, images)
        if all(slot.formed(watched) is not None for watched in passes):
            slots.append(slot)
    return slots, reasons


def _backward(watched: Capture, nodes: list[Node], seeds: Tensor) -> tuple[list[Tensor], bool, bool]:
    """The gradients, and whether one pass for several outputs works, batched and, of images on a CPU, folded.

    Some operations have no such pass: it fails, or gives other gradients. One pass for each output is then taken, exact and slower.
    """
    try:
        found, batched = watched.gradients(nodes, seeds, batched=True), True
    except (RuntimeError, NotImplementedError, ValueError):
        found, batched = watched.gradients(nodes, seeds, batched=False), False
    if watched.outputs.device.type != "cpu" or all(len(shape_of(node)) != 4 for node in nodes):
        return found, batched, False
    try:
        folded = watched.gradients(nodes, seeds, batched=True, folded=True)
    except (RuntimeError, NotImplementedError, ValueError):
        return found, batched, False
    return found, batched, all(map(_near, folded, found))


def _takes_channels_last(model: nn.Module, probe: Tensor, slots: list[tuple[Slot, Tensor]]) -> bool:
    """Whether images may have their channels last in memory: some operations refuse them."""
    try:
        after = capture(model, torch.empty_like(probe, memory_format=torch.channels_last).copy_(probe))
        nodes = [site.node for site in (slot.site(after) for slot, _ in slots) if site is not None]
        found = after.gradients(nodes, checking_seeds(after.outputs.detach()), batched=False)
    except Exception:  # an operation may have any reason
        return False
    return len(nodes) == len(slots) and all(_near(one, before, _KINKS) for one, (_, before) in zip(found, slots, strict=True))


def _near(found: Tensor, expected: Tensor, tolerance: float = 0.0) -> bool:
    """Equal to the rounding of sums in another order, through all layers, or to a ``tolerance``."""
    return bool((found - expected).norm() <= max(tolerance, 1e3 * torch.finfo(expected.dtype).eps) * expected.norm())
