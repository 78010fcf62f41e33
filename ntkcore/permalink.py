"""Specifications and views as the query of an address, and back: the address says exactly what was chosen.

A query holds only what differs from the defaults of the chosen data set and architecture, so that links stay short.
Reading is strict: an unknown name or a value out of range is reported, never dropped, because a link that silently
shows something else is worse than one that says what is wrong with it.
"""

import base64
import difflib
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ntkcore.errors import SpecError
from ntkcore.specs import DatasetSpec, LearnabilitySpec, LearnabilityView, Spec

Query = dict[str, str | list[str]]

# name in the query -> path in the specification
SPEC_FIELDS: dict[str, tuple[str, ...]] = {
    "dataset": ("dataset", "name"),
    "own": ("dataset", "own"),
    "classes": ("dataset", "classes"),
    "n": ("dataset", "n"),
    "seed": ("dataset", "seed"),
    "noise": ("dataset", "label_noise"),
    "model": ("model", "architecture"),
    "width": ("model", "width"),
    "depth": ("model", "depth"),
    "weights": ("model", "weights"),
    "init": ("model", "seed"),
    "epochs": ("training", "epochs"),
    "rate": ("training", "learning_rate"),
    "batch": ("training", "batch_size"),
    "momentum": ("training", "momentum"),
    "shuffle": ("training", "seed"),
    "at": ("kernel_epoch",),
    "full": ("full_kernel",),
    "dtype": ("dtype",),
}
_VIEW_FIELDS: dict[str, tuple[str, ...]] = {
    "hard": ("hard",),
    "easy": ("easy",),
    "show": ("gallery",),
    "order": ("order",),
    "only": ("only",),
    "judged": ("judged",),
    "low": ("low",),
    "high": ("high",),
    "picked": ("picked",),
    "basket": ("basket",),
    "image": ("image",),
    "marked": ("marked",),
    "errors": ("errors",),
    "log": ("log",),
    "page": ("page",),
}
LIST_FIELDS = {"classes", "only"}  # one entry a value: names may contain commas
_RANGES = {"picked", "basket"}  # "0-3,7"
_FLAGS = {"full", "log"}
_LONGEST_TEXT = 600  # characters of ranges before they are compressed
_LONGEST_RANGES = 100_000  # images a range list of a link may name


def learnability_query(spec: LearnabilitySpec, view: LearnabilityView | None = None) -> Query:
    """The query of a learnability page: the inverse of :func:`read_learnability_query`."""
    query = _write(spec, _baseline(spec), SPEC_FIELDS)
    if view is not None:
        query |= _write(view, LearnabilityView(), _VIEW_FIELDS)
    return query


def read_learnability_query(query: Mapping[str, str | Sequence[str]]) -> tuple[LearnabilitySpec, LearnabilityView]:
    """Read what a link chose.

    Args:
        query: names to values, a list for names that occur more than once.

    Returns:
        The specification and the view.

    Raises:
        SpecError: naming every unknown name and every value that cannot be used.
    """
    problems = _unknown_names(query)
    spec_values: dict[str, Any] = {"dataset": {}, "model": {}, "training": {}}
    view_values: dict[str, Any] = {}
    for name, value in query.items():
        path = SPEC_FIELDS.get(name) or _VIEW_FIELDS.get(name)
        if path is None:
            continue
        try:
            parsed = _parse(name, [value] if isinstance(value, str) else list(value))
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        target = spec_values if name in SPEC_FIELDS else view_values
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = parsed
    spec = _validated(LearnabilitySpec, spec_values, SPEC_FIELDS, problems)
    view = _validated(LearnabilityView, view_values, _VIEW_FIELDS, problems)
    if problems or spec is None or view is None:
        raise SpecError(
            "This address asks for something that does not exist: " + "; ".join(problems) + ".", "Correct it, or start from the defaults."
        )
    return spec, view


