"""What a frozen report is made of: pure values, that the writer of the file turns into HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from ntkcore.analyses.explainer import Explainer

State = Literal["live", "still", "left out"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; it zooms, and tells its points, as on its page.

    Attributes:
        title: what it shows.
        figure: plotly's.
        note: how to read it.
    """

    title: str
    figure: go.Figure
    note: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Images in their order.

    Attributes:
        title: which.
        pack: their thumbnails' id.
        rows: a row for each, ``image`` its place in the pack; everything that the inspector tells of it.
        value: the column that stands under an image; "" for none.
        label: the column that names it.
        note: what that is.
    """

    title: str
    pack: str
    rows: pd.DataFrame
    value: str = ""
    label: str = "label"
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the page has and the report has not, or has as it stood.

    Attributes:
        name: what.
        why: and where it is had.
        state: ``"left out"`` or ``"still"``.
    """

    name: str
    why: str
    state: State = "left out"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What an analysis shows of a result: charts, galleries, further tables, and what of its page cannot be shown so."""

    charts: tuple[Chart, ...] = ()
    galleries: tuple[Gallery, ...] = ()
    tables: Mapping[str, pd.DataFrame] | None = None
    left: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """Under which name it was saved, when, by whom, and at which short address."""

    title: str
    description: str
    author: str
    made: float
    reference: str


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote; ``about`` says of what."""

    author: str
    made: float
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says.

    Attributes:
        name: of the analysis.
        title: over it.
        noun: what one of its images is called, ``"image"`` or ``"text"``.
        answer: in sentences.
        exhibit: what its page shows.
        tables: by their titles; the first, "", is the analysis's own.
        explainer: what its numbers mean; None where its page says that of another analysis.
        choices: every name of the address with its value, and whether that is the default.
        made: when, on what and in which time the result was computed.
        hashes: of data, weights, results and methods, each with its name.
        link: the address of the page that shows it, from its server's root.
        command, python: what makes it again.
        spec: the specification as JSON has it.
        saved: how it was saved; None where it was not.
        notes: on it.
    """

    name: str
    title: str
    noun: str
    answer: tuple[str, ...]
    exhibit: Exhibit
    tables: Mapping[str, pd.DataFrame]
    explainer: Explainer | None
    choices: tuple[tuple[str, str, bool], ...]
    made: str
    hashes: tuple[tuple[str, str], ...]
    link: str
    command: str
    python: str
    spec: Mapping[str, Any]
    saved: Saved | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what a report will hold."""

    name: str
    state: State
    said: str


def contents(report: Report) -> tuple[Line, ...]:
    """What of the page will be live in the file, what still, and what is left out."""
    found = [Line("Answer", "live", _many(len(report.answer), "sentence"))]
    found += [Line(chart.title, "live", "chart: zoom, values when pointed at") for chart in report.exhibit.charts]
    found += [Line(one.title, "live", f"{_many(len(one.rows), report.noun)}, with inspector") for one in report.exhibit.galleries]
    found += [
        Line(title.rstrip(":") or "Table", "live", f"{_many(len(rows), 'row')}: both ends shown, all as CSV")
        for title, rows in report.tables.items()
    ]
    if report.notes:
        found.append(Line("Notes", "still", f"{len(report.notes):,}, as they are now"))
    found.append(Line("λ, τ and every other choice", "still", "as chosen; the link opens the page, where they move"))
    return (*found, *(Line(one.name, one.state, one.why) for one in report.exhibit.left))


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
