"""Whether a network has a kernel at all: each output from its own sample, the same each time, in the precision that is promised.

What is refused here must be refused whichever samples come first. Whether samples are mixed is therefore asked beside others that no mixing
leaves unseen (not a number, far larger, zero); randomness is asked of the random generators; precision and decisions are asked of the
operations (:mod:`ntkcore.kernels.watch`). All this runs on a copy of the network, which has buffers of its own.
"""

import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import ModelError
from ntkcore.kernels.copies import altered, copied, noted, own_state, restored, shared
from ntkcore.kernels.probe import REENTRANT, TOLERANCE, probes
from ntkcore.kernels.watch import Leaving, Watch, WeightsWritten

_FAR = 100.0  # times the values of a sample, where another is to be far from it
_MANY, _SMALL = 8, 2**10  # samples beside one, where they have few numbers
_REENTRANT = "None of the inputs have requires_grad"  # torch's warning where a reentrant checkpoint hides weights
_TRIES = 20  # runs of which one without a draw tells that others drew
_EPS = 1e2  # rounding errors between two equal runs of a network that writes to itself


@dataclass(frozen=True, slots=True)
class Examined:
    """A network that has a kernel.

    Attributes:
        model: what runs in its place: a copy that shares its weights, or itself where there is none.
        copied: whether it is a copy.
        writes: whether it writes to its own buffers or attributes; a copy has its own.
        probe: (3, ...) the samples that it was looked at on.
        values: for each of them alone, the outputs (1, k).
        decides, moves: as of :class:`~ntkcore.kernels.watch.Watch`.
        overwrites: whether it changes its samples in place.
    """

    model: nn.Module
    copied: bool
    writes: bool
    probe: Tensor
    values: tuple[Tensor, ...]
    decides: bool
    moves: bool
    overwrites: bool


def examined(model: nn.Module, x: Tensor, like: Tensor) -> Examined:
    """Look at ``model`` on samples like ``x`` (n, ...); ``like`` is on its device and in its precision.

    Raises:
        ModelError: outputs that are not (b, k) real numbers of the network's precision, that are random, that depend on other samples
            or on what was shown before.
    """
    worker = copied(model, own_state)
    with restored(model) as written, warnings.catch_warnings():
        warnings.filterwarnings("error", message=_REENTRANT)
        found = _looked_at(worker or model, x, like, worker is not None)
        astray = worker is not None and written()
    if found.writes and worker is None:
        raise ModelError("The network changes its own state while it runs, and cannot be copied.", "Call model.eval() first.")
    if astray:
        raise ModelError("A function that the network holds writes to another copy of it.", "Make it a method of the network's modules.")
    if worker is None:
        return found
    fresh = copied(model, own_state if found.writes else shared)  # that one has seen samples that are none
    assert fresh is not None  # as the other could be made
    # the weights are shared, so that the outputs which the other gave before it saw those have the same gradients, unless it wrote since
    return replace(found, model=fresh, values=_each(fresh, found.probe) if found.writes else found.values)


def _looked_at(model: nn.Module, x: Tensor, like: Tensor, copied: bool) -> Examined:
    begun, drawn = noted(model), _generators(model)
    probe, outputs, watch, overwrites = _first_run(model, probes(x, like), like)
    writes = altered(begun, model)
    if watch.draws or (_differ(drawn, _generators(model)) and _draws(model, probe)):
        raise ModelError(
            "The network draws random numbers, and so gives different outputs for the same input.",
            "Switch off what is random in it, usually by model.eval().",
        )
    if watch.narrowed is not None:
        narrow, own = (str(dtype).removeprefix("torch.") for dtype in (watch.narrowed, like.dtype))
        raise ModelError(
            f"The network computes a part of its outputs in {narrow}, though its weights are {own}.",
            "Remove what changes the precision (autocast or a cast in its forward pass), or convert its weights to that precision.",
        )
    _require_same(model, probe, outputs, writes)
    values = tuple(_alone(model, row.clone()) for row in probe.split(1))
    _require_no_mixing(model, probe, outputs, values, watch)
    if writes:  # by now it has seen other samples
        _require_same(model, probe, outputs, writes)
    if not values[0].requires_grad:
        raise ModelError(
            "The network's outputs do not depend on any trainable parameter.",
            "Set requires_grad, and do not run the network under torch.no_grad().",
        )
    return Examined(model, copied, writes, probe, values, watch.decides, watch.moves, overwrites)


