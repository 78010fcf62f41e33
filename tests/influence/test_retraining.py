"""Retraining side by side against a plain training loop for each removal; chunks, resumption, divergence, and eq. 7."""

from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pytest
import torch
from soaked import soaked
from torch import nn

from ntkcore.errors import Cancelled, ComputationError, DataError
from ntkcore.influence import kernel_influence
from ntkcore.influence.descent import GeneralDescent, TwoLayerDescent, descent_of
from ntkcore.influence.retraining import Schedule, actual_influence, retrain_chunks, retrain_without
from ntkcore.kernels import empirical_ntk, engine
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.regression import KernelRegression

N, M, K, D = 8, 5, 2, 6
REMOVED = [[0], [3, 5], [7], []]
RECORD = (0, 1, 20, 120)
RATE = 0.005  # well below 2 / λ_max of every network here: above it rounding grows from step to step
SCHEDULE = Schedule(RATE, 120, 0.3, RECORD)


def data(n=N, seed=0, k=K):
    generator = torch.Generator().manual_seed(seed)
    x, y, z = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((n, D), (n, k), (M, D)))
    return x / x.norm(dim=1, keepdim=True), y, z / z.norm(dim=1, keepdim=True)


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(D, 7), nn.ReLU(), nn.Linear(7, K)).double()


def conv():
    """With BatchNorm in eval mode and a frozen layer."""
    torch.manual_seed(1)
    layers = (nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 3, 2, padding=1), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(36, K))
    model = nn.Sequential(*layers).double().eval()
    model[2].running_mean.normal_()
    model[1].bias.requires_grad_(False)
    return model


def two_layer(outputs=K):
    return TwoLayerReLU(D, 40, kappa=0.3, seed=2, outputs=outputs).double()


MODELS = {"mlp": mlp, "conv": conv, "two-layer": two_layer}
FEW, MANY = N, 2 * D + 3  # of which the two-layer form alone differs: by samples, by weights
SIZES = soaked(product(MODELS, (FEW, MANY)), *product(MODELS, (FEW,)), ("two-layer", MANY))


def plain(make, x, y, z, removed, schedule):
    """(T, m, k) and (T, n, k): torch.optim on the samples that are left, one after the other."""
    model, ridge = make(), schedule.ridge
    parameters = [p for p in model.parameters() if p.requires_grad]
    start = [p.detach().clone() for p in parameters]
    kept = [i for i in range(len(x)) if i not in removed]
    optimiser = torch.optim.SGD(parameters, lr=schedule.rate)
    test, train = [], []
    for step in range(schedule.steps + 1):
        if step in schedule.record:
            test.append(model(z).detach().numpy())
            train.append(model(x).detach().numpy())
        loss = (model(x[kept]) - y[kept]).square().sum() / 2
        loss = loss + ridge / 2 * sum((p - s).square().sum() for p, s in zip(parameters, start, strict=True))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return np.stack(test), np.stack(train)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize(("name", "n"), SIZES)
def test_it_is_the_plain_loop(name, ridge, n):
    """Float64; 120 steps of sums in another order."""
    samples = data(n)
    schedule = replace(SCHEDULE, ridge=ridge)
    found = retrain_without(MODELS[name](), *samples, REMOVED, schedule)
    assert found.test.shape == (5, 4, M, K) and found.train.shape == (5, 4, n, K) and found.test.dtype == np.float64
    for row, removed in enumerate([[], *REMOVED]):
        test, train = plain(MODELS[name], *samples, removed, schedule)
        assert np.abs(found.test[row] - test).max() < 1e-10
        assert np.abs(found.train[row] - train).max() < 1e-10
    assert np.ptp(found.test[:, -1], axis=0).max() > 1e-3  # removals matter
    assert found.steps.tolist() == list(RECORD) and np.allclose(found.times, RATE * np.array(RECORD))
    assert found.removed == ((0,), (3, 5), (7,), ())


