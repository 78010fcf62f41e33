"""Plans are kept with their networks, so that a network is looked at once and not before every kernel.

A plan holds for the weights, modules and attributes it was made for; anything changed since, in place or by name, makes it anew. It is
kept for a copy of the modules that shares the weights, and goes when the network goes.
"""

import weakref
from typing import Any

import torch
from torch import Tensor, nn

from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.plan import Planned, make_plan
from ntkcore.kernels.workers import twin

_Key = tuple[Outputs, tuple[int, ...], torch.dtype]
_KEPT: "weakref.WeakKeyDictionary[nn.Module, dict[_Key, tuple[list[Any], list[Planned]]]]" = weakref.WeakKeyDictionary()
_MOST = 8  # kinds of samples and outputs for one network


def plans_for(model: nn.Module, x: Tensor, outputs: Outputs) -> list[Planned]:
    """A plan for ``model`` on samples like ``x``, and what other threads have made of it: a list that may be added to.

    Raises:
        ModelError, DataError: as :func:`~ntkcore.kernels.plan.make_plan`.
    """
    key: _Key = (outputs, tuple(x.shape[1:]), x.dtype)
    try:
        state = _state(model)
        found = _KEPT.setdefault(model, {})
    except (RuntimeError, TypeError, ValueError):  # weights without versions (inference mode) or memory (lazy), modules that are no keys
        return [make_plan(model, x, outputs)]
    if key in found and found[key][0] == state:
        return found[key][1]
    planned = make_plan(model, x, outputs)
    copied = twin(planned)
    if copied is None:
        return [planned]
    while len(found) >= _MOST:
        found.pop(next(iter(found)))
    found[key] = state, [copied]
    return found[key][1]


def _state(model: nn.Module) -> list[Any]:
    """What a plan depends on: every module's attributes, by value where they are plain, else by identity; every tensor's version."""
    found: list[Any] = []
    for name, module in model.named_modules():
        found.append((name, id(module)))
        for attribute, value in vars(module).items():
            if attribute in ("_parameters", "_buffers"):
                found += [None if t is None else (key, id(t), t._version, t.data_ptr(), t.requires_grad) for key, t in value.items()]
            elif isinstance(value, dict):
                if value and attribute != "_modules":  # most are hooks that a module does not have
                    found.append((attribute, [(key, id(one)) for key, one in value.items()]))
            else:
                found.append((attribute, value if _plain(value) else id(value)))
    return found


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_plain(one) for one in value)
    return value is None or isinstance(value, bool | int | float | str)
