"""Which of a network's parameters are seen: those that its kernel is taken over and that training moves.

The others do not require a gradient, which every quantity derived from the network goes by.
"""

import difflib
from collections.abc import Sequence

from torch import nn

from ntkcore.errors import ModelError

_MOST = 0.8  # share of the parameters of a part that holds the stages, rather than being one
_STAGE = 3  # layers with parameters in a stage, at least


def see(network: nn.Module, seen: str, layers: Sequence[str], head: str) -> None:
    """Let the parameters that are not seen require no gradient, in place.

    Args:
        network: the network without its normalisation.
        seen: ``"all"``, ``"last"``, ``"head"``, or names of layers with commas between.
        layers: the layers with parameters in the order of a pass.
        head: the last of them.

    Raises:
        ModelError: no layer of a name.
    """
    if seen == "all":
        return
    chosen = parts_seen(network, seen, layers, head)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(any(name == one or name.startswith(f"{one}.") for one in chosen))


def parts_seen(network: nn.Module, seen: str, layers: Sequence[str], head: str) -> tuple[str, ...]:
    """The names of the modules whose parameters are seen; as :func:`see`."""
    if seen == "head":
        return (head,)
    if seen == "last":
        return last_stage(network, layers)
    known = [name for name, module in network.named_modules() if name and next(module.parameters(), None) is not None]
    names = [name for name, _ in network.named_parameters()]
    chosen = tuple(seen.split(","))
    for one in chosen:
        if one not in known and one not in names:
            alike = difflib.get_close_matches(one, known, n=3, cutoff=0.3) or known[-3:]
            raise ModelError(f"The network has no layer {one!r} with weights.", f"It has, for example, {', '.join(alike)}.")
    return chosen


def last_stage(network: nn.Module, layers: Sequence[str]) -> tuple[str, ...]:
    """The last stage and what follows it: the last part of several layers that is not nearly the whole network.

    Parts are the network's own, in the order of a pass; one that alone has several layers, or holds nearly all parameters, is taken apart
    into its own. Where no part has several layers, as in a chain, it is the last two layers.
    """
    layers = [layer for layer in layers if layer]  # what the network holds beside its parts is none
    parts = _parts(network, "", layers)
    while True:
        sizes = {part: sum(p.numel() for p in network.get_submodule(part).parameters()) for part in parts}
        whole = sum(sizes.values())
        stages = [place for place, part in enumerate(parts) if _count(part, layers) >= _STAGE]
        if not stages:
            return tuple(layers[-2:])
        last = stages[-1]
        if len(stages) > 1 and (sizes[parts[last]] < _MOST * whole or last == len(parts) - 1):
            return tuple(parts[last:])
        parts = [*parts[:last], *_parts(network, parts[last], layers), *parts[last + 1 :]]


def _parts(network: nn.Module, within: str, layers: Sequence[str]) -> list[str]:
    """The parts of a module with layers, in the order of a pass."""
    before = f"{within}." if within else ""
    found: dict[str, None] = {}
    for layer in layers:
        if layer.startswith(before):
            found[before + layer.removeprefix(before).partition(".")[0]] = None
    return list(found)


def _count(part: str, layers: Sequence[str]) -> int:
    return sum(layer == part or layer.startswith(f"{part}.") for layer in layers)
