"""The convergence analysis from specification to stored result, against slow definitions written out again."""

import numpy as np
import pytest
from comparison_oracle import compare
from convergence_runs import SPEC
from recording import Recording

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.convergence.comparison import comparison_key, open_comparison, open_point
from ntkcore.analyses.convergence.making import ensure_comparison
from ntkcore.analyses.materials import network as network_module
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError, DataError, SpecError


@pytest.fixture
def ws(cache, few_timings):
    return Workspace(cache)


@pytest.mark.parametrize(("look", "ridge"), [(0, 0.0), (2, 0.3)])
def test_a_comparison_is_what_the_definitions_say(ws, look, ridge):
    spec = SPEC.model_copy(update={"ridge": ridge, "looks": (look,), "widths": (24,)})
    point = spec.points()[0]
    ensure_comparison(point, load_split(point.dataset, point.test, ws), ws, Recording())
    found, wanted = open_comparison(point, ws), compare(point, ws, Recording())
    assert (found.width, found.seed, found.epoch, found.n, found.m, found.k) == (24, 0, look, 12, 9, 3)
    assert found.parameters == 64 * 24 + 24 + 24 * 3 + 3
    assert found.class_names == ("3", "5", "8")
    # float64 throughout; the regressions' systems have condition numbers up to 1e5, so six digits less than the unit of 1e-16.
    assert found.on == pytest.approx(wanted["on"], rel=1e-10)
    assert found.off == pytest.approx(wanted["off"], rel=1e-10)
    for name in ("frobenius", "pair_error", "rank", "alignment"):
        assert getattr(found, name) == pytest.approx(wanted[name], rel=1e-9), name
    assert found.prediction_difference == pytest.approx(wanted["prediction_difference"], rel=1e-8)
    assert found.agreement == pytest.approx(wanted["agreement"])
    assert found.accuracy == pytest.approx(wanted["accuracy"])
    for form, values in wanted["spectra"].items():
        np.testing.assert_allclose(found.spectra[form], values, atol=1e-11 * values[-1])
        assert found.largest[form] == pytest.approx(values[-1], rel=1e-10)
        assert found.smallest[form] == pytest.approx(values[0], abs=1e-11 * values[-1])
        assert found.condition[form] == pytest.approx(values[-1] / values[0], rel=1e-4)
    assert set(found.seconds) == {"full", "pseudo", "first"} and all(value > 0 for value in found.seconds.values())
    assert all(value == 0 for value in found.jitter.values())
    assert all(found.doctor[form].sound for form in ("pseudo", "full"))
    assert found.doctor["full"].columns == 36 and found.doctor["full"].batch_invariance < 1e-12

    pictures = open_point(point, ws)
    kernels = wanted["kernels"]
    np.testing.assert_allclose(pictures.pseudo, kernels["pseudo"], rtol=1e-6)  # stored in float32
    np.testing.assert_allclose(pictures.full_mean, kernels["mean"], rtol=1e-6)
    assert pictures.error.mean() == pytest.approx(wanted["pair_error"]["pseudo"], rel=1e-6)
    np.testing.assert_array_equal(pictures.labels, wanted["labels"])
    assert sorted(pictures.order) == list(range(12)) and (np.diff(pictures.labels[pictures.order]) >= 0).all()


def test_the_scratch_is_gone_and_the_numbers_stay(ws):
    point = SPEC.points()[0]
    ensure_comparison(point, load_split(point.dataset, point.test, ws), ws, Recording())
    artifact = ws.store.open("comparison", comparison_key(point, ws))
    assert set(artifact.names) == {"spectrum-full", "spectrum-pseudo", "spectrum-first", "labels", "pseudo", "full_mean", "error"}
    assert not ws.store.verify("comparison", artifact.key)


def test_a_jitter_is_said(ws):
    """Six hidden units and 36 equations: the full kernel is singular."""
    spec = SPEC.model_copy(update={"widths": (6,), "looks": (0,), "seeds": 1})
    CONVERGENCE.compute(spec, ws, Recording())
    result = CONVERGENCE.open(spec, ws)
    assert result.points[0].jitter["full"] > 0 and result.points[0].condition["full"] == np.inf
    assert any("jitter" in text for text in result.warnings)
    assert any("diagonal" in text for text in result.points[0].doctor["full"].findings)


def test_an_analysis_never_begun_is_empty(ws):
    result = CONVERGENCE.open(SPEC, ws)
    assert result.ready == 0 and len(result.points) == 12 and result.class_names == () and result.created == ""


