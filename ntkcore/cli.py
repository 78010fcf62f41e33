"""The command line: every analysis without a browser, the worker, imports and downloads."""

import argparse
import csv
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from ntkcore import cli_host, cli_out
from ntkcore.errors import AtlasError, SpecError
from ntkcore.permalink import ADDRESSES, LIST_FIELDS, Address, Query
from ntkcore.settings import settings
from ntkcore.specs.influence import InfluenceView

if TYPE_CHECKING:  # loads torch, which the commands that compute do themselves
    from ntkcore.analyses.forecast import Forecast
    from ntkcore.analyses.workspace import Workspace

_TOP = 10  # rows printed from each end of a table
_WIDTH = 140  # of a terminal that does not say
_CONTENT_ID = re.compile(r"[0-9a-f]{64}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, or 1 after saying what is wrong, or 2 for a wrong command line."""
    given = _renamed(list(sys.argv[1:] if arguments is None else arguments))
    options = _parser().parse_args(given)
    try:
        return options.run(options)
    except AtlasError as error:
        print(f"{error.message}\n{error.remedy}".strip(), file=sys.stderr)
        if error.place is not None:
            print(f"It is about {error.place}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what was finished is kept, and the same command goes on from there.", file=sys.stderr)
        return 130


def _renamed(words: list[str]) -> list[str]:
    """Commands of earlier versions as they are called now, which is said."""
    now = words
    if words[:1] == ["study"] and words[1:2] and words[1] in ADDRESSES:
        now = words[1:]
    elif words[:1] == ["reliability"] and "--network" in words:
        now = ["network-ihvp", *(word for word in words[1:] if word != "--network")]
    if now != words:
        print(f"note: this command is called `{now[0]}` now.", file=sys.stderr)
    return now


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ntkcore", description="NTK Atlas without a browser.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, address in ADDRESSES.items():
        found = commands.add_parser(name, help=address.lead, description=f"{address.lead[0].upper()}{address.lead[1:]}.")
        _add_choices(found, address, (*address.fields, *address.asks))
        found.add_argument("--top", type=int, default=_TOP, help=f"rows printed from each end of a long table (default: {_TOP})")
        found.add_argument("--csv", type=Path, metavar="FILE", help="write the whole table here")
        found.add_argument("--forecast", action="store_true", help="say what it would take here, and compute nothing")
        found.set_defaults(run=_analyse, name=name)

    verify = commands.add_parser("verify", help="verification at several widths, beside the paper's Table 1 (minutes)")
    address = ADDRESSES["verification"]
    _add_choices(verify, address, (*address.fields, "ridge", "time", "target"))
    verify.add_argument("--widths", default="512", help="units of the two-layer networks, with commas between (default: 512)")
    verify.add_argument("--remove", metavar="NUMBER,...", help="training images to leave out instead, each once")
    verify.add_argument("--together", action="store_true", help="leave those out all at once")
    verify.add_argument("--add", metavar="NUMBER,...", help="held-out images to learn, too, all at once")
    verify.set_defaults(run=_verify)

    cli_out.add(commands)
    cli_host.add(commands)

    worker = commands.add_parser("worker", help="take jobs from the queue until stopped")
    worker.add_argument("--device", default=None, help="cpu, cuda:0, ... (default: NTK_DEVICE)")
    lanes = "take long jobs, or imports and jobs of seconds (default: a process for each, started again when it dies)"
    worker.add_argument("--lane", choices=("compute", "quick"), default=None, help=lanes)
    worker.add_argument("--parent", type=int, default=None, help="process with which it ends")
    worker.set_defaults(run=_worker)

    bring = commands.add_parser("import", help="import images (zip, folder, Parquet, npz, or a table of them) or texts (CSV, Parquet)")
    bring.add_argument("path", type=Path, nargs="+", help="a file or folder; several become one set")
    bring.add_argument("--name", help="what to call it (default: the file's name)")
    bring.add_argument("--look", action="store_true", help="say what would be imported, and what left out and why; import nothing")
    bring.add_argument("--side", type=_side, default="auto", help="side in pixels of the small copies of photographs, or auto")
    bring.add_argument("--refer", action="store_true", help="refer to the photographs of a folder where they lie, without copying them")
    bring.add_argument("--more-of", metavar="SET", help="name or id of a set: its images and these become a new one, the old one stays")
    bring.add_argument("--text-column", default="", help="column of the texts (default: text, review, sentence or content)")
    bring.add_argument("--label-column", default="", help="column of their labels (default: label, sentiment, class or category)")
    bring.add_argument("--vectors", type=Path, help="word vectors in GloVe's text format to average (default: TF-IDF and SVD)")
    bring.add_argument("--dimensions", type=int, default=100, help="numbers that TF-IDF of a text is reduced to")
    bring.set_defaults(run=_import)

    fetch = commands.add_parser("download", help="download a public data set, or a network's weights (timm:NAME, torchvision:NAME)")
    fetch.add_argument("name")
    fetch.set_defaults(run=_download)

    sets = commands.add_parser("datasets", help="list the data sets, your own too, and whether they are on this machine")
    sets.set_defaults(run=_datasets)
    return parser


def _add_choices(parser: argparse.ArgumentParser, address: Address[Any, Any], names: Iterable[str]) -> None:
    """Names of an address as options, each with what it is, its default and its choices."""
    for name in names:
        field = address.field(name)
        choices, default = _choices(field.annotation), address.default(name)
        said = field.description or name.rpartition("-")[2].replace("_", " ")
        if name == "own":
            said = "name or content id of an imported set"
        if name == "size":
            said += ", or as a library's pretrained weights want it; imported: as imported"
        if choices:
            said += f"; one of {', '.join(choices)}" if not address.form(name).many else f"; of {', '.join(choices)}"
        if default not in (None, ()):
            written = address.form(name).write(default)
            said += f" (default: {written if isinstance(written, str) else ', '.join(written)})"
        metavar = "NAME,..." if name in LIST_FIELDS else name.rpartition("-")[2].upper()
        parser.add_argument(f"--{name}", action="append", metavar=metavar, help=said.replace("%", "%%"))


def _choices(annotation: Any) -> list[str]:
    """The words that a field takes; [] where it takes others."""
    if get_origin(annotation) is Literal:
        return [str(item) for item in get_args(annotation)]
    return [word for part in get_args(annotation) for word in _choices(part)]


def _query(options: argparse.Namespace, names: Iterable[str]) -> Query:
    """What was given of these names, as a page's query."""
    query: Query = {}
    for name in names:
        given = getattr(options, name.replace("-", "_"))
        if given is None:
            continue
        if name in LIST_FIELDS:
            query[name] = [item for row in csv.reader(given, skipinitialspace=True) for item in row]
        else:
            query[name] = given[0] if len(given) == 1 else given
    if isinstance(own := query.get("own"), str):
        query |= {"dataset": "own", "own": _content_id(own)}
    return query


def _content_id(name: str) -> str:
    """The content id of an imported set, by its name or as it is.

    Raises:
        SpecError: there is no such set, or more than one.
    """
    from ntkcore.data import own_sets

    if _CONTENT_ID.fullmatch(name):
        return name
    sets = own_sets(settings())
    found = [item for item in sets if item.name == name] or [item for item in sets if item.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0].content_id
    if found:
        listed = "\n".join(f"  {item.content_id}  {item.n:,} {item.kind}" for item in found)
        raise SpecError(f"{len(found)} imported sets are called {name!r}.", f"Give the content id of the one that is meant:\n{listed}")
    listed = ", ".join(repr(item.name) for item in sets) or "none is imported yet"
    raise SpecError(f"There is no imported set {name!r}.", f"Imported sets: {listed}.")


def _write_csv(rows: Any, path: Path | None) -> None:
    """Write a table of pandas where it is wanted."""
    if path is None:
        return
    from ntkcore.analyses.csv_text import csv_of

    cli_out.keep(path, csv_of(rows).encode())


def _analyse(options: argparse.Namespace) -> int:
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import PrintedProgress, ask

    ws, address = workspace(), ADDRESSES[options.name]
    query = _query(options, (*address.fields, *address.asks))
    if options.forecast:
        return _forecast(options.name, query, ws)
    asked = ask(options.name, query, ws)
    asked.analysis.compute(asked.spec, ws, PrintedProgress(ws.device))
    result = asked.analysis.open(asked.spec, ws)
    if problem := asked.analysis.missing(result, asked.view):
        raise SpecError(problem, "Name one of those.")
    rows, more = (tell(result, asked.view, ws) for tell in (asked.analysis.table, asked.analysis.more))
    _write_csv(rows, options.csv)
    for sentence in asked.analysis.answer(result, asked.view, ws):
        print(sentence)
    for title, shown in {"": rows, **more}.items():
        print(f"\n{title}" if title else "")
        _print_table(shown, max(options.top, 0))
    print(f"\nStored as {asked.analysis.key(asked.spec, ws)}")
    return 0


def _print_table(rows: Any, top: int) -> None:
    """A table: of a long one both ends, of a wide one the columns that fit."""
    options = {"float_format": lambda value: f"{value:.4g}", "na_rep": "-"}
    count = len(rows)
    shown = rows if count <= 2 * top else rows.iloc[[*range(top), *range(count - top, count)]]
    lines = shown.to_string(index=False, **options).splitlines()
    room = shutil.get_terminal_size((_WIDTH, 24)).columns
    fit = len(rows.columns)
    while fit > 1 and len(lines[0]) > room:
        fit -= 1
        lines = shown.iloc[:, :fit].to_string(index=False, **options).splitlines()
    if len(shown) < count:
        lines.insert(1 + top, f"... {count - len(shown):,} more ...")
    print("\n".join(lines))
    if fit < len(rows.columns):
        print(f"({len(rows.columns) - fit} more columns: {', '.join(rows.columns[fit:])}; --csv writes all.)")


def _forecast(name: str, query: Query, ws: "Workspace") -> int:
    """What an analysis would take, or the smaller choice that fits; of one that hangs on another, of that one where it is not stored."""
    from ntkcore.analyses import defaults
    from ntkcore.analyses.catalogue import named
    from ntkcore.analyses.prepared import prepared

    query, filled = prepared(query, ws)
    if filled:
        print(f"note: {filled}", file=sys.stderr)
    analysis, (spec, view) = named(name), defaults.read(ADDRESSES[name], query, ws)
    if analysis.after is not None and not analysis.after.ready(spec, ws):
        print(f"{analysis.after.title(spec, ws)}: {_said(analysis.after.expected(spec, ws))}")
        print(f"What {name} takes on top of it can be told once that is stored.")
        return 0
    asked = analysis.asked(spec, view, ws)
    if analysis.ready(asked, ws):
        print("It is stored, and opens at once.")
        return 0
    print(f"{analysis.title(asked, ws)}: {_said(analysis.expected(asked, ws))}")
    return 0


def _said(forecast: "Forecast") -> str:
    if forecast.refusal:
        return forecast.refusal
    memory, disk = (f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB" for size in (forecast.memory, forecast.disk))
    seconds = f"{forecast.seconds:.0f} s" if forecast.seconds < 120 else f"{forecast.seconds / 60:.0f} min"
    return f"about {seconds}, {memory} of memory and {disk} on disk, {forecast.source}."


def _verify(options: argparse.Namespace) -> int:
    from ntkcore.analyses.verification.views import paper_of
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import PrintedProgress, additions, ask, removals, verifications

    widths, remove = _whole("widths", options.widths), _whole("images", options.remove) if options.remove else ()
    add = _whole("images", options.add) if options.add else ()
    if options.together and not remove:
        raise SpecError("No images are named that would be left out together.", "Name them with --remove.")
    if add and remove:
        raise SpecError("Images are named to add and to leave out.", "Name them with --add or with --remove.")
    ws = workspace()
    asked = ask("influence", _query(options, (*ADDRESSES["influence"].fields, *ADDRESSES["influence"].asks)), ws)
    asked.analysis.compute(asked.spec, ws, PrintedProgress(ws.device))
    result, view = asked.analysis.open(asked.spec, ws), asked.view
    assert isinstance(view, InfluenceView)  # the address is the influence page's
    if options.together or add:
        rows = additions(result, add, widths, view.ridge, view.time) if add else removals(result, remove, widths, view.ridge, view.time)
        print(rows.T.to_string(header=False, float_format=lambda value: f"{value:.4g}"))
        return 0
    rows = verifications(result, widths, view.target, view.ridge, view.time, remove)
    print(rows.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    paper = paper_of(result.spec)
    print(f"\nThe paper, {paper.data}, 5000 training images, 40 most influential (IF-NTK Table 1):")
    for width, (pearson, spearman) in sorted(paper.figures.items()):
        print(f"{width:>7} units: Pearson {pearson:.4f}, Spearman {spearman:.4f}")
    return 0


def _whole(what: str, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise SpecError(f"The {what} are {text!r}.", "Give whole numbers with commas between.")
    return tuple(map(int, parts))


def _worker(options: argparse.Namespace) -> int:
    from ntkcore.jobs import run_worker, serve

    os.umask(0o077)  # what workers write is the cache's, and its owner's alone
    if options.lane is None:
        serve(settings().model_copy(update={"device": options.device or settings().device}))
        return 0
    from ntkcore.analyses.imports import sweep_uploads
    from ntkcore.analyses.light import LightHandlers, light_device

    known = LightHandlers(settings())
    if options.lane == "quick":
        sweep_uploads(settings())
    else:
        known.load()
    device = options.device or light_device(settings())
    return run_worker(known, settings(), device=device, lane=options.lane, parent=options.parent)


def _side(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of pixels or auto, got {text!r}")
    return int(text)


def _import(options: argparse.Namespace) -> int:
    from ntkcore.data import Columns, TextWishes, import_set, preview_set

    wishes = TextWishes(Columns(options.text_column, options.label_column), options.vectors, options.dimensions)
    more = options.more_of and _content_id(options.more_of)
    if options.look:
        found = preview_set(options.path, settings(), more=more, texts=wishes)
        print(f"{found.n:,} {found.kind} of {len(found.class_names)} classes.")
        for name, count in [*zip(found.class_names, found.counts, strict=True), *found.parts.items()]:
            print(f"{count:8,}  {name}")
        for line in (*found.notes, *found.skipped):
            print(line)
        return 0
    name = options.name or options.path[0].stem
    report = import_set(options.path, settings(), name=name, side=options.side, refer=options.refer, more=more, texts=wishes)
    print(f"Imported {report.n} {report.kind} of {len(report.class_names)} classes.")
    for note in report.notes:
        print(note)
    print(f"Use it with: --dataset own --own {report.content_id}")
    return 0


def _download(options: argparse.Namespace) -> int:
    from ntkcore.data import download

    def show(done: int, total: int) -> None:
        print(f"\r{done / 1e6:.1f} of {total / 1e6:.1f} MB\033[K", end="", file=sys.stderr, flush=True)

    if ":" in options.name:
        from ntkcore.models.fetch import download_weights

        download_weights(options.name, settings(), show)
    else:
        download(options.name, settings(), progress=show)
    print(f"\n{options.name} is on this machine now.")
    return 0


def _datasets(_: argparse.Namespace) -> int:
    from ntkcore.data import catalogue, own_sets

    for info in catalogue(settings()):
        print(f"{info.name:14} {info.size:>7} images  {'available' if info.available else info.reason}")
    for item in own_sets(settings()):
        parts = "".join(f", --part {part} ({count:,})" for part, count in item.parts)
        print(f"{'own':14} {item.n:>7} {item.kind:6}  --own {item.name!r}, {len(item.class_names)} classes{parts}, {item.content_id}")
    return 0
