"""A frozen report from a specification and a view: what its page says, put together without it."""

import hashlib
import shlex
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import ntkcore
from ntkcore.analyses import catalogue
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.explainer import Explainer, command_line, python_lines
from ntkcore.analyses.materials.thumbnails import noun, thumbnails
from ntkcore.analyses.words import duration, place
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES, Address
from ntkcore.report.exhibits import EXHIBITS
from ntkcore.report.parts import Exhibit, LeftOut, Note, Report, Saved
from ntkcore.specs import Spec

_CHARTS = LeftOut("Charts", "on its page; its numbers are in the tables")


def build(
    name: str, spec: Spec, view: Spec, ws: Workspace, *, server: str = "", saved: Saved | None = None, notes: Sequence[Note] = ()
) -> Report:
    """The report of a stored result.

    Args:
        name: of the analysis.
        spec, view: of its page.
        server: the address of the server that shows the page, as ``https://atlas.example.org``; "" where it is not known.
        saved, notes: what people said of it.

    Raises:
        SpecError: there is no such analysis, or the view names what the result has not.
        StoreError: it is not stored.
        CorruptArtifact: a tile of it is damaged.
    """
    analysis, address = catalogue.named(name), ADDRESSES[name]
    asked = analysis.asked(spec, view, ws)
    result = analysis.open(asked, ws)
    if problem := analysis.missing(result, view):
        raise SpecError(problem, "Choose something that is there.")
    pack, dataset = getattr(result, "pack", ""), getattr(spec, "dataset", None)
    if pack and dataset is not None:
        thumbnails(pack, dataset, ws)  # encoded again here if the stored ones are gone
    shown = EXHIBITS.get(name)
    exhibit = Exhibit(left=(_CHARTS,)) if shown is None else shown.exhibit(result, view, ws)
    table = analysis.table(result, view, ws)
    explainer = None if shown is None else shown.explainer(result)
    code = explainer or _code(name, address, spec, view)
    link = f"/{address.page}?{urlencode(address.write(spec, view), doseq=True)}"
    return Report(
        name=name,
        title=saved.title if saved is not None else analysis.title(asked, ws),
        noun=noun(pack, ws) if pack else "image",
        answer=analysis.answer(result, view, ws),
        exhibit=exhibit,
        tables={"": table, **analysis.more(result, view, ws), **(exhibit.tables or {})},
        explainer=explainer,
        choices=_choices(address, spec, view),
        made=_made(result),
        hashes=(*_hashes(analysis, asked, ws), ("Table, SHA-256 of its CSV", hashlib.sha256(csv_of(table).encode()).hexdigest())),
        link=server.rstrip("/") + link,
        command=f"{command_line(code)}\npython -m ntkcore report {shlex.quote(link)} -o report.html",
        python=python_lines(code) if code.show else "",
        spec=asked.model_dump(mode="json"),
        saved=saved,
        notes=tuple(notes),
    )


def _code(name: str, address: Address[Any, Any], spec: Spec, view: Spec) -> Explainer:
    """What asks for an analysis that has no page of its own: its specification, and what of the view it asks by."""
    query = address.write(spec, view)
    asked = {key: value for key, value in query.items() if key in address.fields or key in address.asks}
    return Explainer(what="", source="", read="", aside="", silent="", analysis=name, query=asked)


def _choices(address: Address[Any, Any], spec: Spec, view: Spec) -> tuple[tuple[str, str, bool], ...]:
    """Every name of an address that has a value: its value as text, and whether somebody need not have said it."""
    said = address.write(spec, view)
    found = []
    for name, value in address.values(spec, view).items():
        if value not in (None, (), ""):
            written = address.form(name).write(value)
            found.append((name, written if isinstance(written, str) else ", ".join(written), name not in said))
    return tuple(found)


def _made(result: Any) -> str:
    """When, where and in which time; "" of what does not say."""
    if not all(hasattr(result, name) for name in ("created", "device", "seconds")):
        return ""
    return f"Computed {result.created[:16].replace('T', ' ')} UTC on {place(result.device)} in {duration(result.seconds)}."


def _hashes(analysis: Analysis[Any, Any, Any], spec: Spec, ws: Workspace) -> tuple[tuple[str, str], ...]:
    """What the result is made of: contents, keys, methods and program."""
    contents = [(f"Content: {name}", value) for name, value in analysis.content(spec, ws).items() if value]
    keys = [(f"Result: {catalogue.word_of(kind)}", key) for kind, key in analysis.artifacts(spec, ws)]
    methods = ", ".join(f"{one.name} {one.version}" for one in analysis.uses)
    method = f"{analysis.kind} {analysis.version}" + (f", with {methods}" if methods else "")
    return (*contents, *keys, ("Versions of the methods", method), ("Program, SHA-256 of its sources", program()))


@lru_cache(maxsize=1)
def program() -> str:
    """SHA-256 of the sources of the numerical core: names and contents, in order."""
    root, digest = Path(ntkcore.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
