"""States of a network at several epochs: one training, resumed where it can be."""

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.materials import network
from ntkcore.analyses.materials.network import ensure_states, ensure_training, has_state, state_at, until
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_dataset
from ntkcore.errors import Cancelled
from ntkcore.models import evaluate
from ntkcore.specs import DatasetSpec, ModelSpec, RunSpec, TrainingSpec

RUN = RunSpec(
    dataset=DatasetSpec(classes=("3", "5", "8"), n=12),
    model=ModelSpec(width=5, depth=1),
    training=TrainingSpec(epochs=6, batch_size=5, momentum=0.9, weight_decay=1e-3),
)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.fixture
def trained(monkeypatch):
    """Epochs at which each training began and ended."""
    seen = []
    original = network.train

    def counting(*args, **kwargs):
        resume = kwargs.get("resume")
        seen.append((0 if resume is None else resume.epoch, args[3].epochs))
        return original(*args, **kwargs)

    monkeypatch.setattr(network, "train", counting)
    return seen


def outputs_of(state, dataset, ws):
    module = network.network(RUN.model, dataset, ws)
    state.load_into(module)
    return evaluate(module, dataset.inputs)


def test_one_training_keeps_every_epoch_wanted(ws, trained):
    dataset = load_dataset(RUN.dataset, ws.settings)
    record = ensure_training(RUN, dataset, ws, Recording(), "Training", keep=(2, 6)).read("outputs")
    assert trained == [(0, 6)] and has_state(until(RUN, 2), ws) and not has_state(until(RUN, 3), ws)
    for epoch in (2, 6):
        state = state_at(until(RUN, epoch), dataset, ws, Recording(), "Training")
        assert state.epoch == epoch
        np.testing.assert_array_equal(outputs_of(state, dataset, ws), record[epoch])
    assert len(trained) == 1


def test_lost_states_are_made_from_the_stored_one_before(ws, trained):
    dataset = load_dataset(RUN.dataset, ws.settings)
    record = ensure_training(RUN, dataset, ws, Recording(), "Training", keep=(2,)).read("outputs")
    ensure_states(RUN, dataset, ws, Recording(), "Training", (2, 4, 5))
    assert trained == [(0, 6), (2, 5)]
    for epoch in (4, 5):
        np.testing.assert_array_equal(outputs_of(state_at(until(RUN, epoch), dataset, ws, Recording(), "x"), dataset, ws), record[epoch])
    ensure_states(RUN, dataset, ws, Recording(), "Training", (2, 4, 5))
    assert len(trained) == 2


def test_a_state_is_kept_though_the_training_was_interrupted_after_it(ws, trained):
    dataset = load_dataset(RUN.dataset, ws.settings)
    with pytest.raises(Cancelled):
        ensure_training(RUN, dataset, ws, Recording(stop_at=("Training", 50)), "Training", keep=(2, 6))
    assert has_state(until(RUN, 2), ws) and not has_state(RUN, ws)
    ensure_training(RUN, dataset, ws, Recording(), "Training", keep=(2, 6))
    assert has_state(RUN, ws) and trained[1][0] >= 2
