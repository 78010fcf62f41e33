"""A report as one file of HTML that asks no network: its scripts are inside, and its policy lets no other run and nothing be fetched."""

import base64
import hashlib
import html
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.offline import get_plotlyjs

from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.materials.thumbnails import data_address
from ntkcore.analyses.words import as_texts, number
from ntkcore.data import ThumbnailPack, open_pack
from ntkcore.report.markdown import as_html
from ntkcore.report.parts import Gallery, Report, contents
from ntkcore.settings import Settings

_HERE = Path(__file__).parent
_CSS, _JS = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
_ENDS = 12  # rows of a long table that are shown of each end
_MARKS = re.compile(r"&lt;(/?(?:b|sub|sup))&gt;")
_NUMBER = ' class="number"'
_NOTHING, _LONGEST = "", 300  # characters of a cell
_EXCERPT = 240  # characters of a text on a card


def write(report: Report, settings: Settings, moment: datetime | None = None) -> str:
    """The file.

    Args:
        report: what it says.
        settings: whose cache holds the thumbnails.
        moment: when it is made; None: now.
    """
    moment = moment or datetime.now(UTC)
    galleries = [_Cards(gallery, str(place), settings) for place, gallery in enumerate(report.exhibit.galleries)]
    data = {
        "charts": {f"chart-{place}": _figure(chart.figure.to_json()) for place, chart in enumerate(report.exhibit.charts)},
        "facts": {cards.place: cards.facts for cards in galleries},
        "tables": [csv_of(rows) for rows in report.tables.values()],
    }
    plotly, held = _plotly(), json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    scripts = " ".join(f"'sha256-{_sha256(script)}'" for script in (plotly, _JS))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    title = html.escape(report.title)
    body = "".join(
        (
            _head(report, moment),
            _notes(report),
            *(cards.html for cards in galleries),
            _charts(report),
            _tables(report),
            _meaning(report),
            _origin(report),
            _contents(report),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{_CSS}</style></head><body><main>{body}</main>{_INSPECTOR}"
        f'<script type="application/json" id="data">{held}</script><script>{plotly}</script><script>{_JS}</script></body></html>\n'
    )


_INSPECTOR = (
    '<dialog id="inspector" aria-labelledby="inspected"><h3 id="inspected"></h3><div class="pair"><div id="picture"></div>'
    '<div><table><tbody id="facts"></tbody></table><div class="steps"><button id="previous" type="button">← Previous</button>'
    '<button id="next" type="button">Next →</button><button id="close" type="button">Close</button></div></div></div></dialog>'
)


class _Cards:
    """A gallery as HTML, and what its inspector tells of each image."""

    def __init__(self, gallery: Gallery, place: str, settings: Settings) -> None:
        self.place = place
        self.facts: list[dict[str, Any]] = []
        pack = open_pack(gallery.pack, settings)
        excerpts = None if pack is None else pack.excerpts(_EXCERPT)
        cards = [self._card(gallery, row, pack, excerpts) for row in gallery.rows.to_dict("records")]
        note = html.escape(gallery.note)
        kind = "cards texts" if excerpts is not None else "cards"
        inside = f'<div class="{kind}">{"".join(cards)}</div>' if cards else '<p class="quiet">None.</p>'
        self.html = f'<section><h2>{html.escape(gallery.title)}</h2><p class="note">{note}</p>{inside}</section>'

    def _card(self, gallery: Gallery, row: dict[Any, Any], pack: ThumbnailPack | None, excerpts: tuple[str, ...] | None) -> str:
        image = int(row["image"])
        name = str(row.get(gallery.label, ""))
        facts: dict[str, Any] = {"rows": [(_words(column), _cell(value)) for column, value in row.items() if column != "text"]}
        if excerpts is not None and pack is not None:
            facts["text"] = pack.text(image)
            shown = f'<div class="text">{html.escape(excerpts[image])}</div>'
        else:
            shown = "" if pack is None else f'<img alt="" src="{data_address(pack.picture(image))}">'
        smooth = " smooth" if pack is not None and pack.origin is not None else ""
        below = _cell(row[gallery.value]) if gallery.value else ""
        title = html.escape(f"{'Text' if excerpts is not None else 'Image'} {image}: {name}")
        at = len(self.facts)
        self.facts.append(facts)
        return (
            f'<button type="button" class="card{smooth}" data-gallery="{self.place}" data-at="{at}" title="{title}">{shown}'
            f"<b>{html.escape(name)}</b><span>{html.escape(below)}</span></button>"
        )


def _head(report: Report, moment: datetime) -> str:
    said = "".join(f'<p class="{"answer" if not at else ""}">{_spoken(report, text)}</p>' for at, text in enumerate(report.answer))
    by = ""
    if (saved := report.saved) is not None:
        day = datetime.fromtimestamp(saved.made, UTC).strftime("%Y-%m-%d")
        by = f"Saved by {html.escape(saved.author)} on {day} as {html.escape(saved.reference)}. "
    described = "" if report.saved is None else f"<p>{html.escape(report.saved.description)}</p>"
    made = html.escape(report.made)
    frozen = f"Frozen report of {moment.strftime('%Y-%m-%d %H:%M')} UTC, by NTK Atlas; this file asks nothing of any network."
    return f'<h1>{html.escape(report.title)}</h1><p class="quiet">{by}{made} {frozen}</p>{described}{said}'


def _notes(report: Report) -> str:
    if not report.notes:
        return ""
    told = "".join(
        f"<h3>{html.escape(note.author)}, {datetime.fromtimestamp(note.made, UTC).strftime('%Y-%m-%d')}"
        f"{html.escape(f', on {note.about}') if note.about else ''}</h3>"
        f'<p class="noted">{html.escape(note.text)}</p>'
        for note in report.notes
    )
    return f"<section><h2>Notes</h2>{told}</section>"


def _charts(report: Report) -> str:
    charts = report.exhibit.charts
    if not charts:
        return ""
    drawn = "".join(
        f'<div class="chart"><h3>{_spoken(report, chart.title)}</h3><div class="plot" id="chart-{place}"></div>'
        f'<p class="note">{_marked(_spoken(report, chart.note))}</p></div>'
        for place, chart in enumerate(charts)
    )
    return f'<section><h2>Charts</h2><div class="charts">{drawn}</div></section>'


def _tables(report: Report) -> str:
    found = []
    for place, (title, rows) in enumerate(report.tables.items()):
        ends = rows if len(rows) <= 2 * _ENDS else pd.concat([rows.head(_ENDS), rows.tail(_ENDS)])
        between = "" if len(ends) == len(rows) else f"The first and last {_ENDS} of {len(rows):,} rows. "
        button = f'<button type="button" class="save" data-table="{place}" data-file="table-{place + 1}.csv">Save all as CSV</button>'
        head = "".join(f"<th>{html.escape(_words(column))}</th>" for column in rows.columns)
        lines = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in ends.itertuples(index=False, name=None))
        found.append(
            f"<h3>{_spoken(report, title.rstrip(':'))}</h3>" * bool(title) + f'<p class="note">{between}{button}</p>'
            f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
        )
    return f"<section><h2>In numbers</h2>{''.join(found)}</section>"