def test_all_looks_share_one_training(ws, monkeypatch):
    calls = []
    original = network_module.train
    monkeypatch.setattr(network_module, "train", lambda *args, **kwargs: calls.append(args[3].epochs) or original(*args, **kwargs))
    CONVERGENCE.compute(SPEC, ws, Recording())
    assert calls == [3, 3, 3, 3]
    kinds = [entry.kind for entry in ws.store.entries()]
    assert (kinds.count("training"), kinds.count("state"), kinds.count("comparison")) == (4, 8, 12)
    # A lost state is made again by one short training from the stored look before it.
    point = SPEC.points()[-1]
    for kind in ("comparison", "state"):
        keys = [
            entry.key for entry in ws.store.entries() if entry.kind == kind and entry.info["identity"]["spec"] == _identity(point, kind)
        ]
        ws.store.remove(kind, keys[0])
    before = CONVERGENCE.open(SPEC, ws).points[:-1]
    CONVERGENCE.compute(SPEC, ws, Recording())
    assert calls[4:] == [3]
    assert CONVERGENCE.ready(SPEC, ws) and CONVERGENCE.open(SPEC, ws).points[:-1] == before


def _identity(point, kind):
    dump = point.model_dump(mode="json")
    return dump if kind == "comparison" else {name: dump[name] for name in ("dataset", "model", "training")}


def test_a_training_that_diverges_is_a_result(ws):
    wild = SPEC.training.model_copy(update={"learning_rate": 3.0, "epochs": 40})
    spec = SPEC.model_copy(update={"looks": (0, 1, 40), "seeds": 1, "training": wild})
    reporter = Recording()
    CONVERGENCE.compute(spec, ws, reporter)
    result = CONVERGENCE.open(spec, ws)
    assert result.complete
    last = [point for point in result.points if point.epoch == 40]
    assert all("diverged" in point.diverged and "smaller learning rate" in point.diverged for point in last)
    assert all(np.isnan(point.on) and not point.spectra and not point.accuracy and point.n == 12 and point.m == 9 for point in last)
    assert all(not point.diverged for point in result.points if point.epoch == 0)
    assert any("diverged" in text for text in result.warnings) and any("diverged" in text for text in reporter.warnings)
    with pytest.raises(ComputationError):
        open_point(last[0].spec, ws)
    again = Recording()
    CONVERGENCE.compute(spec, ws, again)
    assert not [stage for stage, _ in again.reports if stage.startswith("Training")]


def test_a_look_before_the_divergence_is_compared(ws):
    wild = SPEC.training.model_copy(update={"learning_rate": 4.0, "epochs": 40})  # a few epochs until the outputs pass 10⁶
    spec = SPEC.model_copy(update={"looks": (1, 40), "widths": (6,), "seeds": 1, "training": wild})
    CONVERGENCE.compute(spec, ws, Recording())
    early, late = CONVERGENCE.open(spec, ws).points
    assert not early.diverged and early.frobenius["pseudo"] > 0
    assert late.diverged


def test_a_look_wanted_only_after_the_divergence_is_compared_too(ws):
    wild = SPEC.training.model_copy(update={"learning_rate": 4.0, "epochs": 40})
    spec = SPEC.model_copy(update={"looks": (1, 40), "widths": (6,), "seeds": 1, "training": wild})
    CONVERGENCE.compute(spec, ws, Recording())
    more = spec.model_copy(update={"looks": (1, 3, 40)})
    CONVERGENCE.compute(more, ws, Recording())
    assert [bool(point.diverged) for point in CONVERGENCE.open(more, ws).points] == [False, False, True]


def test_what_cannot_be_compared_is_refused_before_anything_runs(ws):
    with pytest.raises(DataError) as caught:
        CONVERGENCE.compute(SPEC.model_copy(update={"test": 9000}), ws, Recording())
    assert "9,000" in caught.value.message and "together" in caught.value.remedy
    two = SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"classes": ("3", "5")})})
    with pytest.raises(SpecError) as refused:
        CONVERGENCE.compute(two, ws, Recording())
    assert "three classes" in refused.value.remedy
    assert not ws.store.entries()


def test_held_out_images_follow_in_the_draw_with_their_true_labels(ws):
    split = load_split(SPEC.dataset, 9, ws)
    more = load_split(SPEC.dataset.model_copy(update={"n": 21, "label_noise": 0.0}), 3, ws)
    np.testing.assert_array_equal(split.test_inputs, more.train.inputs[12:])
    np.testing.assert_array_equal(split.test_labels, more.train.labels[12:])
    assert split.train.flipped.sum() == 1 and len(split.test_labels) == 9


def test_the_key_follows_what_is_compared(ws):
    specs = [SPEC, SPEC.model_copy(update={"ridge": 1.0}), SPEC.model_copy(update={"test": 8}), SPEC.model_copy(update={"seeds": 1})]
    assert len({CONVERGENCE.key(spec, ws) for spec in specs}) == 4
    assert SPEC.points()[0] == specs[3].points()[0]  # a point belongs to every analysis that looks at it
