"""Sources of one task, against refitting without each image, and without those that are dropped."""

import numpy as np
import pytest
from group_sets import negatives
from pydantic import ValidationError
from recording import Recording

from ntkcore.analyses import catalogue
from ntkcore.analyses.information.groups import kernel as composed_kernel
from ntkcore.analyses.information.groups import sources as sources_study
from ntkcore.analyses.information.groups.scores import by_source
from ntkcore.analyses.information.groups.sources import DROPPED, SOURCES, images, offered
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import SourceSpec, SourcesSpec, SourcesView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

CLASSES = ("3", "5", "8")
PAGE = InfluenceSpec(dataset=DatasetSpec(classes=CLASSES, n=40, seed=2), test=10)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def view(content: str, **changes: object) -> InformationView:
    own = {"others": (f"own:{content}",), "n": 14, "test": 8, "repeats": 2}
    return InformationView(**{"ridge": 0.05, "sources": SourcesView(**own)} | changes)


def unit(inputs: np.ndarray) -> np.ndarray:
    flat = inputs.reshape(len(inputs), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1)[:, None]


def fitted(k: np.ndarray, held: np.ndarray, y: np.ndarray, rows: np.ndarray, ridge: float, time: float | None) -> np.ndarray:
    """Outputs of the regression on ``rows``: by a solve, or by the decomposition of its own matrix."""
    system = k[np.ix_(rows, rows)] + ridge * np.eye(len(rows))
    if time is None:
        return held[:, rows] @ np.linalg.solve(system, y[rows])
    values, vectors = np.linalg.eigh(system)
    return held[:, rows] @ (vectors * (-np.expm1(-time * values) / values)) @ vectors.T @ y[rows]


def deleted(k: np.ndarray, held: np.ndarray, y: np.ndarray, rows: np.ndarray, ridge: float, time: float | None) -> np.ndarray:
    """F-SI of ``rows`` by refitting without each."""
    whole = fitted(k, held, y, rows, ridge, time)
    shifts = [fitted(k, held, y, np.delete(rows, place), ridge, time) - whole for place in range(len(rows))]
    return np.array([np.square(shift).sum(1).mean() / 2 for shift in shifts])


@pytest.mark.parametrize("time", [None, 3.0])
def test_everything_is_what_refitting_says(ws, tmp_path, time):
    spec = SOURCES.asked(PAGE, view(negatives(tmp_path, ws.settings), time=time), ws)
    SOURCES.compute(spec, ws, Recording())
    pieces = SOURCES.open(spec, ws)
    for part in range(2):
        found = images(spec, part, ws)
        train, tested = found.split.train, found.split.test_labels
        x, z = unit(train.inputs), unit(found.split.test_inputs)
        k, held, y = two_layer_relu_ntk(x), two_layer_relu_ntk(z, x), train.targets.astype(np.float64)
        scores = deleted(k, held, y, np.arange(28), 0.05, time)
        # one eigendecomposition and a contour of 28 nodes against a refit each: 1e-7 of the largest is far above both errors
        assert np.abs(pieces["scores"][part] - scores).max() < 1e-7 * scores.max()
        for place, rows in enumerate((np.arange(14), np.arange(14, 28))):
            alone = deleted(k, held, y, rows, 0.05, time)
            assert np.abs(pieces["alone"][part][rows] - alone).max() < 1e-7 * alone.max()
            order = rows[np.argsort(scores[rows])]
            for step, share in enumerate(DROPPED):
                kept = np.setdiff1d(np.arange(28), order[: round(14 * share)])
                hits = fitted(k, held, y, kept, 0.05, time).argmax(1) == tested
                expected = [hits[:8].mean(), hits[8:].mean(), hits.mean()]
                assert pieces["accuracy"][part, place, 0, step].tolist() == pytest.approx(expected)
        assert np.array_equal(pieces["accuracy"][part, :, 0, [0, -1]], pieces["accuracy"][part, :, 1, [0, -1]])  # nothing, or all
    assert not np.array_equal(pieces["scores"][0], pieces["scores"][1])
    table = SOURCES.table(pieces, InformationView(), ws)
    assert len(table) == 4 and table["share"].sum() == pytest.approx(2) and table["source"][0] == "digits"
    assert table["information"][1] == pytest.approx(by_source(pieces, "scores", 0)[1].mean())


