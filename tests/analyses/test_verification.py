"""Verification: what is stored is real retraining, beside the kernel's prediction at the same λ and τ."""

from math import inf

import numpy as np
import pytest
import torch
from recording import Recording

from ntkcore.analyses import influence_views as views
from ntkcore.analyses import requests, verification
from ntkcore.analyses.influence import open_influence, run_influence
from ntkcore.analyses.network import network
from ntkcore.analyses.progress import RETRAINING
from ntkcore.analyses.split import load_split, targets_of
from ntkcore.analyses.verification import (
    descent,
    forecast_verification,
    is_verified,
    open_verification,
    run_verification,
    verification_key,
)
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, SpecError
from ntkcore.influence import kernel_influence
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.specs import InfluenceSpec, InfluenceView, VerificationSpec

DATA = {"classes": ("3", "5", "8"), "n": 14}
TWO_LAYER = InfluenceSpec.model_validate({"dataset": DATA, "test": 6})
NETWORK = InfluenceSpec.model_validate(
    {"dataset": DATA, "test": 6, "kernel": "full", "model": {"architecture": "fcn", "width": 9, "depth": 1}, "dtype": "float64"}
)


@pytest.fixture
def ws(cache):
    made = Workspace(cache)
    run_influence(TWO_LAYER, made, Recording())
    return made


def asked(spec: InfluenceSpec = TWO_LAYER, **changes: object) -> VerificationSpec:
    given = {"influence": spec, "removed": (2, 5, 11), "ridge": 0.2, "time": 1.5, "width": 24 if spec is TWO_LAYER else None}
    return VerificationSpec.model_validate(given | changes)


def plain(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, rate: float, steps: int, ridge: float) -> np.ndarray:
    """One network trained by torch's own optimiser."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    start = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.SGD(parameters, lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = (model(x) - y).square().sum() / 2
        loss = loss + ridge / 2 * sum((p - s).square().sum() for p, s in zip(parameters, start, strict=True))
        loss.backward()
        optimiser.step()
    return model(z).detach().double().numpy()


@pytest.mark.parametrize("spec", [TWO_LAYER, NETWORK], ids=["two-layer", "network"])
def test_it_is_real_retraining(ws: Workspace, spec: InfluenceSpec) -> None:
    run_influence(spec, ws, Recording())
    wanted, result, split = asked(spec), open_influence(spec, ws), load_split(spec.dataset, 6, ws)
    run_verification(wanted, ws, Recording())
    found = open_verification(wanted, ws)
    assert found.rate * found.steps == pytest.approx(1.5)
    assert found.rate * (float(result.regression.eigen[0][-1]) + 0.2) <= 0.25  # an eighth of what is stable
    y = torch.from_numpy(split.train.targets)
    trained = []
    for left_out in (None, *wanted.removed):
        if spec is TWO_LAYER:
            x, z = (torch.from_numpy(v.reshape(len(v), -1)) for v in (split.train.inputs, split.test_inputs))
            x, z = (v / v.norm(dim=1, keepdim=True) for v in (x, z))
            model: torch.nn.Module = TwoLayerReLU(64, 24, 0.01, 0, outputs=3)
        else:
            x, z = torch.from_numpy(split.train.inputs), torch.from_numpy(split.test_inputs)
            model = network(spec.model, split.train, ws).eval()
        rest = [i for i in range(14) if i != left_out]
        trained.append(plain(model, x[rest], y[rest], z, found.rate, found.steps, 0.2))
    # float32 over some hundred contracting steps: rounding of 1e-7 does not grow
    np.testing.assert_allclose(found.outputs, trained[0], atol=2e-5)
    targets = targets_of(split.test_labels, 3)
    loss = [np.square(outputs - targets).sum(1) / 2 for outputs in trained]
    np.testing.assert_allclose(found.actual, np.stack(loss[1:]) - loss[0], atol=1e-4)
    chosen = result.regression.with_ridge(0.2)
    np.testing.assert_allclose(found.predicted, kernel_influence(chosen, result.k_test, targets, 1.5, result.f_test)[[2, 5, 11]])
    np.testing.assert_allclose(found.expected, chosen.predict(result.k_test, result.f_test, 1.5))


def test_it_goes_on_where_it_was_stopped(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntkcore.influence.retraining.CHUNK_BYTES", {"cpu": 1})  # a chunk for each replica
    spec = asked()
    _, steps = descent(spec, open_influence(TWO_LAYER, ws))
    with pytest.raises(Cancelled):
        run_verification(spec, ws, Recording(stop_at=(RETRAINING, 2.5 * steps)))
    assert not is_verified(spec, ws)
    again = Recording()
    run_verification(spec, ws, again)
    assert min(done for stage, done in again.reports if stage == RETRAINING and done) > 2 * steps  # the first two were there
    interrupted = open_verification(spec, ws).actual
    ws.store.remove(verification.KIND, verification_key(spec, ws))
    ws.hot.clear()
    run_verification(spec, ws, Recording())
    np.testing.assert_allclose(open_verification(spec, ws).actual, interrupted, atol=1e-6)


def test_the_request_is_a_job_of_its_own(ws: Workspace) -> None:
    spec = asked()
    job = requests.request_verification(spec, ws)
    assert job.id == verification_key(spec, ws) != verification_key(asked(ridge=0.3), ws)
    assert requests.request_verification(spec, ws).id == job.id
    forecast = forecast_verification(spec, ws)
    assert [stage.name for stage in forecast.stages] == ["Reading images", RETRAINING]
    assert forecast.seconds > 0


def test_what_cannot_be_retrained_says_why(ws: Workspace) -> None:
    fresh = InfluenceSpec.model_validate({"dataset": DATA, "test": 5})
    with pytest.raises(SpecError, match="not computed"):
        run_verification(asked(fresh, width=24), ws, Recording())
    with pytest.raises(SpecError, match="steps"):
        descent(asked(time=1e6), open_influence(TWO_LAYER, ws))
    result = open_influence(TWO_LAYER, ws)
    made = views.to_verify(result, InfluenceView(), np.arange(14.0))
    assert made.removed == tuple(range(1, 14))
    assert made.time == views.PAPER_TIME
    infinite = InfluenceSpec.model_validate({"dataset": DATA, "test": 6, "kernel": "infinite", "model": {"width": 8}})
    with pytest.raises(ValueError, match="kernel"):
        asked(infinite, width=None)
    with pytest.raises(ValueError, match="different training images"):
        asked(removed=(1, 1))
    with pytest.raises(ValueError, match="width"):
        asked(width=None)


def test_correlations_need_something_that_varies(ws: Workspace) -> None:
    run_verification(asked(), ws, Recording())
    found = open_verification(asked(), ws)
    pearson, spearman = found.correlations(0)
    assert -1 <= pearson <= 1
    assert -1 <= spearman <= 1
    few = asked(removed=(3, 4))
    run_verification(few, ws, Recording())
    assert np.isnan(open_verification(few, ws).correlations(0)).all()
    assert inf > found.seconds > 0