@pytest.mark.parametrize(("name", "n"), SIZES)
def test_other_targets_and_removals_side_by_side(name, n, monkeypatch):
    """A replica learns its own targets, alone in its chunk or beside others; float64, as above."""
    x, y, z = data(n)
    other = y.clone()
    other[[1, 4]] = 1 - other[[1, 4]]
    removed, targets = [[0, 2, 5], [], [6]], {2: other, 3: other.numpy()}
    found = retrain_without(MODELS[name](), x, y, z, removed, SCHEDULE, targets=targets)
    for row, (learned, without) in enumerate([(y, []), (y, [0, 2, 5]), (other, []), (other, [6])]):
        test, train = plain(MODELS[name], x, learned, z, without, SCHEDULE)
        assert np.abs(found.test[row] - test).max() < 1e-10 and np.abs(found.train[row] - train).max() < 1e-10
    assert np.abs(found.test[2, -1] - found.test[0, -1]).max() > 1e-3  # targets matter
    monkeypatch.setitem(engine.BATCH_BYTES, "cpu", 1)  # one sample at a time
    short = replace(SCHEDULE, steps=20, record=RECORD[:3])
    pieces = retrain_without(MODELS[name](), x, y, z, removed, short, targets=targets, replicas=2)
    assert np.abs(pieces.test - found.test[:, :3]).max() < 1e-11


def test_the_two_forms_of_a_two_layer_network():
    for n, by_weights in ((N, False), (2 * D, True)):
        x, _, z = data(n)
        found = descent_of(two_layer(), x, z, 0.1, 0.0, x)
        assert isinstance(found, TwoLayerDescent) and found._by_weights is by_weights
    assert isinstance(descent_of(mlp(), x, z, 0.1, 0.0, x), GeneralDescent)


def test_inputs_that_are_always_zero_in_training_may_differ_in_test():
    """Weights of such inputs never move, but they count at a test sample."""
    x, y, z = data(2 * D)
    x[:, :2] = 0
    found = retrain_without(two_layer(), x, y, z, [[1]], SCHEDULE)
    assert np.abs(found.test[1] - plain(two_layer, x, y, z, [1], SCHEDULE)[0]).max() < 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_chunks_and_order_change_nothing(name, monkeypatch):
    samples, schedule = data(), replace(SCHEDULE, steps=20, record=(0, 20))
    whole = retrain_without(MODELS[name](), *samples, REMOVED, schedule)
    for size in (1, 2, 100):
        parts = retrain_without(MODELS[name](), *samples, REMOVED, schedule, replicas=size)
        assert np.abs(parts.test - whole.test).max() < 1e-11 and np.abs(parts.train - whole.train).max() < 1e-11
    backwards = retrain_without(MODELS[name](), *samples, REMOVED[::-1], schedule)
    assert np.abs(backwards.test[1:] - whole.test[:0:-1]).max() < 1e-11
    monkeypatch.setitem(engine.BATCH_BYTES, "cpu", 1)  # one sample at a time
    monkeypatch.setitem(retrain_chunks.__globals__["CHUNK_BYTES"], "cpu", 1)
    pieces = retrain_without(MODELS[name](), *samples, REMOVED, schedule)
    assert np.abs(pieces.test - whole.test).max() < 1e-11


def test_an_interrupted_run_goes_on():
    samples = data()
    whole = retrain_without(mlp(), *samples, REMOVED, SCHEDULE)
    stored, calls = [], []

    def stop(done, total):
        calls.append((done, total))
        if done > 3 * 120:
            raise Cancelled

    with pytest.raises(Cancelled):
        stored.extend(retrain_chunks(mlp(), *samples, REMOVED, SCHEDULE, replicas=2, progress=stop))
    assert [chunk.replicas.tolist() for chunk in stored] == [[0, 1]]
    calls.clear()
    found = retrain_without(mlp(), *samples, REMOVED, SCHEDULE, resume=stored, progress=lambda *done: calls.append(done))
    assert calls[0] == (2 * 120 + 3, 5 * 120) and calls[-1] == (5 * 120, 5 * 120)
    assert np.array_equal(found.test[:2], np.concatenate([chunk.test for chunk in stored]))
    assert np.abs(found.test - whole.test).max() < 1e-11
    with pytest.raises(DataError, match="another run"):
        retrain_without(mlp(), *samples, [], SCHEDULE, resume=[*stored, *retrain_chunks(mlp(), *samples, REMOVED, SCHEDULE, skip=[0, 1])])