def write_ranges(indices: Sequence[int]) -> str:
    """Indices as ranges: ``[0, 1, 2, 7]`` is ``"0-2,7"``; many scattered ones as a compressed set, ``"z…"``, to keep links short."""
    parts: list[str] = []
    ordered = sorted(set(indices))
    start = 0
    for position in range(1, len(ordered) + 1):
        if position == len(ordered) or ordered[position] != ordered[position - 1] + 1:
            first, last = ordered[start], ordered[position - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = position
    text = ",".join(parts)
    if len(text) <= _LONGEST_TEXT:
        return text
    bits = bytearray(ordered[-1] // 8 + 1)
    for index in ordered:
        bits[index // 8] |= 1 << index % 8
    return "z" + base64.urlsafe_b64encode(zlib.compress(bytes(bits), 9)).decode()


def read_ranges(text: str) -> tuple[int, ...]:
    """Ranges as sorted indices, the inverse of :func:`write_ranges`; ValueError when malformed."""
    if text.startswith("z"):
        return _read_bits(text[1:])
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", part)
        if match is None:
            raise ValueError(f"{part!r} is not a number or a range such as 3-7")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{part!r} runs backwards")
        if last - first + len(found) >= _LONGEST_RANGES:
            raise ValueError(f"names more than {_LONGEST_RANGES} images")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def _read_bits(text: str) -> tuple[int, ...]:
    unpacking = zlib.decompressobj()
    try:
        bits = unpacking.decompress(base64.urlsafe_b64decode(text), _LONGEST_RANGES // 8 + 1)
    except (zlib.error, ValueError):
        raise ValueError("is not a set of images") from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError(f"names more than {_LONGEST_RANGES} images, or is cut off")
    return tuple(8 * byte + bit for byte, value in enumerate(bits) for bit in range(8) if value >> bit & 1)


def _baseline(spec: LearnabilitySpec) -> LearnabilitySpec:
    """The defaults of the chosen data set and architecture."""
    return LearnabilitySpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own), model={"architecture": spec.model.architecture}
    )


def _write(spec: Spec, baseline: Spec, fields: Mapping[str, tuple[str, ...]]) -> Query:
    query: Query = {}
    for name, path in fields.items():
        value, default = _at(spec, path), _at(baseline, path)
        discriminator = path in (("dataset", "name"), ("dataset", "own"), ("model", "architecture"))
        if discriminator:
            default = _at(LearnabilitySpec(), path)
        if value is None or (value == default and name != "dataset"):
            continue  # the data set is always named: an address without any choice asks for nothing in particular
        if name in LIST_FIELDS:
            query[name] = list(value)
        elif name in _RANGES:
            query[name] = write_ranges(value)
        elif name in _FLAGS:
            query[name] = "1" if value else "0"
        else:
            query[name] = repr(value) if isinstance(value, float) else str(value)
    return query


def _at(spec: Spec, path: tuple[str, ...]) -> Any:
    value: Any = spec
    for part in path:
        value = getattr(value, part)
    return value


def _parse(name: str, values: list[str]) -> Any:
    if name in LIST_FIELDS:
        return tuple(values)
    if len(values) != 1:
        raise ValueError("is given more than once")
    if name in _RANGES:
        return read_ranges(values[0])
    if name in _FLAGS and values[0] not in ("0", "1"):
        raise ValueError(f"{values[0]!r} is neither 0 nor 1")
    return values[0]


def _unknown_names(query: Mapping[str, Any]) -> list[str]:
    known = [*SPEC_FIELDS, *_VIEW_FIELDS]
    problems = []
    for name in query:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name[:40]!r} is unknown" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return problems


def _validated(kind: type, values: dict[str, Any], fields: Mapping[str, tuple[str, ...]], problems: list[str]) -> Any:
    names = {path: name for name, path in fields.items()}
    try:
        return kind.model_validate(values)  # type: ignore[attr-defined]
    except ValidationError as error:
        for item in error.errors():
            path = tuple(part for part in item["loc"] if isinstance(part, str))
            name = names.get(path) or (path[-1] if path else "")
            given = "" if isinstance(item["input"], Mapping | Spec) else f" (given: {str(item['input'])[:40]!r})"
            message = item["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {message}{given}" if name else message)
        return None
