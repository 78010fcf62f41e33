"""How a result is shown in a notebook: its arrays by dtype and shape, long lists by their length."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

_MANY, _LONG = 10, 120  # entries and characters of a field that are shown


def short(result: Any) -> str:
    """``Name(field=..., ...)`` of a dataclass in a few lines, however many images it has; to be its ``__repr__``."""
    said = ", ".join(f"{field.name}={_value(getattr(result, field.name))}" for field in fields(result))
    return f"{type(result).__name__}({said})"


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {value.shape}>"
    if isinstance(value, Mapping) and len(value) <= _MANY:
        return "{" + ", ".join(f"{name!r}: {_value(one)}" for name, one in value.items()) + "}"
    text = repr(value)
    if isinstance(value, tuple | list | Mapping) and (len(value) > _MANY or len(text) > _LONG):
        return f"<{type(value).__name__} of {len(value):,}>"
    if isinstance(value, str):
        return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
    return f"<{type(value).__name__}>" if len(text) > _LONG or " object at 0x" in text else text