def _run(model: nn.Module, samples: Tensor) -> Tensor:
    """The outputs (b, k).

    Raises:
        ModelError: they are not that.
    """
    try:
        outputs = model(samples)
    except Exception as error:  # a network can raise anything
        if _REENTRANT in str(error):
            raise ModelError("A reentrant checkpoint hides the gradients of the weights within it.", REENTRANT) from error
        raise ModelError(
            f"The network cannot take samples of shape {tuple(samples.shape[1:])} ({samples.dtype}): {error}",
            "Choose a network made for these inputs, or give inputs of its shape.",
        ) from error
    if not isinstance(outputs, Tensor) or outputs.ndim != 2:
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ModelError(f"The network's output is {got}, not (batch, outputs).", "Make it return one row of numbers per sample.")
    if outputs.shape[0] != samples.shape[0] or not outputs.shape[1]:
        raise ModelError(
            f"For {samples.shape[0]} samples the network returns the shape {tuple(outputs.shape)}.",
            "Make it return one row of numbers per sample.",
        )
    if outputs.dtype not in TOLERANCE:
        raise ModelError(f"The network's outputs are {outputs.dtype}.", "Make it compute in one precision, float32 or float64.")
    return outputs


def _each(model: nn.Module, probe: Tensor) -> tuple[Tensor, ...]:
    """The outputs (1, k) of every sample alone."""
    return tuple(_run(model, row.clone()) for row in probe.split(1))


def _first_run(model: nn.Module, tried: Sequence[Tensor], like: Tensor) -> tuple[Tensor, Tensor, Watch, bool]:
    """The first of the probes that the network takes, its outputs, what was watched, and whether the network changes it in place."""
    for number, probe in enumerate(tried):
        watch = _watched(model, probe, like)
        given = probe.clone()
        version = given._version
        try:
            outputs = _run(model, given)
            if bool(torch.isfinite(outputs).all()):
                return probe, outputs, watch, given._version != version
        except ModelError:
            if number == len(tried) - 1:
                raise
    raise ModelError("The network's outputs are NaN or infinite on the first samples.", "Check its weights and the inputs' scale.")


def _watched(model: nn.Module, probe: Tensor, like: Tensor) -> Watch:
    """Watch the network run.

    Raises:
        ModelError: it would write to its own weights.
    """
    samples = probe.clone()
    watch = Watch(samples, [p for p in model.parameters() if p.is_floating_point() or p.is_complex()], like.dtype)
    try:
        with Leaving(watch), watch:
            model(samples)
    except WeightsWritten as error:
        raise ModelError(
            "The network changes its own weights while it runs.", "Switch that off (max_norm of an embedding, a step of training)."
        ) from error
    except Exception:  # what cannot be watched may do anything
        watch.decides = watch.moves = watch.indexes = True
    return watch


def _alone(model: nn.Module, sample: Tensor) -> Tensor:
    try:
        return _run(model, sample)
    except ModelError as error:
        raise _mixing(f"The network takes several samples, but not one alone ({error.message})") from error


def _mixing(reason: str) -> ModelError:
    return ModelError(f"{reason}, so the kernel is not defined.", "Use model.eval(), or remove what mixes samples.")


