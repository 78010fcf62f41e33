"""The active learning study: what is the same for all strategies, what an interruption leaves, what is refused or said."""

from dataclasses import replace

import numpy as np
import pytest
from active_study import small
from recording import Recording

from ntkcore.active import margin, raw_gap, simplex
from ntkcore.analyses.active import run, views
from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.active.answer import answer
from ntkcore.analyses.active.run import Task, candidates_of, first_labelled, images
from ntkcore.analyses.active.strategies import REGISTRY, Strategy
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.models import evaluate, train
from ntkcore.specs.active import ActiveSpec, ActiveView


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def computed(spec, ws):
    ACTIVE.compute(spec, ws, Recording())
    return ACTIVE.open(spec, ws)


def alike(one, other) -> None:
    """All but the seconds."""
    for name in one.arrays:
        if name != "seconds":
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_a_cycle_is_a_training_a_choice_and_the_labels(ws):
    """Margin, made step by step from the parts that it is said to be made of."""
    spec = small(strategies=("margin",), seeds=2)
    found = computed(spec, ws)
    split, seed = images(spec, ws), 1
    task = Task(spec, "margin", seed, split)
    labelled = first_labelled(task)
    for cycle in range(spec.protocol.cycles + 1):
        module = network(spec.model.model_copy(update={"seed": seed}), split.train, ws)
        training = spec.training.model_copy(update={"seed": seed})
        for _ in train(module, split.train.inputs[labelled], split.train.targets[labelled], training):
            pass
        right = evaluate(module, split.test_inputs).argmax(1) == split.test_labels
        assert found["accuracy"][seed, cycle] == right.mean()
        if cycle == spec.protocol.cycles:
            break
        pool = candidates_of(task, labelled, cycle)
        assert len(pool) == 25 and not set(pool) & set(labelled)
        outputs = evaluate(module, split.train.inputs[pool])
        order = np.lexsort((np.arange(len(pool)), raw_gap(outputs), margin(simplex(outputs))))
        np.testing.assert_array_equal(found["picks"][seed, cycle], pool[order[:4]])
        np.testing.assert_array_equal(found["picked"][seed, cycle], split.train.labels[pool[order[:4]]])
        labelled = np.concatenate([labelled, pool[order[:4]]])


def test_all_strategies_begin_alike_and_never_ask_twice(ws):
    found = computed(small(), ws)
    accuracy = views.by_strategy(found, "accuracy")
    assert (accuracy[:, :, 0] == accuracy[0, :, 0]).all() and not (accuracy[:, 0] == accuracy[:, 1]).all()
    for place, name in enumerate(found.spec.strategies):
        for seed in range(2):
            start = first_labelled(Task(found.spec, name, seed, images(found.spec, ws)))
            asked = np.concatenate([start, views.by_strategy(found, "picks")[place, seed].ravel()])
            assert len(set(asked.tolist())) == len(asked) == found.spec.protocol.labels[-1]


def test_a_strategy_chooses_the_same_whoever_competes(ws):
    together, alone = computed(small(), ws), computed(small(strategies=("lookahead",)), ws)
    for name in ("accuracy", "picks", "norms"):
        np.testing.assert_array_equal(views.by_strategy(together, name)[2], alone[name])


@pytest.mark.parametrize("warm", [False, True])
def test_interrupted_in_any_cycle_it_ends_alike_and_repeats_no_finished_one(ws, tmp_path, warm, monkeypatch):
    spec = small(warm=warm, seeds=1)
    whole = computed(spec, Workspace(ws.settings.model_copy(update={"cache_dir": tmp_path / "whole"})))
    ACTIVE.forecast(spec, ws)  # its probes choose, too
    chosen: list[int] = []
    real = REGISTRY["lookahead"]
    monkeypatch.setitem(REGISTRY, "lookahead", replace(real, choose=lambda cycle: chosen.append(len(cycle.inputs)) or real.choose(cycle)))
    for moment in (0.1, 1.4, 2.1, 2.3, 2.6, 2.9):  # pieces done: in the first cycle, in another strategy, then in each of look-ahead's
        with pytest.raises(Cancelled):
            ACTIVE.compute(spec, ws, Recording(stop_at=(STUDY, moment)))
    alike(computed(spec, ws), whole)
    assert chosen == [6, 10, 14]


@pytest.mark.parametrize("name", ["step", "infinite", "gp", "naive", "loss-prediction", "oracle"])
def test_a_strategy_that_trains_or_takes_another_kernel_competes(ws, name):
    spec = small(strategies=("random", name), seeds=1, cycles=2, drawn=5, batches=3)
    forecast = ACTIVE.forecast(spec, ws)
    assert forecast.seconds > 0 and not forecast.refusal
    accuracy, picks = (views.by_strategy(computed(spec, ws), what) for what in ("accuracy", "picks"))
    assert np.isfinite(accuracy).all() and np.isfinite(picks).all() and (accuracy[:, :, 0] == accuracy[0, :, 0]).all()


def test_the_oracle_is_shown_and_compared_with_none(ws):
    with_it = computed(small(strategies=("oracle", "margin", "lookahead", "entropy"), batches=3), ws)
    without = computed(small(strategies=("margin", "lookahead", "entropy"), batches=3), ws)
    assert views.reference(with_it.spec) == "margin"
    rows = {row.name: row for row in views.rows(with_it, 0.5)}
    assert np.isnan(rows["oracle"].p)
    assert [rows[row.name].p for row in views.rows(without, 0.5)] == pytest.approx([row.p for row in views.rows(without, 0.5)], nan_ok=True)
    assert views.overall(with_it).p == views.overall(without).p
    said = answer(with_it, ActiveView(level=50.0))
    assert said[1].startswith("The best of 3 random batches a cycle, chosen by their labels, ")
    assert not any("racle" in text for text in (said[0], *said[2:4]))
    alone = computed(small(strategies=("oracle",), seeds=1, batches=2), ws)
    assert answer(alone, ActiveView(level=1.0))[0].startswith("Oracle reaches 1 %")


