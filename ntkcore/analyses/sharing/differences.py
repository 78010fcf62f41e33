"""What differs between two choices, and a moment in an analysis, in a few words."""

from collections.abc import Mapping
from typing import Any

from ntkcore.permalink import Address, Change

_NAMES = {
    "ridge": "λ",
    "time": "τ",
    "own": "set",
    "dataset": "data set",
    "model": "network",
    "noise": "label noise",
    "init": "seed of the network",
    "image": "inspector",
    "picked": "selection",
    "target": "held-out image",
}
_FEW, _LONG = 4, 24  # changes, and characters of a value, that are said


def changed_words(address: Address[Any, Any], now: tuple[Any, Any], then: tuple[Any, Any]) -> str:
    """What differs, as ``λ 1 → 0.1 · n 500 → 100``; "" when nothing does."""
    changes = address.changes(now, then)
    said = [change_words(change) for change in changes[:_FEW]]
    more = len(changes) - _FEW
    return " · ".join([*said, *([f"and {more} more"] if more > 0 else [])])


def change_words(change: Change) -> str:
    """One difference, as ``λ 1 → 0.1``."""
    return f"{_NAMES.get(change.name, change.name.replace('-', ' '))} {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    if value is None or value == () or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple) and len(value) > 3:
        return f"{len(value):,} of them"
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def moment_words(place: Mapping[str, Any]) -> str:
    """A place in an analysis, as ``λ = 0.1, τ = 3, held-out image 5``; the end of training has no τ."""
    said = [f"λ = {_value(place['ridge'])}"] if "ridge" in place else []
    if "time" in place:
        said.append("end of training" if place["time"] is None else f"τ = {_value(place['time'])}")
    if place.get("target") is not None:
        said.append(f"held-out image {place['target']:,}")
    if place.get("point") is not None:
        point = place["point"]
        said.append(f"point {' · '.join(map(str, point)) if isinstance(point, (list, tuple)) else point}")
    return ", ".join(said)
