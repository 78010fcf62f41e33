"""What the API answers: the library's own lists, and the analyses' own sentences and tables."""

import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses import catalogue
from ntkcore.analyses.materials.thumbnails import noun
from ntkcore.analyses.sharing import samples, saving
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import SpecError, StoreError
from ntkcore.library import LOCAL, Person, Saved, Version, audit, codes
from ntkcore.library.notes import Notes
from ntkcore.library.saved import Absent
from ntkcore.library.shelf import Wanted, shelf
from pages.shared import media
from pages.shared.api import models

_KEY = re.compile(r"[0-9a-f]{64}")


def listed(asked: models.AnalysesQuery, person: Person) -> models.Listed:
    """The saved analyses that somebody may see.

    Raises:
        SpecError: one's own are asked for where nobody is told from others.
        LibraryError: the library is damaged or cannot be reached.
    """
    if asked.scope == "mine" and person.id == LOCAL:
        raise SpecError("Without a login nobody's analyses are told from others'.", "Leave scope out, or search for the author.")
    wanted = Wanted(asked.search, asked.scope, asked.analysis, asked.order)
    found = shelf(workspace().library, person, wanted, first=asked.first, count=asked.count)
    analyses = [models.Summary(**_summary(card.version, card.notes)) for card in found.cards]
    return models.Listed(count=found.count, first=asked.first, analyses=analyses)


def whole(which: str, person: Person) -> models.Whole:
    """One saved analysis, by its code or the reference of a version.

    Raises:
        Absent: there is none, or not for this person.
        LibraryError: the library is damaged or cannot be reached.
    """
    version = _version(which, person)
    notes = len(Notes(workspace().library).on_analysis(version.analysis, person))
    content = version.content
    results = [models.Stored(kind=kind, key=key, bytes=size) for kind, key, size in content.keys]
    return models.Whole(**_summary(version, notes), spec=dict(content.spec), view=dict(content.view), results=results)


def result(which: str, asked: models.ResultQuery, person: Person) -> models.Result:
    """The sentences and the table of a saved analysis, or in the usual view of a stored result by its key.

    Raises:
        Absent: no such analysis was saved, or not for this person.
        StoreError: the result is not stored.
        SpecError: it was made by another version of this program, or another analysis was named.
    """
    by_key = _KEY.fullmatch(which) is not None
    name, spec, view, reference = _by_key(which, asked.analysis) if by_key else _chosen(which, person)
    ws, analysis = workspace(), catalogue.named(name)
    wanted = spec if by_key else analysis.asked(spec, view, ws)
    found = analysis.open(wanted, ws)
    table = analysis.table(found, view, ws)
    _took(reference or f"the result {which[:12]}", asked, person)
    return models.Result(
        analysis=name,
        title=analysis.title(wanted, ws),
        key=analysis.key(wanted, ws),
        reference=reference,
        answer=list(analysis.answer(found, view, ws)),
        columns=[str(column) for column in table.columns],
        count=len(table),
        first=asked.first,
        rows=list(samples.rows(_some(table, asked))),
    )


def images(which: str, asked: models.RowsQuery, person: Person) -> models.Images:
    """The images of a saved analysis, as its table has them.

    Raises:
        Absent, StoreError: as :func:`result`.
        SpecError: it is of no images.
    """
    name, spec, view, reference = _chosen(which, person)
    ws = workspace()
    found = samples.pictured(name, spec, view, ws)
    pack = found.pack
    assert pack is not None  # of what is pictured
    base = f"{models.API}{media.thumbnail_base(pack.id, person.id)}"
    shown = []
    for row in samples.rows(_some(found.table, asked)):
        image = int(row.pop("image"))
        name_, label, text = str(row.pop("id", "")), str(row.pop("label", "")), pack.text(image)
        row.pop("text", None)
        shown.append(models.Image(image=image, id=name_, label=label, thumbnail=f"{base}{image}", text=text, scores=row))
    _took(reference, asked, person)
    kind = "text" if noun(pack.id, ws) == "text" else "image"
    told = {"analysis": name, "title": found.title, "reference": reference, "kind": kind, "count": len(found.table)}
    return models.Images(**told, first=asked.first, images=shown)


def _version(which: str, person: Person) -> Version:
    named = codes.read(which)
    if named is None:
        raise Absent
    return Saved(workspace().library).version(named[0], person, named[1])


def _chosen(which: str, person: Person) -> tuple[str, Any, Any, str]:
    """Name, specification, view and reference of a saved analysis."""
    opened = saving.choice_of(_version(which, person))
    return opened.version.content.page, opened.spec, opened.view, opened.version.reference


def _by_key(key: str, name: str) -> tuple[str, Any, Any, None]:
    """Name, specification and usual view of a stored result."""
    ws = workspace()
    for analysis in catalogue.ANALYSES if not name else (catalogue.named(name),):
        if ws.store.state(analysis.kind, key) != "ready":
            continue
        try:
            spec = analysis.spec.model_validate(ws.store.open(analysis.kind, key).info["identity"]["spec"])
        except (ValidationError, KeyError, TypeError):
            continue
        if analysis.key(spec, ws) == key:
            return analysis.name, spec, analysis.shown(spec)[1], None
    raise StoreError(f"The result {key[:12]} is not stored, or was made by another version of this program.", "Compute it first.")


def _some(table: pd.DataFrame, asked: models.RowsQuery) -> pd.DataFrame:
    return table.iloc[asked.first : asked.first + asked.count]


def _took(what: str, asked: models.RowsQuery, person: Person) -> None:
    """Keep that somebody took it away: once, and not with every further part of it."""
    if not asked.first:
        audit.write(workspace().library, person, "exported", f"{what}, by the API")


def _summary(version: Version, notes: int) -> dict[str, Any]:
    content = version.content
    return {
        "code": version.analysis,
        "reference": version.reference,
        "version": version.number,
        "newest": version.newest,
        "analysis": content.page,
        "title": content.title,
        "description": content.description,
        "answer": content.answer,
        "dataset": content.dataset,
        "author": version.author,
        "made": datetime.fromtimestamp(version.made, UTC),
        "visibility": version.visibility,
        "trashed": version.trashed is not None,
        "notes": notes,
        "address": f"/open?{codes.SAVED_AS}={version.reference}",
    }
