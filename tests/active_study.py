"""A small active learning study: a second or two."""

from typing import Any

from ntkcore.specs.active import ActiveSpec

_SMALL = {
    "dataset": {"classes": ("3", "5", "8"), "n": 60},
    "test": 30,
    "model": {"width": 8, "depth": 1},
    "training": {"epochs": 4},
    "strategies": ("random", "margin", "lookahead"),
    "start": 6,
    "query": 4,
    "cycles": 3,
    "pool": 25,
    "seeds": 2,
}


def small(**changes: Any) -> ActiveSpec:
    """The study, or one that differs from it."""
    return ActiveSpec.model_validate(_SMALL | changes)