def _require_same(model: nn.Module, probe: Tensor, outputs: Tensor, writes: bool) -> None:
    """Refuse a network that gives other outputs than before."""
    again, before = _run(model, probe.clone()).detach(), outputs.detach()
    scale = before.abs().max() * (_EPS * torch.finfo(before.dtype).eps if writes else TOLERANCE[before.dtype])
    if not bool((before - again).abs().max() <= scale):
        raise ModelError(
            "The network gives different outputs for the same input: they depend on what it was shown before.",
            "Switch off what is random in it or changes its state, usually by model.eval().",
        )


def _require_no_mixing(model: nn.Module, probe: Tensor, outputs: Tensor, values: Sequence[Tensor], watch: Watch) -> None:
    """Refuse a network in which a sample's outputs depend on the others, on their number, or on its place among them."""
    alone = torch.cat([value.detach() for value in values])
    tolerance = TOLERANCE[alone.dtype]
    scale = tolerance * float(torch.cat([outputs.detach(), alone]).abs().max())

    def differs(found: Tensor, expected: Tensor) -> bool:
        return not bool((found - expected).abs().max() <= max(scale, tolerance * float(expected.abs().max())))

    mixes = differs(outputs.detach(), alone)
    for others, count, last in _companions(probe, watch):
        if mixes:
            break
        beside = others.repeat(count, *[1] * (probe.ndim - 1))[:count]
        try:
            found = _run(model, torch.cat([beside, probe[:1]] if last else [probe[:1], beside])).detach()
            other = _run(model, beside[:1].clone())[0].detach()
        except ModelError:  # that these cannot be samples says nothing
            continue
        mixes = differs(found[-1 if last else 0], alone[0])
        if bool(torch.isfinite(other).all()):
            mixes |= differs(found[0 if last else 1], other)
    if mixes:
        raise _mixing("A sample's output depends on the other samples in its batch")


def _companions(probe: Tensor, watch: Watch) -> Iterator[tuple[Tensor, int, bool]]:
    """Samples beside which mixing cannot go unseen, how many of them, and whether they come first.

    A GPU ends the process where an index is out of range: where samples are an index, only what samples can be is shown there.
    """
    many = _MANY if probe[0].numel() <= _SMALL else 2
    yield probe[1:], 2, True
    if watch.indexes and probe.device.type != "cpu":
        return
    if probe.is_floating_point() or probe.is_complex():
        yield torch.zeros_like(probe[:1]), 1, False
        yield -_FAR * probe[:2].flip(0), 2, True
        if not watch.decides:  # a path for what is not a number is none for a sample
            yield torch.full_like(probe[:1], torch.nan), many, False
    elif probe.dtype != torch.bool:
        yield probe.max() - probe[:2], 2, True
        yield torch.full_like(probe[:1], int(probe.max())), many, False


def _generators(model: nn.Module) -> list[object]:
    """The state of every random generator that is everyone's or an attribute of the network's."""
    states: list[object] = [random.getstate(), np.random.get_state(), torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    for module in model.modules():
        for value in list(vars(module).values()):
            if isinstance(value, np.random.Generator):
                states.append(value.bit_generator.state)
            elif isinstance(value, np.random.RandomState):
                states.append(value.get_state())
            elif isinstance(value, random.Random):
                states.append(value.getstate())
            elif isinstance(value, torch.Generator):
                states.append(value.get_state())
    return states


def _draws(model: nn.Module, probe: Tensor) -> bool:
    """Whether the generators move each time the network runs: other threads draw from everyone's, too, but not at each time."""
    for _ in range(_TRIES):
        drawn = _generators(model)
        _run(model, probe.clone())
        if not _differ(drawn, _generators(model)):
            return False
    return True


def _differ(before: object, after: object) -> bool:
    if isinstance(before, Tensor | np.ndarray):
        return not np.array_equal(np.asarray(before), np.asarray(after))
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() != after.keys() or any(_differ(value, after[key]) for key, value in before.items())
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) != len(after) or any(map(_differ, before, after))
    return before != after
