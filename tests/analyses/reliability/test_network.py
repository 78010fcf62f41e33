"""The estimates on a real network, against explicit Hessians at θ of torch's own optimiser, all in float64."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from recording import Recording
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ntkcore.analyses import catalogue
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import GRADIENTS, IMAGES, LISSA, RETRAINING, TRAINING
from ntkcore.analyses.reliability.estimates import is_estimated
from ntkcore.analyses.reliability.network import NETWORK_IHVP
from ntkcore.analyses.verification import trained
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.trained import is_trained, trained_key
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, CorruptArtifact, SpecError
from ntkcore.influence import ihvp_influence, kernel_influence
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.network_ihvp import EstimateSpec, NetworkIhvpSpec, TrainedSpec

DATA = {"classes": ("3", "5", "8"), "n": 14}
TWO_LAYER = InfluenceSpec.model_validate({"dataset": DATA, "test": 6})
NETWORK = InfluenceSpec.model_validate(
    {"dataset": DATA, "test": 6, "kernel": "pseudo", "model": {"architecture": "fcn", "width": 6, "depth": 1}}
)
REMOVED, TARGET = (2, 5, 11, 12), 3


def asked(spec: InfluenceSpec = TWO_LAYER, ridge: float = 1.0, **changes: object) -> NetworkIhvpSpec:
    own = {"time": 4.0, "width": 24} if spec is TWO_LAYER else {"time": 0.1}  # a network's own kernel is larger, and sooner learned
    base = {"influence": spec, "removed": REMOVED, "ridge": ridge} | own
    given = {"verification": base, "target": TARGET, "tolerance": 1e-6, "repeats": 3, "batch": 7}
    return NetworkIhvpSpec.model_validate(given | changes)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))
    for spec in (TWO_LAYER, NETWORK):
        INFLUENCE.compute(spec, made, Recording())
    return made


@pytest.fixture
def ws(cache):
    made = Workspace(cache)
    INFLUENCE.compute(TWO_LAYER, made, Recording())
    return made


def explicit(spec: NetworkIhvpSpec, ws: Workspace, rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Î of every training image by the Hessian and by the Gauss-Newton matrix (n,), at θ of float64 training."""
    influence, ridge = spec.verification.influence, spec.verification.ridge
    split = load_split(influence.dataset, influence.test, ws)
    y = torch.from_numpy(split.train.targets.astype(np.float64))
    t = torch.from_numpy(targets_of(split.test_labels, 3))[spec.target]
    x, z = (torch.from_numpy(v.astype(np.float64)) for v in (split.train.inputs, split.test_inputs))
    if influence.model is None:
        x, z = (v.flatten(1) / v.flatten(1).norm(dim=1, keepdim=True) for v in (x, z))
        model: torch.nn.Module = TwoLayerReLU(64, 24, 0.01, 0, outputs=3).double()
    else:
        model = network(influence.model, split.train, ws).eval().double()
    parameters = [p for p in model.parameters() if p.requires_grad]
    start = parameters_to_vector(parameters).detach()
    optimiser = torch.optim.SGD(parameters, lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        moved = (parameters_to_vector(parameters) - start).square().sum()
        ((model(x) - y).square().sum() / 2 + ridge / 2 * moved).backward()
        optimiser.step()
    theta = parameters_to_vector(parameters).detach()
    names = [name for name, p in model.named_parameters() if p.requires_grad]

    def outputs(flat: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        parts, at = {}, 0
        for name, p in zip(names, parameters, strict=True):
            parts[name] = flat[at : at + p.numel()].reshape(p.shape)
            at += p.numel()
        return torch.func.functional_call(model, parts, (inputs,))

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return (outputs(flat, x) - y).square().sum() / 2

    def rows(flat: torch.Tensor) -> torch.Tensor:
        return (outputs(flat, x) - y).square().sum(1) / 2

    own = torch.autograd.functional.jacobian(rows, theta)
    other = torch.autograd.functional.jacobian(lambda flat: (outputs(flat, z[[spec.target]]) - t).square().sum() / 2, theta)
    jacobian = torch.autograd.functional.jacobian(lambda flat: outputs(flat, x).flatten(), theta)
    vector_to_parameters(theta, parameters)
    eye = ridge * torch.eye(len(theta), dtype=torch.float64)
    matrices = (torch.autograd.functional.hessian(loss, theta) + eye, jacobian.T @ jacobian + eye)
    by = [(own @ torch.linalg.solve(matrix, other)).numpy() for matrix in matrices]
    return by[0], by[1]


def close(found: np.ndarray, expected: np.ndarray, share: float) -> None:
    assert np.abs(found - expected).max() < share * np.abs(expected).max()


@pytest.mark.parametrize(("spec", "ridge"), [(TWO_LAYER, 1.0), (NETWORK, 60.0)], ids=["two-layer", "network"])
def test_the_estimates_are_the_explicit_formula(shared, spec, ridge):
    """Training is in float32 over some hundred contracting steps, and the solves end at a residual of 1e-6: a few 1e-5 of the largest."""
    wanted = asked(spec, ridge)
    NETWORK_IHVP.compute(wanted, shared, Recording())
    found, images = NETWORK_IHVP.open(wanted, shared), list(REMOVED)
    by_hessian, by_gauss_newton = explicit(wanted, shared, found.rate, found.steps)
    close(found.hessian, by_hessian[images], 1e-3)
    close(found.gauss_newton, by_gauss_newton[images], 1e-3)
    assert not found.failures and found.curvature == "hessian"
    if spec is TWO_LAYER:
        close(by_hessian, by_gauss_newton, 1e-9)  # piecewise linear: the Hessian is the Gauss-Newton matrix
        assert np.array_equal(found.hessian, found.gauss_newton)
    else:
        assert np.abs(by_hessian - by_gauss_newton)[images].max() > 1e-3 * np.abs(by_hessian).max()
    # a hundredth of the slowest part is missing at most; batches are half of the images
    close(found.mean_run, by_hessian[images], 0.02)
    assert found.lissa.shape == (3, 4) and np.ptp(found.lissa, axis=0).min() > 0
    assert (np.abs(found.lissa_mean - found.mean_run) < 6 * found.lissa_deviation / np.sqrt(3) + 1e-12).all()
    result = INFLUENCE.open(spec, shared)
    chosen, y = result.regression.with_ridge(ridge), targets_of(result.test_labels, 3)[[TARGET]]
    k, f = result.k_test[[TARGET]], result.f_test[[TARGET]]
    np.testing.assert_allclose(found.regime, ihvp_influence(chosen, k, y, f)[images, 0])
    np.testing.assert_allclose(found.kernel_end, kernel_influence(chosen, k, y, np.inf, f)[images, 0])
    np.testing.assert_allclose(found.kernel, kernel_influence(chosen, k, y, wanted.verification.time, f)[images, 0], rtol=1e-6)
    verified = VERIFICATION.open(wanted.verification, shared)
    assert np.array_equal(found.actual, verified.actual[:, TARGET])
    assert (found.rate, found.steps) == (verified.rate, verified.steps)
    assert 0 <= found.stationarity < 0.5 and found.residual < 2e-6


def test_a_hessian_that_is_not_positive_definite_is_said_and_the_rest_goes_on(shared):
    wanted = asked(NETWORK, 0.001, repeats=2, depth=5)
    NETWORK_IHVP.compute(wanted, shared, Recording())
    found = NETWORK_IHVP.open(wanted, shared)
    assert set(found.failures) == {"hessian"} and "not positive definite" in found.failures["hessian"]
    assert found.curvature == "gauss-newton" and np.isnan(found.hessian).all()
    assert np.isfinite(found.gauss_newton).all() and np.isfinite(found.lissa).all() and found.depth == 5
    assert found.exact is found.gauss_newton


def test_a_lissa_that_diverges_is_said(shared):
    wanted = asked(scale=0.05, depth=200, repeats=2)
    NETWORK_IHVP.compute(wanted, shared, Recording())
    found = NETWORK_IHVP.open(wanted, shared)
    assert "LiSSA diverged" in found.failures["lissa"] and np.isnan(found.lissa).all() and found.scale is None
    assert np.isfinite(found.hessian).all()


def test_batches_of_all_images_leave_nothing_to_chance(shared):
    wanted = asked(batch=1000, repeats=2)
    NETWORK_IHVP.compute(wanted, shared, Recording())
    found = NETWORK_IHVP.open(wanted, shared)
    for one in found.lissa:  # the images are summed in another order each time: rounding of float32
        np.testing.assert_allclose(one, found.mean_run, rtol=1e-4)


def test_it_goes_on_where_it_was_stopped(ws):
    spec = asked()
    depths = 3.5 / 5  # of the whole stage: 3 runs, and one with all images, which is worth two
    first = Recording()
    with pytest.raises(Cancelled):
        NETWORK_IHVP.compute(spec, ws, Stopping(first, LISSA, depths))
    assert VERIFICATION.ready(spec.verification, ws) and is_trained(TrainedSpec.of(spec.verification), ws)
    assert all(is_estimated(spec.run(number, "hessian"), ws) for number in range(3)) and not NETWORK_IHVP.ready(spec, ws)
    assert {TRAINING, GRADIENTS, LISSA, RETRAINING, IMAGES} == set(first.stages)
    again = Recording()
    NETWORK_IHVP.compute(spec, ws, again)
    assert NETWORK_IHVP.ready(spec, ws) and RETRAINING not in again.stages
    assert not [done for stage, done in again.reports if stage == TRAINING and done]
    assert min(done for stage, done in again.reports if stage == LISSA and done) >= 0.19 * again.stages[LISSA]  # a whole run at once
    interrupted = NETWORK_IHVP.open(spec, ws)
    for kind, key in [(entry.kind, entry.key) for entry in ws.store.entries() if entry.kind not in ("influence", VERIFICATION.kind)]:
        ws.store.remove(kind, key)
    ws.hot.clear()
    NETWORK_IHVP.compute(spec, ws, Recording())
    np.testing.assert_allclose(NETWORK_IHVP.open(spec, ws).lissa, interrupted.lissa, rtol=1e-6)


class Stopping(Recording):
    """Cancels once a stage is past a share of its total; tells another what it is told."""

    def __init__(self, to: Recording, stage: str, share: float) -> None:
        super().__init__()
        self._to, self._stage, self._share = to, stage, share

    def plan(self, stages):
        super().plan(stages)
        self._to.plan(stages)

    def report(self, stage, done):
        super().report(stage, done)
        if stage == self._stage and done >= self._share * self.stages[stage]:
            raise Cancelled


def test_another_depth_or_more_runs_use_what_is_there(ws):
    NETWORK_IHVP.compute(asked(), ws, Recording())
    before = NETWORK_IHVP.open(asked(), ws)
    for spec in (asked(repeats=4), asked(depth=20)):
        told = Recording()
        NETWORK_IHVP.compute(spec, ws, told)
        assert RETRAINING not in told.stages and not [done for stage, done in told.reports if stage == TRAINING and done]
    assert np.array_equal(NETWORK_IHVP.open(asked(repeats=4), ws).lissa[:3], before.lissa)
    shallow = NETWORK_IHVP.open(asked(depth=20), ws)
    assert shallow.depth == 20 and np.array_equal(shallow.hessian, before.hessian)
    assert np.abs(shallow.mean_run - shallow.exact).mean() > np.abs(before.mean_run - before.exact).mean()


def test_the_forecast_is_of_what_is_missing(ws):
    whole = NETWORK_IHVP.forecast(asked(), ws)
    assert [stage.name for stage in whole.stages] == [RETRAINING, IMAGES, TRAINING, GRADIENTS, LISSA]
    assert not whole.refusal and all(stage.seconds > 0 for stage in whole.stages)
    NETWORK_IHVP.compute(asked(), ws, Recording())
    left = NETWORK_IHVP.forecast(asked(repeats=4), ws)
    assert [stage.name for stage in left.stages if stage.seconds > 0] == [IMAGES, LISSA]
    assert left.seconds < whole.seconds
    huge = asked()
    base = huge.verification.model_copy(update={"width": 65_536})
    small = Workspace(ws.settings.model_copy(update={"job_memory": 7 * 10**8}))
    wide = huge.model_copy(update={"verification": base})
    assert "memory" in NETWORK_IHVP.forecast(wide, small).refusal
    with pytest.raises(SpecError, match="memory"):
        NETWORK_IHVP.compute(wide, small, Recording())


def test_the_request_is_a_job_of_its_own(ws):
    spec = asked()
    job = NETWORK_IHVP.request(spec, ws)
    assert job.id == NETWORK_IHVP.key(spec, ws) != NETWORK_IHVP.key(asked(seed=1), ws)
    assert NETWORK_IHVP.request(spec, ws).id == job.id and job.kind == NETWORK_IHVP.kind
    assert NETWORK_IHVP.kind in catalogue.handlers(ws)


def test_damage_is_mended_by_computing_again(ws):
    spec = asked()
    catalogue.of(spec).compute(spec, ws, Recording())
    key, own = NETWORK_IHVP.key(spec, ws), trained_key(TrainedSpec.of(spec.verification), ws)
    before = NETWORK_IHVP.open(spec, ws).lissa
    ws.hot.clear()
    for kind, one in ((NETWORK_IHVP.kind, key), (trained.TRAINED_KIND, own)):
        folder = ws.store.root / "artifacts" / kind
        tile = next(p for p in folder.rglob("c/*") if p.is_file() and one in str(p))
        tile.write_bytes(tile.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptArtifact) as met:
        NETWORK_IHVP.open(spec, ws)
    assert catalogue.of(spec).repair(met.value, spec, ws).kind == NETWORK_IHVP.kind
    catalogue.of(spec).compute(spec, ws, Recording())
    np.testing.assert_allclose(NETWORK_IHVP.open(spec, ws).lissa, before, rtol=1e-6)


def test_what_cannot_be_says_why(ws):
    with pytest.raises(SpecError, match="not computed"):
        NETWORK_IHVP.compute(fresh(), ws, Recording())
    for changes, said in (
        ({"target": 6}, "held-out images are 0 to 5"),
        ({"target": -1}, "greater than or equal"),
        ({"repeats": 1}, "greater than or equal"),
        ({"repeats": 65}, "less than or equal"),
        ({"tolerance": 1e-9}, "greater than or equal"),
        ({"depth": 0}, "greater than or equal"),
        ({"scale": 0.0}, "greater than 0"),
        ({"batch": 0}, "greater than or equal"),
    ):
        with pytest.raises(ValidationError, match=said):
            asked(**changes)
    with pytest.raises(ValidationError, match="λ above 0"):
        asked(ridge=0.0)
    together = asked().verification.model_copy(update={"together": True})
    with pytest.raises(ValidationError, match="each image out once"):
        NetworkIhvpSpec(verification=together, target=0)


def fresh() -> NetworkIhvpSpec:
    base = asked().verification.model_dump() | {"influence": {"dataset": DATA, "test": 5}}
    return asked(verification=base)


def test_runs_share_no_seed_and_take_the_first_ones_scale():
    one, other = asked(), asked(seed=1)
    runs = [spec.run(number, "hessian") for spec in (one, other) for number in range(64)]
    assert len({run.seed for run in runs}) == len(runs)
    assert one.run(1, "hessian").like == one.run(0, "hessian") and one.run(0, "hessian").like is None
    given = asked(scale=9.0, depth=5)
    assert given.run(1, "hessian").like is None and given.without_chance("hessian").scale == 9.0
    assert isinstance(one.exact("gauss-newton"), EstimateSpec) and one.curvatures == ("hessian",)
    assert asked(NETWORK).curvatures == ("hessian", "gauss-newton")