def test_it_goes_on_where_it_was_stopped_and_shares_its_kernel(ws, tmp_path, monkeypatch):
    content = negatives(tmp_path, ws.settings)
    spec = SOURCES.asked(PAGE, view(content), ws)
    with pytest.raises(Cancelled):
        SOURCES.compute(spec, ws, Recording(stop_at=(STUDY, 1.7)))
    assert SOURCES.state(spec, ws) == "partial"
    computed: list[int] = []
    first = sources_study.functional_information
    monkeypatch.setattr(sources_study, "functional_information", lambda *args: computed.append(1) or first(*args))
    SOURCES.compute(spec, ws, Recording())
    assert len(computed) == 3  # of the second repeat alone: all sources, and each by itself
    made: list[object] = []
    monkeypatch.setattr(composed_kernel, "fill_kernels", lambda *args: made.append(args))
    other = SOURCES.asked(PAGE, view(content, ridge=0.5), ws)
    catalogue.of(other).compute(other, ws, Recording())
    assert SOURCES.state(other, ws) == "ready" and not made  # λ is another, the kernel the same


def test_refusals(ws, tmp_path):
    content = negatives(tmp_path, ws.settings)
    with pytest.raises(SpecError, match="one source only"):
        SOURCES.asked(PAGE, InformationView(), ws)
    with pytest.raises(SpecError, match="Name different ones"):
        SOURCES.asked(PAGE, InformationView(sources=SourcesView(others=("digits",))), ws)
    trained = InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": 2}})
    with pytest.raises(SpecError, match="after 2 epochs"):
        SOURCES.asked(trained, view(content), ws)
    with pytest.raises(ValidationError, match="no image set 'pictures'"):
        SourcesView(others=("pictures",))
    few = negatives(tmp_path, ws.settings, classes=("3", "5"), n=60)
    with pytest.raises(DataError, match="Digits and Negatives are not of the same classes: Negatives has no class '8'") as refused:
        SOURCES.forecast(SOURCES.asked(PAGE, view(few), ws), ws)
    assert refused.value.remedy == "Choose the classes that both have: 3, 5."
    every = InfluenceSpec(dataset=DatasetSpec(n=40), test=10)
    with pytest.raises(DataError, match="Negatives has no class '0', '1', '2'"):
        SOURCES.forecast(SOURCES.asked(every, view(few), ws), ws)
    large = negatives(tmp_path, ws.settings, side=11)
    with pytest.raises(DataError, match="one network takes inputs of one size"):
        SOURCES.forecast(SOURCES.asked(PAGE, view(large), ws), ws)
    tiny = SOURCES.asked(PAGE, view(content, sources=SourcesView(others=(f"own:{content}",), n=14, test=2)), ws)
    reduced = tiny.model_copy(update={"classes": (), "sources": (SourceSpec(name="digits"), tiny.sources[1])})
    with pytest.raises(DataError, match=r"a single image|no image|No held-out image"):
        SOURCES.forecast(reduced, ws)
    with pytest.raises(DataError, match="1,008 were asked for"):
        SOURCES.forecast(SOURCES.asked(PAGE, view(content), ws).model_copy(update={"n": 1000}), ws)
    small = Workspace(ws.settings.model_copy(update={"job_memory": 2**20}))
    with pytest.raises(SpecError, match="no number of images would fit"):
        SOURCES.compute(SOURCES.asked(PAGE, view(content), ws), small, Recording())


def test_what_is_offered(ws, tmp_path):
    same, other = negatives(tmp_path, ws.settings), negatives(tmp_path, ws.settings, side=11)
    found = offered(SourceSpec(name="digits"), ws)
    assert next(iter(found)) == f"own:{same}" and "digits" not in found
    assert found[f"own:{other}"] == "Negatives · 11 × 11 pixels in gray"
    assert SourceSpec.of(f"own:{same}").token == f"own:{same}" and isinstance(SOURCES.asked(PAGE, view(same), ws), SourcesSpec)
