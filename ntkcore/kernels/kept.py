"""Plans are kept with their networks, so that a network is looked at once and not before every kernel.

A plan holds for the weights, modules and attributes it was made for; anything changed since, in place or by name, makes it anew. It is
kept for a copy of the modules that shares the weights, and goes when the network goes.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor, nn

from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.plan import Planned, make_plan
from ntkcore.kernels.workers import twin

_Key = tuple[Outputs, tuple[int, ...], torch.dtype]
_MOST = 8  # kinds of samples and outputs for one network


@dataclass(slots=True)
class _Kept:
    """A network's plans, each with the threads' copies of it, all made in the state ``state``, which ``glance`` tells quickly."""

    state: list[Any]
    glance: "_Glance"
    plans: dict[_Key, list[Planned]]


_KEPT: "weakref.WeakKeyDictionary[nn.Module, _Kept]" = weakref.WeakKeyDictionary()


def plans_for(model: nn.Module, x: Tensor, outputs: Outputs) -> list[Planned]:
    """A plan for ``model`` on samples like ``x``, and what other threads have made of it: a list that may be added to.

    Raises:
        ModelError, DataError: as :func:`~ntkcore.kernels.plan.make_plan`.
    """
    key: _Key = (outputs, tuple(x.shape[1:]), x.dtype)
    try:
        kept = _current(model)
    except (RuntimeError, TypeError, ValueError):  # weights without versions (inference mode) or memory (lazy), modules that are no keys
        return [make_plan(model, x, outputs)]
    if key in kept.plans:
        return kept.plans[key]
    planned = make_plan(model, x, outputs)
    copied = twin(planned)
    if copied is None:
        return [planned]
    while len(kept.plans) >= _MOST:
        kept.plans.pop(next(iter(kept.plans)))
    kept.plans[key] = [copied]
    return kept.plans[key]


def _current(model: nn.Module) -> _Kept:
    """What is kept of ``model`` as it is now: nothing yet where it has changed since."""
    kept = _KEPT.get(model)
    if kept is not None and kept.glance.holds():
        return kept
    glance = _Glance.of(model)
    state = _state(model)
    if kept is None or kept.state != state:
        kept = _KEPT[model] = _Kept(state, glance, {})
    kept.glance = glance
    return kept


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
                    found.append((attribute, [(key, _identity(one)) for key, one in value.items()]))
            else:
                found.append((attribute, _identity(value)))
    return found


def _identity(value: object) -> object:
    return value if _plain(value) else id(value)


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_plain(one) for one in value)
    return value is None or isinstance(value, bool | int | float | str)


@dataclass(frozen=True, slots=True)
class _Look:
    """One module at a glance: names and identities of its attributes and of what its dictionaries hold, its tensors' versions: ``seen``.

    ``values`` are the plain ones of these: as long as they are kept, no other value has their identity. ``tables`` gives the dictionaries.
    """

    module: "weakref.ref[nn.Module]"
    tables: Callable[[dict[str, Any]], tuple[dict[Any, Any], ...]]
    values: list[Any]
    seen: list[Any]


class _Glance:
    """Whether a network is as it was, in a fifth of the time of :func:`_state`: equal values count as changed where they are others."""

    def __init__(self, looks: list[_Look]) -> None:
        self._looks = looks

    @classmethod
    def of(cls, model: nn.Module) -> "_Glance":
        looks = []
        for module in model.modules():
            own = vars(module)
            tables = itemgetter(*[name for name, value in own.items() if isinstance(value, dict)])  # a module has over ten
            values = [value for table in (own, *tables(own)) for value in table.values() if _plain(value)]
            looks.append(_Look(weakref.ref(module), tables, values, _seen(own, tables(own))))
        return cls(looks)

    def holds(self) -> bool:
        """Whether every module, and so every module within one, has what it had."""
        for look in self._looks:
            module = look.module()
            if module is None:
                return False
            own = vars(module)
            try:
                if look.seen != _seen(own, look.tables(own)):
                    return False
            except KeyError:  # a dictionary is gone
                return False
        return True


def _seen(own: dict[str, Any], tables: tuple[dict[Any, Any], ...]) -> list[Any]:
    found = [*own, *map(id, own.values())]
    for table in tables:
        if table:
            found += table
            found += map(id, table.values())
    for name in ("_parameters", "_buffers"):
        for tensor in own[name].values():
            if tensor is not None:
                found += (tensor._version, tensor.data_ptr(), tensor.requires_grad)
    return found
