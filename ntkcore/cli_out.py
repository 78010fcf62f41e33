"""Commands that take something out: a frozen report, a table for other tools, what differs between two saved analyses."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ntkcore.errors import StoreError

if TYPE_CHECKING:  # loads torch, which the commands do themselves
    from ntkcore.analyses.workspace import Workspace
    from ntkcore.report.links import Asked

_LINK = "address of its page, whole or from /learnability?... on, or the short address of what was saved"
_TOP = 5
_FORMS = ("csv", "parquet", "fiftyone", "label-studio")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add them to the command line."""
    frozen = commands.add_parser("report", help="freeze an analysis in one HTML file that asks no network")
    frozen.add_argument("link", help=_LINK)
    frozen.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (default: report-NAME.html)")
    frozen.add_argument("--list", action="store_true", help="say what would be live, still or left out, and its size; write nothing")
    frozen.set_defaults(run=_report)

    export = commands.add_parser("export", help="write the table of an analysis for other tools")
    export.add_argument("link", help=_LINK)
    told = "csv, parquet, fiftyone (a zip of samples.json and the images) or label-studio (tasks that hold their images)"
    export.add_argument("--as", dest="form", choices=_FORMS, default="csv", metavar="FORM", help=f"{told} (default: csv)")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (default: NAME with the form's ending)")
    export.set_defaults(run=_export)

    diff = commands.add_parser("diff", help="what differs between two analyses: choices, answers, how the images moved in the ranking")
    diff.add_argument("one", help=_LINK)
    diff.add_argument("two", help="the other")
    diff.add_argument("--top", type=int, default=_TOP, help=f"images printed that moved most, of each way (default: {_TOP})")
    diff.add_argument("--csv", type=Path, metavar="FILE", help="write how every image moved here")
    diff.set_defaults(run=_diff)


def keep(path: Path, content: bytes) -> None:
    """Write a file where it is wanted.

    Raises:
        StoreError: the disk refuses.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "The result is stored; name another file.") from error


def _computed(link: str) -> "tuple[Asked, Workspace]":
    """What a link asks for, computed unless it is stored."""
    from ntkcore.analyses import catalogue
    from ntkcore.analyses.workspace import workspace
    from ntkcore.library.people import local
    from ntkcore.notebook import PrintedProgress
    from ntkcore.report import links

    ws = workspace()
    asked = links.read(link, local(""), ws)
    analysis, progress = catalogue.named(asked.name), PrintedProgress(ws.device)
    if analysis.after is not None:
        analysis.after.compute(asked.spec, ws, progress)
    analysis.compute(analysis.asked(asked.spec, asked.view, ws), ws, progress)
    return asked, ws


def _report(options: argparse.Namespace) -> int:
    from ntkcore.analyses.words import size
    from ntkcore.library.people import local
    from ntkcore.report import build, contents, links, write

    asked, ws = _computed(options.link)
    saved, notes = links.said_of(asked, local(""), ws)
    report = build(asked.name, asked.spec, asked.view, ws, server=asked.server, saved=saved, notes=notes)
    content = write(report, ws.settings).encode()
    for line in contents(report):
        print(f"{line.state:9} {line.name}: {line.said}")
    if options.list:
        print(f"\nThe file would take {size(len(content))}.")
        return 0
    path = options.output or Path(f"report-{asked.name}.html")
    keep(path, content)
    print(f"\n{path}, {size(len(content))}: it opens without a network.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from ntkcore.analyses.sharing import samples
    from ntkcore.analyses.words import size

    asked, ws = _computed(options.link)
    found = samples.taken(asked.name, asked.spec, asked.view, ws)
    content = samples.written(options.form, found, ws)
    path = options.output or Path(f"{asked.name}.{samples.FORMS[options.form]}")
    keep(path, content)
    print(f"{path}, {size(len(content))}: {len(found.table):,} rows of {found.title}.")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from ntkcore.analyses.csv_text import csv_of
    from ntkcore.analyses.sharing.diff import differ, side
    from ntkcore.analyses.sharing.differences import change_words
    from ntkcore.analyses.words import signed

    (one, ws), (two, _) = (_computed(link) for link in (options.one, options.two))
    found = differ(side(one.name, one.spec, one.view, ws), side(two.name, two.spec, two.view, ws), ws)
    for name, each, answer in zip("AB", found.sides, found.answers, strict=True):
        print(f"{name}: {each.title}", *(f"   {sentence}" for sentence in answer), sep="\n")
    print("\nWhat differs:", *([f"  {change_words(change)}" for change in found.changes] or ["  no choice of the same page"]), sep="\n")
    if found.moved is None or found.agreement is None:
        print(f"\n{found.why}")
        return 0
    rho = found.agreement
    interval = f", {100 * rho.level:.0f} % interval {signed(rho.low)} to {signed(rho.high)}" if rho.defined else f": {rho.reason}"
    print(f"\nOf {rho.n:,} images in both: Spearman's ρ = {signed(rho.rho) if rho.defined else '–'}{interval}.")
    for title, rows in (("Moved up most in B", found.moved.head(options.top)), ("Moved down most", found.moved.tail(options.top)[::-1])):
        print(f"\n{title}:\n{rows.to_string(index=False, float_format=lambda value: f'{value:.4g}')}")
    if options.csv is not None:
        keep(options.csv, csv_of(found.moved).encode())
    if found.compare:
        print(f"\nBoth kernels against each other: {found.compare}")
    return 0
