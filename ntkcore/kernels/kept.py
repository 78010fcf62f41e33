"""Plans are kept with their networks, so that a network is looked at once and not before every kernel.

A plan holds for the weights, modules and attributes it was made for; anything changed since, in place or by name, makes it anew. What
cannot be compared by its value (an object with memory of its own, a long array) is not kept for at all. A plan is kept for a copy of the
modules that shares the weights, and goes when the network goes.
"""

import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from operator import itemgetter
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

from ntkcore.kernels.copies import CONTAINERS
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.plan import Planned, make_plan

_Key = tuple[Outputs, tuple[int, ...], torch.dtype]
_MOST = 8  # kinds of samples and outputs for one network
_VALUES = 1000  # values of an attribute that are compared before each kernel
_DEEP = 20  # objects within objects
_BYTES = 2**16  # of an array that are
_FIXED = (
    type,
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
    np.dtype,
    Enum,
    PurePath,
    types.ModuleType,
    types.BuiltinFunctionType,
)
_HOOKS = (module_hooks._global_forward_hooks, module_hooks._global_forward_pre_hooks)  # of all modules


class _Unknown(Exception):
    """Something whose value cannot be told."""


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
    kept = None if any(_HOOKS) else _current(model)
    if kept is None:
        return [make_plan(model, x, outputs)]
    if key in kept.plans:
        return kept.plans[key]
    planned = make_plan(model, x, outputs)
    if not planned.copied or planned.writes:
        return [planned]
    while len(kept.plans) >= _MOST:
        kept.plans.pop(next(iter(kept.plans)))
    kept.plans[key] = [planned]
    return kept.plans[key]


