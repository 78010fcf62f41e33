"""Answers that stay in memory by all that they depend on, so that no hand-written key can forget a field and show an old number."""

from collections.abc import Callable, Hashable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def memoised(*of: str, size: Callable[[Any], int] | None = None) -> Callable[[F], F]:
    """A function of a look (or its method) whose answer is kept in memory and shared by all sessions.

    Its key is the function, the result (by its key and its moment), the look's fields and the positional arguments. Keyword arguments are
    how the work is told, not what it is: a progress callback.

    Args:
        of: fields of the look that the answer depends on, where that is fewer than all: λ alone, say; (``"result"``,) for none of them.
        size: bytes of an answer; by default those of its arrays.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def found(look: Any, *args: Any, **told: Any) -> Any:
            names = of or tuple(field.name for field in fields(look))
            settings = tuple((name, getattr(look, name)) for name in names if name not in ("result", "ws"))
            key = (f"{function.__module__}.{function.__qualname__}", look.result.key, look.result.created, settings, _hashable(args))
            return look.ws.hot.get(key, lambda: function(look, *args, **told), size)

        return cast(F, found)

    return decorate


def _hashable(value: Any) -> Hashable:
    """A value as part of a key: arrays, lists and ranges by what they hold."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, list | tuple | range):
        return tuple(map(_hashable, value))
    assert isinstance(value, Hashable)
    return value
