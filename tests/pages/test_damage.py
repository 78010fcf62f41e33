"""One battery over every kind of file that the store writes: a bit of it flipped, its end cut off, all of it gone or noise.

Every page opens all the same, says what is damaged where it shows it, and what is computed again is what it was.
"""

import random
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from caches import begun
from recording import Recording
from reviews import write_reviews
from small_analyses import SMALL, quickly
from soaked import soaked
from visiting import kept_cache, opened, told, twins, visitor

from ntkcore.analyses.catalogue import named
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_texts
from ntkcore.errors import Cancelled, CorruptArtifact
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from pages import PAGES

SHOWN = [page.name for page in PAGES if page.result]
SAME = [name for name in SHOWN if name not in ("active", "convergence")]  # whose sentences hold no seconds of this machine
ARTIFACTS = (
    "active",
    "compare",
    "comparison",
    "convergence",
    "diagonal",
    "duplicates",
    "influence",
    "kernel",
    "learnability",
    "map",
    "spectrum",
    "timing",
    "training",
)
STUDIES = ("verification", "network-ihvp", "detection", "summary", "subclass", "adversarial", "retraining", "agreement")
THEIRS = {name: name for name in STUDIES} | {
    "composed": "subclass",
    "estimate": "network-ihvp",
    "state": "adversarial",
    "trained": "verification",
}
"""Artifacts that only studies have: the study that is looked at when one is damaged."""
PARTS = ("arrays/*/c/**/*", "arrays/*/zarr.json", "documents/*", "draft.json", "manifest.json", "used")
DRAFTS = tuple(f"drafts/*/*/{part}" for part in PARTS[:4])
SETS = tuple(f"sets/*/{name}" for name in ("images.npy", "vectors.npy", "labels.npy", "ids.json", "texts.bin", "ends.npy", "set.json"))
REST = (
    "jobs.sqlite",
    "jobs.sqlite-wal",
    "jobs.sqlite-shm",
    "library.sqlite",
    "secret",
    "rates.json",
    "hashes.json",
    "generation.json",
    "owner-only",
    "thumbnails/*",
)
KEPT = ("jobs.sqlite", "sets/*/ends.npy", "artifacts/learnability/*/manifest.json")
KINDS = (*(f"artifacts/{kind}/*/{part}" for kind in ARTIFACTS for part in PARTS), *DRAFTS, *SETS, *REST)
OF_STUDIES = {f"artifacts/{kind}/*/{part}": name for kind, name in THEIRS.items() for part in PARTS}
NONE = {f"artifacts/{kind}/*/arrays/*/{part}" for kind in ("convergence", "state") for part in ("c/**/*", "zarr.json")} | {
    f"artifacts/{kind}/*/documents/*" for kind in ("compare", "timing", "trained")
}

chance = random.Random(0)


def flipped(data: bytes) -> bytes:
    changed = bytearray(data)
    if data:
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


