"""Unique information of a pretrained network, linearised at its weights with a fresh head, against explicit weights."""

import os
from math import inf
from pathlib import Path

import numpy as np
import pytest
import torch
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.workspace import Workspace
from ntkcore.models import describe_model
from ntkcore.settings import settings
from ntkcore.specs.influence import InfluenceSpec

RIDGE, N, M = 0.5, 9, 5


def spec(**model):
    data = {"dataset": {"classes": ("3", "5", "8"), "n": N, "seed": 1}, "test": M}
    chosen = {"architecture": "resnet20", "weights": "pretrained"} | model
    return InfluenceSpec.model_validate(data | {"kernel": "full", "model": chosen, "dtype": "float64"})


@pytest.fixture
def ws(cache, monkeypatch):
    folder = os.environ.get("NTK_WEIGHTS_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs NTK_WEIGHTS_DIR")
    return Workspace(settings())


def gradients(module, inputs):
    """(n, k, P), every gradient by backpropagation, and the outputs (n, k)."""
    outputs = module(inputs)
    pieces = [torch.autograd.grad(output, list(module.parameters()), retain_graph=True) for output in outputs.flatten()]
    rows = torch.stack([torch.cat([part.flatten() for part in own]) for own in pieces])
    return rows.reshape(*outputs.shape, -1).numpy(), outputs.detach().numpy()


def test_scores_are_those_of_all_its_weights(ws):
    INFLUENCE.compute(spec(), ws, Recording())
    result = INFLUENCE.open(spec(), ws)
    split = load_split(spec().dataset, M, ws)
    module = network(spec().model, split.train, ws).double().eval()
    own, start = gradients(module, torch.from_numpy(split.train.inputs).double())
    other, _ = gradients(module, torch.from_numpy(split.test_inputs).double())
    y = np.eye(3)[result.labels] - start

    def weights(rest):
        flat = own[rest].reshape(3 * len(rest), -1)
        return flat.T @ np.linalg.solve(flat @ flat.T + RIDGE * np.eye(len(flat)), y[rest].ravel())  # w - w0 (P,)

    every = np.arange(N)
    moved = np.stack([weights(every) - weights(np.delete(every, i)) for i in every])
    np.testing.assert_allclose(views.weights(Look(result, RIDGE, inf, ws)), np.square(moved).sum(1) / 2, rtol=1e-7)
    expected = np.square(np.einsum("xop,ip->xio", other, moved)).sum(2).mean(0) / 2
    np.testing.assert_allclose(views.scores(Look(result, RIDGE, inf, ws)), expected, rtol=1e-7)


def test_its_head_is_new_and_follows_the_seed(ws):
    split = load_split(spec().dataset, M, ws)
    notes = describe_model(spec().model, input_shape=split.train.inputs.shape[1:], outputs=3, class_names=split.train.class_names).notes
    assert any("last layer is new" in note for note in notes)
    one, other = (network(spec(seed=seed).model, split.train, ws).state_dict() for seed in (0, 1))
    differing = {name for name in one if not torch.equal(one[name], other[name])}
    assert differing == {"network.linear.weight", "network.linear.bias"}
    assert one["network.linear.weight"].shape[0] == 3
