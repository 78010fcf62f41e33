"""One battery over every analysis: what the contract promises holds for each of them, whoever adds it."""

import shlex
import shutil
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from caches import begun
from recording import Recording
from sklearn.datasets import load_digits
from small_analyses import SMALL, quickly

from ntkcore import notebook
from ntkcore.analyses.catalogue import ANALYSES, MATERIALS, handlers, named, of, of_job, word_of
from ntkcore.analyses.convergence.comparison import COMPARISON_METHOD
from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.information.groups.kernel import COMPOSED_METHOD
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.sharing.saving import shown_by
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import _parser, main
from ntkcore.data import import_images
from ntkcore.errors import CorruptArtifact, SpecError
from ntkcore.library.people import local
from ntkcore.permalink import ADDRESSES
from ntkcore.report import build, contents, write
from ntkcore.report.links import read as read_link
from ntkcore.settings import settings
from ntkcore.store import Store
from pages import PAGES

NAMES = [analysis.name for analysis in ANALYSES]
OF_DATA = ("duplicates",)  # before any network


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Iterator[Workspace]:
    """A cache for the module, with an imported set as a second source."""
    folder = tmp_path_factory.mktemp("contract")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NTK_CACHE_DIR", str(begun(folder / "cache")))
        patch.setenv("NTK_START_WORKER", "0")
        quickly(patch)
        settings.cache_clear()
        digits = load_digits()
        np.savez(folder / "inverted.npz", images=(255 - digits.images * 15.9375).astype(np.uint8), labels=digits.target)
        own = import_images(folder / "inverted.npz", settings(), name="inverted").content_id
        patch.setitem(SMALL, "sources", SMALL["sources"] | {"sources-others": [f"own:{own}"]})
        yield Workspace(settings())
    settings.cache_clear()


@pytest.fixture(scope="module")
def made(kept):
    """Each analysis computed once: its analysis, specification and view."""
    found = {}

    def make(name):
        if name not in found:
            asked = notebook.ask(name, SMALL[name], kept)
            asked.analysis.compute(asked.spec, kept, Recording())
            found[name] = asked
        return found[name]

    return make


def fresh(ws: Workspace) -> Workspace:
    """Another process on the same cache: nothing is hot."""
    return Workspace(ws.settings)


def test_each_has_a_word_a_page_that_opens_it_and_an_address():
    assert list(ADDRESSES) == NAMES == list(SMALL)
    assert len(set(NAMES)) == len(NAMES)
    pages = {page.name for page in PAGES}
    for analysis in ANALYSES:
        address = ADDRESSES[analysis.name]
        assert address.page in pages and address.lead
        assert address.view is analysis.view
        assert analysis.word and word_of(analysis.kind) not in ("", analysis.kind)
        assert set(address.asks) <= set(address.view_fields)


def kinds_of_analyses() -> set[str]:
    return {analysis.kind for analysis in ANALYSES}


def test_a_worker_takes_every_kind(kept):
    assert set(handlers(kept)) == kinds_of_analyses() | {"download", "weights", "import", "preview", "label-network"}