def _current(model: nn.Module) -> _Kept | None:
    """What is kept of ``model`` as it is now: nothing yet where it has changed since; None where that cannot be told."""
    try:
        kept = _KEPT.get(model)
        if kept is not None and kept.glance.holds():
            return kept
        glance = _Glance.of(model)
        state = _state(model)
        if kept is None or kept.state != state:
            kept = _KEPT[model] = _Kept(state, glance, {})
    except (_Unknown, AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return None  # modules that are not Python's, weights without memory or versions (inference mode), what has no equal
    kept.glance = glance
    return kept


def _state(model: nn.Module) -> list[Any]:
    """What a plan depends on: of every module its class and its attributes by value, of every tensor where it is and its version."""
    found: list[Any] = []
    modules = frozenset(map(id, model.modules()))
    for name, module in model.named_modules():
        found.append((name, id(module), id(type(module)), id(type(module).forward)))
        for attribute, value in vars(module).items():
            if attribute != "_modules":
                found.append((attribute, _value(value, _Known(modules))))
    return found


@dataclass(slots=True)
class _Known:
    """The network's modules, how many values were seen so far, the objects that the present one is within, and how many of these are
    no mere containers: a copy of the network has tensors of its own there."""

    modules: frozenset[int]
    values: int = 0
    within: tuple[int, ...] = ()
    objects: int = 0


def _value(value: Any, known: _Known) -> Any:
    """Something that is equal exactly where ``value`` is: plain ones by type and value, tensors by place and version, objects by their
    attributes, functions by themselves and what they hold.

    Raises:
        _Unknown: that cannot be told.
    """
    known.values += 1
    if known.values > _VALUES or len(known.within) > _DEEP:
        raise _Unknown
    if _plain(value):
        return (type(value), value)
    if isinstance(value, Tensor):
        if known.objects or len(known.within) > CONTAINERS:
            raise _Unknown
        return _tensor(value)
    if id(value) in known.within:
        return ("within", known.within.index(id(value)))
    if isinstance(value, _FIXED) or id(value) in known.modules:  # those modules' attributes are in the state themselves
        return ("same", id(value))
    if isinstance(value, nn.Module):
        raise _Unknown
    apart = not isinstance(value, list | tuple | dict | types.FunctionType)
    known.within += (id(value),)
    known.objects += apart
    try:
        return (type(value), *(_value(part, known) for part in _parts(value)))
    finally:
        known.within = known.within[:-1]
        known.objects -= apart


def _parts(value: Any) -> Iterator[Any]:
    """What an object's value is made of."""
    kind = type(value)
    if isinstance(value, np.ndarray):
        if value.nbytes > _BYTES or value.dtype.hasobject or kind is not np.ndarray:
            raise _Unknown
        yield from (value.shape, value.strides, value.dtype.str, value.tobytes())
    elif isinstance(value, np.generic):
        yield value.tobytes()
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, set | frozenset):
        if not all(map(_plain, value)):
            raise _Unknown
        yield from sorted(value, key=repr)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield one
    elif isinstance(value, types.FunctionType):
        yield from (id(value), id(value.__code__), value.__defaults__, value.__kwdefaults__)
        yield from (cell.cell_contents for cell in value.__closure__ or ())
    elif isinstance(value, types.MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif kind.__reduce_ex__ is object.__reduce_ex__ and kind.__reduce__ is object.__reduce__:
        _, _, *rest = value.__reduce_ex__(4)  # an object of Python's own making, with all that it has
        if getattr(kind, "__getstate__", None) is not object.__getstate__ or any(part is not None for part in rest[1:]):
            raise _Unknown
        yield rest[0] if rest else None
    else:
        raise _Unknown
    if isinstance(value, list | tuple | set | frozenset | dict) and getattr(value, "__dict__", None):
        yield vars(value)


def _tensor(tensor: Tensor) -> tuple[Any, ...]:
    """Where a tensor is, and how often it was written."""
    if tensor._backward_hooks:
        raise _Unknown  # they may hold anything
    return (id(tensor), tensor._version, tensor.data_ptr(), tensor.requires_grad)


def _plain(value: object) -> bool:
    if type(value) is tuple or type(value) is torch.Size:
        return all(_plain(one) for one in value)
    return value is None or isinstance(value, bool | int | float | complex | str | bytes)


@dataclass(frozen=True, slots=True)
class _Look:
    """One module at a glance: names and identities of its attributes and of what its dictionaries hold, its tensors' versions: ``seen``.

    ``values`` are the plain ones of these: as long as they are kept, no other value has their identity. ``tables`` gives the dictionaries.
    ``inside`` are the attributes that can change within, with their values.
    """

    module: "weakref.ref[nn.Module]"
    tables: Callable[[dict[str, Any]], tuple[dict[Any, Any], ...]]
    values: list[Any]
    seen: list[Any]
    inside: list[tuple[str, Any]]


class _Glance:
    """Whether a network is as it was, in a fifth of the time of :func:`_state`: equal values count as changed where they are others."""

    def __init__(self, looks: list[_Look], modules: frozenset[int]) -> None:
        self._looks, self._modules = looks, modules

    @classmethod
    def of(cls, model: nn.Module) -> "_Glance":
        """Look at a network.

        Raises:
            _Unknown: it has what cannot be compared.
        """
        looks = []
        modules = frozenset(map(id, model.modules()))
        for module in model.modules():
            own = vars(module)
            tables = itemgetter(*[name for name, value in own.items() if isinstance(value, dict)])  # a module has over ten
            values = [value for table in (own, *tables(own)) for value in table.values() if _plain(value)]
            inside = [(name, _within(value, modules)) for name, value in own.items() if _changes_within(name, value)]
            looks.append(_Look(weakref.ref(module), tables, values, _seen(module, own, tables(own)), inside))
        return cls(looks, modules)

    def holds(self) -> bool:
        """Whether every module, and so every module within one, has what it had."""
        for look in self._looks:
            module = look.module()
            if module is None:
                return False
            own = vars(module)
            try:
                if look.seen != _seen(module, own, look.tables(own)):
                    return False
                if any(value != _within(own[name], self._modules) for name, value in look.inside):
                    return False
            except (KeyError, _Unknown):  # a dictionary is gone, or has what cannot be compared
                return False
        return True


def _changes_within(name: str, value: object) -> bool:
    """Whether an attribute may change and stay the same object."""
    if _plain(value) or name in ("_parameters", "_buffers", "_modules"):
        return False
    return not (isinstance(value, dict) and all(map(_plain, value.values())))  # those are seen at a glance


def _within(value: Any, modules: frozenset[int]) -> Any:
    """Its value; that of short lists and sets, which most modules have, at once."""
    if not value and type(value) in (list, set):
        return ()
    if type(value) in (list, set) and all(map(_plain, value)):
        return (value.copy(), [*map(type, value)])  # True is equal to 1
    return _value(value, _Known(modules))


def _seen(module: nn.Module, own: dict[str, Any], tables: tuple[dict[Any, Any], ...]) -> list[Any]:
    found = [type(module).forward, *own, *map(id, own.values())]
    for table in tables:
        if table:
            found += table
            found += map(id, table.values())
    for name in ("_parameters", "_buffers"):
        for tensor in own[name].values():
            if tensor is not None:
                found += (tensor._version, tensor.data_ptr(), tensor.requires_grad, not tensor._backward_hooks)
    return found