@pytest.mark.parametrize("name", ["mlp", "two-layer"])
def test_the_last_step_is_recorded_when_nothing_is_asked_and_float32_is_close(name):
    samples = data()
    schedule = Schedule(0.02, 40)
    one, other = (retrain_without(MODELS[name](), *samples, [[1]], schedule, dtype=d) for d in (torch.float64, torch.float32))
    assert one.steps.tolist() == [40] and one.test.shape == (2, 1, M, K)
    assert other.test.dtype == np.float32
    assert np.abs(one.test - other.test).max() < 1e-5  # outputs of order one after forty steps of 6e-8 each


def test_the_model_is_left_as_it_was():
    for make in MODELS.values():
        model = make()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        retrain_without(model, *data(), [[1]], Schedule(0.02, 3))
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_divergence_is_said_with_the_remedy(name):
    with pytest.raises(ComputationError, match=r"diverged by step \d+ at the learning rate 50.*12"):
        retrain_without(MODELS[name](), *data(), [[1]], Schedule(50.0, 1000, 1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"removed": [[N]]},
        {"removed": [[1, 1]]},
        {"removed": [list(range(N))]},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"steps": 0},
        {"ridge": -1.0},
        {"record": [3, 2]},
        {"record": [121]},
        {"replicas": 0},
        {"dtype": torch.float16},
        {"y": torch.zeros(N, 1)},
        {"targets": {1: torch.zeros(N - 1, K)}},
        {"targets": {2: torch.zeros(N, K)}},
        {"x_test": torch.zeros(2, D + 1)},
    ],
    ids=str,
)
def test_what_makes_no_run_is_refused(wrong):
    x, y, z = data()
    steps = {name: wrong.get(name, value) for name, value in asdict(SCHEDULE).items()}
    arguments = {"x": x, "y": y, "x_test": z, "removed": [[1]]} | {name: value for name, value in wrong.items() if name not in steps}
    with pytest.raises(DataError):
        retrain_without(mlp(), schedule=Schedule(**steps), **arguments)


def test_actual_influence_is_eq_7():
    generator = np.random.default_rng(0)
    without, full, y = generator.standard_normal((4, 3, M, K)), generator.standard_normal((3, M, K)), generator.standard_normal((M, K))
    expected = np.square(without - y).sum(-1) / 2 - np.square(full - y).sum(-1) / 2
    assert np.allclose(actual_influence(without, full, y), expected, rtol=1e-12, atol=1e-12)
    assert actual_influence(without[:, 0], full[0], y).shape == (4, M)


def test_a_wide_network_does_what_its_kernel_says():
    """At width 4096 the network is its linearisation up to ``m^(-1/2)``, 0.016; the influence agrees to five times that, the kernel's own
    regression at the same time being the exact answer for infinite width in small steps of the flow (rate times λ_max below 0.02)."""
    x, y, z = data(k=1)
    y, t = y.sign(), torch.ones(M, 1, dtype=torch.float64)
    model = TwoLayerReLU(D, 4096, kappa=1.0, seed=0).double()
    removed = [[i] for i in range(N)]
    found = retrain_without(model, x, y, z, removed, Schedule(0.005, 1000, 0.2))
    kernel, cross = empirical_ntk(model, x).values, empirical_ntk(model, z, x).values
    with torch.no_grad():
        regression = KernelRegression(kernel, y.numpy(), 0.2, model(x).numpy())
        expected = kernel_influence(regression, cross, t.numpy(), 5.0, model(z).numpy())
    assert np.linalg.norm(found.influence(t)[:, 0] - expected) < 5 * 4096**-0.5 * np.linalg.norm(expected)