DAMAGES = {
    "a bit flipped": flipped,
    "cut": lambda data: data[: len(data) * 2 // 3],
    "empty": lambda data: b"",
    "noise": lambda data: chance.randbytes(len(data)),
}
EMPTY = ("used", "owner-only")  # files whose being there is all they say: no damage changes them


def tells(kind, how):
    """Whether a damage is one that no other shows: of an artifact's file, checked whole, nothing at all is as two thirds of it, and noise
    is as one bit; of one kind of artifact it is tried all the same."""
    if kind.endswith(EMPTY):
        return how == "a bit flipped"
    alike = ("empty", "noise") if not kind.startswith("artifacts/learnability") else ("empty",)
    return kind not in NONE and not (how in alike and kind.startswith("artifacts"))


TOLD = [kind for kind in OF_STUDIES if kind not in NONE and not kind.endswith(EMPTY)]
CASES = [(kind, how) for kind in KINDS for how in DAMAGES if tells(kind, how)]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A cache that holds each kind of file, and what every page answers from it."""
    folder = tmp_path_factory.mktemp("pristine")
    with kept_cache(folder) as ws, pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        for name in (*SHOWN, *STUDIES):
            analysis, spec, _ = asked(name, ws)
            analysis.compute(spec, ws, Recording())
        twins(folder)
        import_texts(write_reviews(folder / "reviews.csv"), ws.settings, name="reviews")
        interrupted(ws)
        for page in PAGES:
            opened(visitor(), page.path, **SMALL.get(page.name, {}))
        ws.rates.learn("training cpu", 1.0, 1.0)
        yield folder / "cache", {name: answered(name, ws) for name in (*SAME, *STUDIES)}
        ws.jobs.close()


def asked(name, ws):
    spec, view = ADDRESSES[name].read(SMALL[name])
    return named(name), named(name).asked(spec, view, ws), view


def interrupted(ws):
    """A job that asks for another analysis, and its draft after the first epoch."""
    spec, _ = ADDRESSES["learnability"].read(SMALL["learnability"] | {"seed": "1", "epochs": "9"})
    named("learnability").request(spec, ws)
    with pytest.raises(Cancelled):
        named("learnability").compute(spec, ws, Recording(stop_at=("Training", 2 * 30)))


def answered(name, ws):
    """What a page answers, after what is found damaged was computed again as its worker would."""
    analysis, spec, view = asked(name, ws)
    for _ in range(5):
        analysis.compute(spec, ws, Recording())
        try:
            return analysis.answer(analysis.open(spec, ws), view, ws)
        except CorruptArtifact as damage:
            analysis.repair(damage, spec, ws)
    raise AssertionError(f"{name}: found damaged again and again")


@contextmanager
def copied(pristine: Path, folder: Path):
    """A workspace of its own on a copy of the cache."""
    with pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        shutil.copytree(pristine, begun(folder / "cache"), dirs_exist_ok=True)
        patch.setenv("NTK_CACHE_DIR", str(folder / "cache"))
        patch.setenv("NTK_START_WORKER", "0")
        settings.cache_clear()
        yield Workspace(settings())
    settings.cache_clear()


def shown(page, query):
    """What a page says; where it speaks of damage, also what it says when it is opened again."""
    app = opened(visitor(), page, **query)
    first = told(app)
    if not (app.error or app.warning):
        return first
    app.run()
    assert not app.exception, app.exception
    return first + told(app)


@pytest.mark.parametrize(("kind", "how"), soaked(CASES, *(case for case in CASES if case[0] in KEPT)))
def test_a_damaged_file_closes_no_page(pristine, tmp_path, kind, how):
    cache, answers = pristine
    kept = kind in KEPT
    with copied(cache, tmp_path) as ws:
        found = [path for path in ws.settings.cache_dir.glob(kind) if path.is_file()]
        assert found, "no such file is in the pristine cache"
        for path in found:
            path.write_bytes(DAMAGES[how](path.read_bytes()))
        for page in PAGES:
            if not kept or page.name in ("jobs", "data", "learnability"):
                assert str(tmp_path) not in shown(page.path, SMALL.get(page.name, {}))
        for name in ("learnability",) if kept else SAME:
            assert answered(name, ws) == answers[name]
        assert all(not entry.info or entry.info["bytes"] for entry in ws.store.entries()) and len(ws.jobs.list(100)) < 100
        ws.jobs.close()


@pytest.mark.parametrize("kind", soaked(TOLD, "artifacts/estimate/*/manifest.json"))
def test_a_damaged_file_of_a_study_closes_no_page(pristine, tmp_path, kind):
    """Their files are as those of the other artifacts, so that one damage of each part is enough."""
    cache, answers = pristine
    name = OF_STUDIES[kind]
    with copied(cache, tmp_path) as ws:
        found = [path for path in ws.settings.cache_dir.glob(kind) if path.is_file()]
        assert found, "no such file is in the pristine cache"
        for path in found:
            path.write_bytes(flipped(path.read_bytes()))
        assert str(tmp_path) not in shown(ADDRESSES[name].page, SMALL[name])
        assert answered(name, ws) == answers[name]
        ws.jobs.close()


@pytest.mark.soak
def test_no_kind_of_file_is_left_out(pristine):
    cache, _ = pristine
    written = {path for path in cache.rglob("*") if path.is_file() and not re.search(r"\.lock$", path.name)}
    covered = {path for kind in (*KINDS, *OF_STUDIES) for path in cache.glob(kind)}
    left = sorted(str(path.relative_to(cache)) for path in written - covered)
    assert not left, left