def _meaning(report: Report) -> str:
    told = report.explainer
    if told is None:
        return ""
    parts = (
        ("How to read it", told.read, told.aside),
        ("What it does not say", told.silent, ""),
        ("The equation", told.what, told.source),
    )
    return "".join(
        f"<section><h2>{title}</h2>{as_html(as_texts(text) if report.noun == 'text' else text)}"
        + (f'<p class="note">{html.escape(below)}</p>' if below else "")
        + "</section>"
        for title, text, below in parts
    )


def _origin(report: Report) -> str:
    choices = "".join(
        f'<div class="{"usual" if default else "said"}"><span>{html.escape(name)}</span><span>{html.escape(value)}</span></div>'
        for name, value, default in report.choices
    )
    hashes = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in report.hashes)
    python = f"<h3>In Python</h3><pre>{html.escape(report.python)}</pre>" if report.python else ""
    address = html.escape(report.link)
    link = f'<a href="{address}">{address}</a>' if report.link.startswith(("http://", "https://")) else f"<code>{address}</code>"
    spec = html.escape(json.dumps(report.spec, ensure_ascii=False, indent=1))
    return (
        f"<section><h2>Reproduce it</h2><h3>On its page</h3><p>{link}</p><h3>On the command line</h3>"
        f"<pre>{html.escape(report.command)}</pre>{python}</section>"
        '<section><h2>What was chosen</h2><p class="note">Pale: as it is where nobody chooses.</p>'
        f'<div class="choices">{choices}</div><h3>As the program has it</h3><pre>{spec}</pre></section>'
        f'<section><h2>What it is made of</h2><div class="wide"><table class="hashes"><tbody>{hashes}</tbody></table></div></section>'
    )


def _contents(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{_spoken(report, line.name)}</td><td>{line.state}</td><td>{_spoken(report, line.said)}</td></tr>"
        for line in contents(report)
    )
    return f"<section><h2>What this file holds of the page</h2><table><tbody>{rows}</tbody></table></section>"


def _spoken(report: Report, text: str) -> str:
    return html.escape(as_texts(text) if report.noun == "text" else text, quote=False)


def _marked(escaped: str) -> str:
    """Our own notes, in which some words are bold, raised or lowered."""
    return _MARKS.sub(r"<\1>", escaped)


def _figure(source: str) -> Any:
    """A figure for a file: drawn as vectors, which print and need no code made on the way, and dragged to zoom."""
    figure = json.loads(source)
    for trace in figure["data"]:
        if trace.get("type") == "scattergl":
            trace["type"] = "scatter"
    figure["layout"]["dragmode"] = "zoom"
    return figure


def _words(column: object) -> str:
    return str(column).replace("_", " ")


def _cell(value: Any) -> str:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value, 4)
    return "–" if value is None or value is pd.NA else str(value)


def _td(value: Any) -> str:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{_NUMBER if numeric else ''}>{html.escape(_cell(value))}</td>"


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _plotly() -> str:
    """plotly.js, with the line ends that a browser makes of it before it compares hashes."""
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")