def test_infinite_width_is_known_of_some_networks_alone():
    with pytest.raises(ValueError, match="infinite needs a network"):
        small(strategies=("infinite",), model={"architecture": "resnet18"})
    with pytest.raises(ValueError, match="gp needs a network"):
        small(strategies=("gp",), model={"architecture": "cnn4", "weights": "pretrained"})


def test_balanced_starts_have_as_many_of_each_class(ws):
    spec = small(balanced=True, start=7)
    for seed in range(2):
        task = Task(spec, "random", seed, images(spec, ws))
        counts = np.bincount(task.split.train.labels[first_labelled(task)])
        assert counts.min() == 2 and counts.max() == 3


def test_warm_training_goes_on_from_the_last_network(ws):
    """After one epoch a cycle, the third network has had three."""
    cold = computed(small(training={"epochs": 1}, seeds=1, strategies=("random",)), ws)
    warm = computed(small(training={"epochs": 1}, seeds=1, strategies=("random",), warm=True), ws)
    np.testing.assert_array_equal(cold["picks"], warm["picks"])
    assert cold["accuracy"][0, 0] == warm["accuracy"][0, 0] and (cold["accuracy"] != warm["accuracy"]).any()


def test_what_is_trained_beside_the_network_sees_every_epoch_and_is_there_for_the_choice(ws, monkeypatch):
    class Counting:
        def __init__(self, module, inputs, targets, generator) -> None:
            self.epochs: list[int] = []
            self.images = len(inputs)

        def epoch(self, record) -> None:
            self.epochs.append(record.epoch)

    def choose(cycle):
        assert cycle.beside.epochs == [0, 1, 2, 3, 4] and cycle.beside.images == len(cycle.inputs)
        return np.arange(cycle.count)

    monkeypatch.setitem(REGISTRY, "margin", Strategy(choose, beside=Counting))
    monkeypatch.setattr("ntkcore.analyses.active.forecast._choices", lambda *_: 1.0)
    computed(small(strategies=("margin",), seeds=1), ws)


def test_everything_may_be_labelled_but_no_more():
    assert small(start=6, query=18, cycles=3).protocol.labels[-1] == 60
    for changes, said in (
        ({"start": 10, "query": 18}, "everything would be labelled"),
        ({"query": 26, "cycles": 1}, "draws 25 candidates"),
        ({"strategies": ("random", "astrology")}, "astrology"),
        ({"strategies": ("random", "random")}, "once"),
        ({"training": {"epochs": 0}}, "at least one"),
    ):
        with pytest.raises(ValueError, match=said):
            small(**changes)


def test_numbers_that_no_longer_fit_other_images_are_refused(ws):
    spec = small()
    fewer = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"n": 15})})
    with pytest.raises(SpecError, match="everything would be labelled"):
        ACTIVE.request(fewer, ws)


def test_a_pool_that_runs_dry_is_refused(ws):
    task = Task(small(), "random", 0, images(small(), ws))
    with pytest.raises(DataError, match="2 images have no label yet"):
        candidates_of(task, np.arange(58), 1)


@pytest.mark.parametrize("n", [12, 40, 182, 1000, 60_000])
def test_numbers_that_nobody_chose_fit(n):
    spec = ActiveSpec.model_validate({"dataset": {"n": n}})
    held = spec.protocol
    assert not spec.fault and held.start >= 2 and held.cycles >= 1 and held.query >= 1
    assert held == run.ActiveSpec(dataset=spec.dataset).protocol
    assert n < 1000 or (held.start, held.query, held.cycles) == (100, 20, 10)


def test_one_class_at_the_start_and_classes_never_seen_are_said(ws, monkeypatch):
    spec = small(strategies=("margin", "random"), seeds=1, cycles=1)
    labels = images(spec, ws).train.labels
    monkeypatch.setattr(run, "first_labelled", lambda task: np.flatnonzero(labels == 0)[:6])
    monkeypatch.setattr(run, "candidates_of", lambda task, labelled, cycle: np.flatnonzero(labels == 1)[:8])
    said = " ".join(ACTIVE.answer(computed(spec, ws), ActiveView(), ws))
    assert "all of one class" in said and "Margin leaves a class without any label to the end, in 1 of 1 repeats" in said


def test_forecast_grows_with_what_is_asked_and_refuses_what_does_not_fit(ws):
    short, long = (ACTIVE.forecast(small(seeds=seeds), ws) for seeds in (2, 6))
    assert long.seconds == pytest.approx(3 * short.seconds) and long.disk > short.disk
    large = small(dataset={"n": 1000}, pool=900, test=100, strategies=("lookahead-full",), dtype="float64")
    little = Workspace(ws.settings.model_copy(update={"job_memory": 700 * 2**20}))
    forecast = ACTIVE.forecast(large, little)
    assert "images would fit" in forecast.refusal and 60 < forecast.largest_n < 1000
    fitting = large.model_copy(update={"dataset": large.dataset.model_copy(update={"n": forecast.largest_n})})
    assert not ACTIVE.forecast(fitting, little).refusal
