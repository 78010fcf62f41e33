"""How choices are written in an address, for any page: names, formats, defaults that need not be said, and strict reading."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ntkcore.errors import SpecError
from ntkcore.permalink.forms import Form, Path, field_at, form_of, nothing
from ntkcore.specs import Spec

Query = dict[str, str | list[str]]
S = TypeVar("S", bound=Spec)
V = TypeVar("V", bound=Spec)

_LONGEST = 100_000  # characters of a query; a set of 100,000 images takes at most 17,000
_SAID = 5  # problems of an address that are said


class Change(NamedTuple):
    """A name whose value differs, and both values; None: there is none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Address(Generic[S, V]):
    """How one page's choices are written.

    Attributes:
        page: the page's name.
        spec, view: the kinds of specification and view.
        fields, view_fields: name in the query to path in the specification, in the view.
        choosing: the names whose value decides the defaults of the others; said unless they are the first choice of all.
        baseline: the defaults of the data set and architecture that a specification chose.
        given: values that a query need not say though the specification's parts have another default.
        lead: what the analysis answers, one line.
        asks: what of the view is more than looks: the command line's names beside those of the specification.
    """

    page: str
    spec: type[S]
    view: type[V]
    fields: Mapping[str, Path]
    view_fields: Mapping[str, Path]
    choosing: tuple[str, ...]
    baseline: Callable[[S], S]
    given: Mapping[str, Mapping[str, Any]]
    lead: str = ""
    asks: tuple[str, ...] = ()

    def form(self, name: str) -> Form:
        """How a name's value is written."""
        return form_of(self.field(name))

    def field(self, name: str) -> FieldInfo:
        """What a name stands for: its annotation, description and default."""
        return field_at(self.spec, self.fields[name]) if name in self.fields else field_at(self.view, self.view_fields[name])

    def default(self, name: str) -> Any:
        """The value of a name that is not given, where nothing else is chosen."""
        return _at(self.spec(), self.fields[name]) if name in self.fields else _at(self.view(), self.view_fields[name])

    def values(self, spec: S, view: V) -> dict[str, Any]:
        """Every name with its value, in the order of the address; None where the choice has no such part."""
        at_view = {name: _at(view, path) for name, path in self.view_fields.items()}
        return {name: _at(spec, path) for name, path in self.fields.items()} | at_view

    def write(self, spec: S, view: V | None = None, beside: tuple[S, V] | None = None) -> Query:
        """The query of a page: the inverse of :meth:`read`.

        Args:
            beside: the choice that an address already names, such as a saved one: only what differs from it is written, nothing where
                nothing does; and all of it where what differs decides the defaults of the others.
        """
        if beside is not None and view is not None and (differing := self._differing(spec, view, beside)) is not None:
            return differing
        query: Query = {}
        near, first = self.baseline(spec), self.spec()
        for name, path in self.fields.items():
            default = _at(first if name in self.choosing else near, path)
            # the data set is always named: an address without any choice asks for nothing in particular
            _say(query, name, self.form(name), _at(spec, path), None if name == "dataset" else default)
        if view is not None:
            for name, path in self.view_fields.items():
                _say(query, name, self.form(name), _at(view, path), _at(self.view(), path))
        return query

    def read(self, query: Mapping[str, str | Sequence[str]], beside: tuple[S, V] | None = None) -> tuple[S, V]:
        """Read what a link chose.

        Args:
            query: names to values, a list for names that occur more than once.
            beside: the choice from which it differs; None: from the defaults. A query that names the data set says all.

        Returns:
            The specification and the view.

        Raises:
            SpecError: naming the unknown names and the values that cannot be used, or that it is too long.
        """
        size = sum(len(name) + (len(value) if isinstance(value, str) else sum(map(len, value))) for name, value in query.items())
        if size > _LONGEST:
            said = f"This address has {size:,} characters of choices; at most {_LONGEST:,} are read."
            raise SpecError(said, "Shorten it, or start from the defaults.")
        problems = _unknown_names(query, [*self.fields, *self.view_fields])
        spec_values: dict[str, Any] = deepcopy(dict(self.given))
        view_values: dict[str, Any] = {}
        if beside is not None and "dataset" not in query:
            spec_values, view_values = (held.model_dump() for held in beside)
        for name, value in query.items():
            path = self.fields.get(name) or self.view_fields.get(name)
            if path is None:
                continue
            field = self.field(name)
            try:
                parsed = nothing(field) if value == "" and beside is not None else form_of(field).read(_texts(value))
            except ValueError as error:
                problems.append(f"{name}: {error}")
                continue
            target = spec_values if name in self.fields else view_values
            for part in path[:-1]:
                if target.get(part) is None:
                    target[part] = {}
                target = target[part]
            target[path[-1]] = parsed
        spec = _validated(self.spec, spec_values, self.fields, problems)
        view = _validated(self.view, view_values, self.view_fields, problems)
        if problems or spec is None or view is None:
            listed = "; ".join(problems[:_SAID]) + (f"; and {len(problems) - _SAID:,} more" if len(problems) > _SAID else "")
            said = f"This address asks for something that does not exist: {listed}."
            raise SpecError(said, "Correct it, or start from the defaults.")
        return spec, view

    def changes(self, now: tuple[S, V], then: tuple[S, V]) -> tuple[Change, ...]:
        """What differs between two choices, in the order of the address's names."""
        found = []
        for fields, one, other in ((self.fields, now[0], then[0]), (self.view_fields, now[1], then[1])):
            for name, path in fields.items():
                after, before = _at(one, path), _at(other, path)
                if after != before:
                    found.append(Change(name, before, after))
        return tuple(found)

    def _differing(self, spec: S, view: V, beside: tuple[S, V]) -> Query | None:
        """What differs from another choice; None where all must be said."""
        query: Query = {}
        for name, _, value in self.changes((spec, view), beside):
            if name in self.choosing:
                return None
            query[name] = "" if value is None or value == () else self.form(name).write(value)
        try:
            return query if self.read(query, beside) == (spec, view) else None
        except SpecError:  # what no single names say
            return None


def _texts(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _say(query: Query, name: str, form: Form, value: Any, default: Any) -> None:
    """Write one value, unless it is the default."""
    if value is not None and value != default:
        query[name] = form.write(value)


def _at(spec: Spec, path: Path) -> Any:
    value: Any = spec
    for part in path:
        if value is None:
            return None  # a part that this choice does not have, such as the network of a closed form
        value = getattr(value, part)
    return value


def _unknown_names(query: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    problems: list[str] = []
    for name in query:
        if name not in known:
            # looking for a likely name takes time: not for what is no name, and not for what is not said
            near = difflib.get_close_matches(name, known, n=1) if len(problems) < _SAID and len(name) <= 40 else []
            problems.append(f"{name[:40]!r} is unknown" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return problems


def _validated(kind: type[S], values: dict[str, Any], fields: Mapping[str, Path], problems: list[str]) -> S | None:
    names = {path: name for name, path in fields.items()}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        for item in error.errors():
            path = tuple(part for part in item["loc"] if isinstance(part, str))
            if len(path) > 1 and path not in names:
                continue  # what follows from a value that has a name (the epochs, from the looks) and is said with it
            name = names.get(path) or (path[-1] if path else "")
            given = "" if isinstance(item["input"], Mapping | Spec) else f" (given: {str(item['input'])[:40]!r})"
            message = item["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {message}{given}" if name else message)
        return None
