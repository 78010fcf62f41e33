"""How a field's value is written in an address, read off its annotation; and the names that an address has for a view's fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ntkcore.permalink.ranges import read_integers, read_labels, read_ranges, write_labels, write_ranges
from ntkcore.specs import ModelSpec, Spec, TrainingSpec, Written

Path = tuple[str, ...]

_MOST = 1000  # values of one name


@dataclass(frozen=True, slots=True)
class Form:
    """A way of writing.

    Attributes:
        write: a value as text, or as several texts.
        read: the texts of one name as what the field takes; ValueError when malformed.
        many: whether a name may occur more than once, an entry each.
    """

    write: Callable[[Any], str | list[str]]
    read: Callable[[Sequence[str]], Any]
    many: bool = False


def _one(read: Callable[[str], Any]) -> Callable[[Sequence[str]], Any]:
    def found(values: Sequence[str]) -> Any:
        if len(values) != 1:
            raise ValueError("is given more than once")
        return read(values[0])

    return found


def _flag(text: str) -> str:
    if text not in ("0", "1"):
        raise ValueError(f"{text!r} is neither 0 nor 1")
    return text


def _several(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > _MOST:
        raise ValueError(f"is given {len(values):,} times; at most {_MOST:,} are allowed")
    return tuple(values)


_PLAIN = Form(lambda value: repr(value) if isinstance(value, float) else str(value), _one(str))
_FLAG = Form(lambda value: "1" if value else "0", _one(_flag))
_LIST = Form(list, _several, many=True)  # one entry a value: names may contain commas
_WRITTEN = {
    "ranges": Form(write_ranges, _one(read_ranges)),
    "labels": Form(write_labels, _one(read_labels)),
    "numbers": Form(lambda value: ",".join(map(str, value)), lambda values: read_integers(",".join(values), ",")),
    "point": Form(lambda value: "-".join(map(str, value)), _one(lambda text: read_integers(text, "-"))),
}


def form_of(field: FieldInfo) -> Form:
    """How a field is written: as its annotation says, or by its type."""
    said = next((item.form for item in field.metadata if isinstance(item, Written)), None)
    if said is not None:
        return _WRITTEN[said]
    kind = _bare(field.annotation)
    if kind is bool:
        return _FLAG
    return _LIST if get_origin(kind) is tuple else _PLAIN


def nothing(field: FieldInfo) -> Any:
    """What an empty value stands for where another choice has one: None, or none of several, or an empty text."""
    if get_origin(field.annotation) in (Union, UnionType) and type(None) in get_args(field.annotation):
        return None
    return () if get_origin(field.annotation) is tuple else ""


@lru_cache(maxsize=1024)
def field_at(spec: type[Spec], path: Path) -> FieldInfo:
    """The field at the end of a path through nested specifications."""
    *before, last = path
    for part in before:
        spec = _bare(spec.model_fields[part].annotation)
    return spec.model_fields[last]


def names_of(view: type[Spec], parts: dict[type[Spec], dict[str, Path]]) -> dict[str, Path]:
    """The names that an address has for a view: its fields' own or their aliases; of a view within it, with its name before them.

    Args:
        view: kind of view.
        parts: the names of specifications within views, which are written as everywhere.
    """
    found: dict[str, Path] = {}
    for name, field in view.model_fields.items():
        kind = _bare(field.annotation)
        if kind in (ModelSpec, TrainingSpec):
            found |= {said: (name, *path[1:]) for said, path in parts[kind].items()}
        elif isinstance(kind, type) and issubclass(kind, Spec):
            found |= {f"{name}-{said}": (name, *path) for said, path in names_of(kind, parts).items()}
        else:
            found[(field.alias or name).replace("_", "-")] = (name,)
    return found


def _bare(annotation: Any) -> Any:
    """A type without None beside it."""
    if get_origin(annotation) in (Union, UnionType):
        return next(kind for kind in get_args(annotation) if kind is not type(None))
    return annotation
