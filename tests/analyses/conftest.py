"""Fixtures of the tests of the analyses."""

import numpy as np
import pytest
from influence_oracle import SPECS
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Each result once, with its workspace and its kernel read from the store."""
    ws, found = Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache"))), {}

    def make(name):
        if name not in found:
            spec = InfluenceSpec.model_validate(SPECS[name] | {"test": 7})
            INFLUENCE.compute(spec, ws, Recording())
            result = INFLUENCE.open(spec, ws)
            kernel = ws.store.open("influence", result.key).read("k_train").astype(np.float64)
            found[name] = result, kernel, targets_of(result.labels, result.f_train.shape[1])
        return ws, *found[name]

    return make


@pytest.fixture
def few_timings(monkeypatch):
    """The curves of kernel seconds with two points each."""
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1, 3))
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1, 2))
