"""Copies of a network that work in its place, so that the network itself is only read."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

CONTAINERS = 4
"""Containers within each other in which a module's tensors are found."""


def tensors_of(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that a module holds, alone or in a container, with a name for it; parameters included."""
    for name, module in model.named_modules():
        prefix = f"{name}." if name else ""
        if isinstance(module, torch.jit.ScriptModule):
            yield from module.named_buffers(prefix.removesuffix("."), recurse=False)
            continue
        for attribute, value in vars(module).items():
            if attribute == "_modules":
                continue
            yield from _within(f"{prefix}{attribute}", value, CONTAINERS)


def _within(label: str, value: object, depth: int) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield label, value
    elif depth and isinstance(value, dict):
        for key, one in value.items():
            yield from _within(label.removesuffix("_buffers").removesuffix("_parameters") + str(key), one, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for position, one in enumerate(value):
            yield from _within(f"{label}[{position}]", one, depth - 1)


def shared(tensor: Tensor) -> Tensor:
    """For :func:`copied`: the same tensor."""
    return tensor


def own_state(tensor: Tensor) -> Tensor:
    """For :func:`copied`: the same where gradients are taken, else the copy's own."""
    return tensor if isinstance(tensor, nn.Parameter) or tensor.requires_grad else tensor.detach().clone()


def own(tensor: Tensor) -> Tensor:
    """For :func:`copied`: the copy's own."""
    values = tensor.detach().clone()
    return nn.Parameter(values, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else values


def copied(model: nn.Module, keep: Callable[[Tensor], Tensor]) -> nn.Module | None:
    """A copy of the modules, in which ``keep`` says what stands for each tensor; None where there is none."""
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        return None  # its weights are not Python's to share
    try:
        memo = {id(tensor): keep(tensor) for _, tensor in tensors_of(model)}
        expected = [memo[id(p)] for p in model.parameters()]
        made = copy.deepcopy(model, memo)
    except Exception:  # a module can hold anything
        return None
    found = list(made.parameters())
    same = len(found) == len(expected) and all(a is b for a, b in zip(found, expected, strict=True))
    return made if same and type(made) is type(model) else None


def noted(model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Which tensor stands where, and its values; weights are left out."""
    return {name: (tensor, tensor.detach().clone()) for name, tensor in tensors_of(model) if not isinstance(tensor, nn.Parameter)}


def altered(before: dict[str, tuple[Tensor, Tensor]], model: nn.Module) -> bool:
    """Whether another tensor stands somewhere, or one has other values: not all operations count what they write."""
    now = {name: tensor for name, tensor in tensors_of(model) if not isinstance(tensor, nn.Parameter)}
    if now.keys() != before.keys():
        return True
    return any(now[name] is not tensor or not torch.equal(tensor, values) for name, (tensor, values) in before.items())


@contextlib.contextmanager
def restored(model: nn.Module) -> Iterator[Callable[[], bool]]:
    """Undo what is written into the network's own buffers and attributes meanwhile; gives whether a buffer was."""
    values = {name: buffer.detach().clone() for name, buffer in model.named_buffers() if not buffer.is_inference()}
    modules = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
    attributes = [(vars(module), dict(vars(module))) for module in modules]
    buffers = [(module._buffers, dict(module._buffers)) for module in modules]

    def changed() -> list[tuple[Tensor, Tensor]]:
        now = dict(model.named_buffers())
        return [(now[name], value) for name, value in values.items() if name in now and not torch.equal(now[name], value)]

    try:
        yield lambda: any(_differ(*pair) for pair in buffers) or bool(changed())
    finally:
        for table, before in [*attributes, *buffers]:
            if _differ(table, before):
                table.clear()
                table.update(before)
        with torch.no_grad():
            for buffer, value in changed():
                buffer.copy_(value)


def _differ(table: dict[str, Any], before: Mapping[str, Any]) -> bool:
    return len(table) != len(before) or any(table.get(name, table) is not value for name, value in before.items())