@pytest.mark.parametrize("name", NAMES)
def test_a_specification_tells_its_analysis(made, name):
    assert of(made(name).spec).kind == made(name).analysis.kind


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(SpecError) as caught:
        named("astrology")
    assert all(name in caught.value.remedy for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_link_says_what_was_asked(made, kept, name):
    asked = made(name)
    spec, view = asked.analysis.shown(asked.spec)
    address = ADDRESSES[name]
    query = address.write(spec, view)
    assert address.read(query) == (spec, view)
    assert asked.analysis.asked(spec, view, kept) == asked.spec


@pytest.mark.parametrize("name", NAMES)
def test_its_forecast_says_what_it_takes_and_refuses_what_does_not_fit(made, kept, name):
    asked = made(name)
    forecast = asked.analysis.forecast(asked.spec, kept)
    assert forecast.seconds >= 0 and forecast.memory > 0 and forecast.disk >= 0 and not forecast.refusal
    small = Workspace(kept.settings.model_copy(update={"job_memory": 2**20}))
    with pytest.raises(SpecError) as caught:
        asked.analysis.request(asked.spec, small)
    assert "would fit" in caught.value.message and caught.value.remedy
    assert asked.analysis.forecast(asked.spec, small).refusal == caught.value.message


@pytest.mark.parametrize("name", NAMES)
def test_the_same_wish_is_one_job_that_opens_its_page(made, kept, name):
    asked = made(name)
    first, second = (asked.analysis.request(asked.spec, kept) for _ in range(2))
    assert first.id == second.id == asked.analysis.key(asked.spec, kept) and first.kind == asked.analysis.kind and first.title
    job = kept.jobs.state(first.id)
    assert job is not None and of_job(job) is not None and of_job(job).kind == asked.analysis.kind
    assert asked.analysis.spec.model_validate(job.payload["spec"]) == asked.spec
    kept.jobs.cancel(first.id)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_holds_its_answer_its_tables_and_what_makes_it_again(made, kept, name):
    asked = made(name)
    spec, view = ADDRESSES[name].read(SMALL[name])
    result, report = asked.analysis.open(asked.spec, kept), build(name, spec, view, kept)
    assert report.answer == asked.analysis.answer(result, view, kept)
    pd.testing.assert_frame_equal(report.tables[""], asked.analysis.table(result, view, kept))
    assert asked.analysis.key(asked.spec, kept) in {value for _, value in report.hashes}
    assert read_link(report.link, local(""), kept).spec == spec
    for command in report.command.splitlines():
        assert _parser().parse_args(shlex.split(command)[3:])
    text = write(report, kept.settings)
    assert text.count("<script") == 3 and "https://" not in text.split('<script type="application/json"')[0]
    states = {line.state for line in contents(report)}
    assert {"live", "still", "left out"} == states


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_in_sentences_and_a_table(made, kept, name):
    asked = made(name)
    assert asked.analysis.ready(asked.spec, kept) and asked.analysis.verify(asked.spec, kept) == []
    result = asked.analysis.open(asked.spec, kept)
    assert result is asked.analysis.open(asked.spec, kept) or name == "convergence"  # whose parts are hot, each for itself
    said, rows = asked.analysis.answer(result, asked.view, kept), asked.analysis.table(result, asked.view, kept)
    assert said and all(isinstance(text, str) and text.strip() == text and text.endswith((".", "?")) for text in said), said
    assert not any(mark in text for text in said for mark in ("<", "**", "nan", "TODO")), said
    assert isinstance(rows, pd.DataFrame) and len(rows) and len(set(rows.columns)) == len(rows.columns)
    again = asked.analysis.open(asked.spec, fresh(kept))
    assert asked.analysis.answer(again, asked.view, kept) == said


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_with_it_is_all_that_it_shows(made, kept, name, tmp_path):
    asked = made(name)
    spec, view = asked.analysis.shown(asked.spec)
    keys = shown_by(ADDRESSES[name].page, spec, view, kept)
    assert {(asked.analysis.kind, asked.analysis.key(asked.spec, kept))} <= {(kind, key) for kind, key, _ in keys}
    left = tmp_path / "cache"
    shutil.copytree(kept.settings.cache_dir, left, ignore=lambda folder, _: ["artifacts", "drafts"])
    for kind, key, size in keys:
        shutil.copytree(kept.store.root / "artifacts" / kind / key, left / "artifacts" / kind / key)
        assert size > 0
    evicted = Workspace(kept.settings.model_copy(update={"cache_dir": left}))
    result = asked.analysis.open(asked.spec, evicted)
    before = asked.analysis.open(asked.spec, kept)
    assert asked.analysis.answer(result, asked.view, evicted) == asked.analysis.answer(before, asked.view, kept)
    pd.testing.assert_frame_equal(asked.analysis.table(result, asked.view, evicted), asked.analysis.table(before, asked.view, kept))


@pytest.mark.parametrize("name", NAMES)
def test_the_terminal_and_the_notebook_say_the_same(made, kept, name, capsys, tmp_path, monkeypatch):
    asked = made(name)
    monkeypatch.setattr(notebook, "workspace", lambda: kept)
    monkeypatch.setattr("ntkcore.analyses.workspace.workspace", lambda: kept)
    result = asked.analysis.open(asked.spec, kept)
    said, rows = asked.analysis.answer(result, asked.view, kept), asked.analysis.table(result, asked.view, kept)
    words = [
        word for option, value in SMALL[name].items() for word in (f"--{option}", ",".join(value) if isinstance(value, list) else value)
    ]
    assert main([name, *words, "--csv", str(tmp_path / "rows.csv")]) == 0
    printed = capsys.readouterr().out
    assert all(text in printed for text in said) and asked.analysis.key(asked.spec, kept) in printed
    assert (tmp_path / "rows.csv").read_text() == csv_of(rows)
    assert main([name, *words, "--forecast"]) == 0
    assert "stored" in capsys.readouterr().out
    looks = {option: SMALL[name][option] for option in ADDRESSES[name].asks if option in SMALL[name]}
    found = notebook.compute(name, **SMALL[name])
    assert notebook.answer(found, name, **looks) == said


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_tile_is_found_and_computed_again(made, kept, name):
    asked = made(name)
    analysis, spec = asked.analysis, asked.spec
    artifact = kept.store.open(analysis.kind, analysis.key(spec, kept))
    tiles = sorted(path for path in artifact.folder.rglob("c/*") if path.is_file()) or sorted(
        path for path in artifact.folder.rglob("*.json") if path.parent.name == "documents"
    )
    damaged = bytearray(tiles[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    tiles[0].write_bytes(damaged)
    other = fresh(kept)
    assert analysis.verify(spec, other)
    try:
        analysis.load(artifact, spec, other)
    except CorruptArtifact as damage:
        met = damage
    else:  # a part that no page reads
        met = analysis.verify(spec, other)[0]
    job = analysis.repair(met, spec, other)
    assert job.id == analysis.key(spec, other) and not analysis.ready(spec, other)
    handlers(other)[analysis.kind](job.payload, Recording())
    other.jobs.cancel(job.id)
    assert analysis.ready(spec, other) and analysis.verify(spec, other) == []


@pytest.mark.parametrize("method", [KERNEL_METHOD, TRAINING_METHOD], ids=lambda method: method.name)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_DATA])
def test_raising_a_method_changes_the_key(made, kept, name, method):
    """All but those of the data alone depend on the kernel engine, and on trainings: of the network, or of what it starts from."""
    asked = made(name)
    before = asked.analysis.key(asked.spec, kept)
    raised(method, lambda: distinct(before, asked.analysis.key(asked.spec, kept)))


@pytest.mark.parametrize("name", NAMES)
def test_raising_a_method_it_names_or_its_own_version_changes_the_key(made, kept, name, monkeypatch):
    asked = made(name)
    before = asked.analysis.key(asked.spec, kept)
    for method in asked.analysis.uses:
        raised(method, lambda: distinct(before, asked.analysis.key(asked.spec, kept)))
    monkeypatch.setattr(type(asked.analysis), "version", asked.analysis.version + 1)
    distinct(before, asked.analysis.key(asked.spec, kept))


def test_what_depends_on_an_analysis_depends_on_its_version(made, kept, monkeypatch):
    hanging = ("verification", "addition", "network-ihvp", "detection", "summary", "retraining", "agreement")
    before = {name: made(name).analysis.key(made(name).spec, kept) for name in hanging}
    monkeypatch.setattr("ntkcore.analyses.influence.base.KernelRegressionAnalysis.version", 99)
    for name in hanging:
        distinct(before[name], made(name).analysis.key(made(name).spec, kept))


def test_what_is_made_of_comparisons_and_composed_kernels_depends_on_them(made, kept):
    for method, names in ((COMPARISON_METHOD, ("convergence",)), (COMPOSED_METHOD, ("sources", "subclass", "adversarial"))):
        for name in names:
            before = made(name).analysis.key(made(name).spec, kept)
            raised(method, lambda before=before, name=name: distinct(before, made(name).analysis.key(made(name).spec, kept)))


def test_every_stored_kind_has_a_word_and_says_what_it_uses(made, kept):
    for name in NAMES:
        made(name)
    store: Store = kept.store
    kinds = {entry.kind for entry in store.entries()}
    assert kinds <= set(MATERIALS) | kinds_of_analyses() and kinds >= kinds_of_analyses()
    for entry in store.entries():
        assert entry.info["identity"]["uses"], entry.kind
        assert word_of(entry.kind) != entry.kind


def raised(method, check) -> None:
    """Check while a method's version is one higher."""
    object.__setattr__(method, "version", method.version + 1)
    try:
        check()
    finally:
        object.__setattr__(method, "version", method.version - 1)


def distinct(one: str, other: str) -> None:
    assert one != other
