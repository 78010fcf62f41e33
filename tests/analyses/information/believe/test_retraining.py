"""The retraining study against plain trainings, explicit linearised weights, and the estimates made by themselves; resumed; refused."""

import numpy as np
import pytest
import torch
from recording import Recording
from small_analyses import quickly

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.believe import answer, plan, tables, views
from ntkcore.analyses.information.believe import retraining as study
from ntkcore.analyses.information.believe.plan import BATCH, DEPTH, SCALE, damping
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, ComputationError, SpecError
from ntkcore.influence import Lissa, System
from ntkcore.influence.network_removal import removal_moves
from ntkcore.settings import Settings
from ntkcore.specs.believe import BelieveView, RetrainingStudySpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

TINY = {"test": 6, "model": {"architecture": "fcn", "width": 7, "depth": 1}, "dtype": "float64"}
BINARY = InfluenceSpec.model_validate(TINY | {"dataset": {"classes": ("3", "8"), "n": 14}, "kernel": "pseudo"})
THREE = InfluenceSpec.model_validate(TINY | {"dataset": {"classes": ("3", "5", "8"), "n": 12}, "kernel": "full"})
TIME = 0.4


def asked(spec: InfluenceSpec = BINARY, removals: int = 3, ridges: tuple[float, ...] = (0.0, 20.0)) -> RetrainingStudySpec:
    return RetrainingStudySpec(influence=spec, time=TIME, removals=removals, ridges=ridges)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both studies, with fewer steps; some trainings take the fewest, some more."""
    with pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        ws = Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))
        for spec in (BINARY, THREE):  # the scores are computed with it
            study.RETRAINING.compute(asked(spec), ws, Recording())
        yield ws


def trained(spec: InfluenceSpec, ws: Workspace, ridge: float, steps: int, without: int | None) -> torch.nn.Module:
    """θ after plain gradient descent in float64, by torch's own optimiser."""
    split = load_split(spec.dataset, 6, ws)
    model = network(spec.model, split.train, ws).double()
    rest = [i for i in range(split.train.n) if i != without]
    x, y = torch.from_numpy(split.train.inputs).double()[rest], torch.from_numpy(split.train.targets).double()[rest]
    start = [p.detach().clone() for p in model.parameters()]
    optimiser = torch.optim.SGD(model.parameters(), lr=TIME / steps)
    for _ in range(steps):
        optimiser.zero_grad()
        pull = sum((p - s).square().sum() for p, s in zip(model.parameters(), start, strict=True))
        ((model(x) - y).square().sum() / 2 + ridge / 2 * pull).backward()
        optimiser.step()
    return model


def moved(one: torch.nn.Module, other: torch.nn.Module) -> float:
    return sum(float((p - q).detach().square().sum()) for p, q in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("spec", [BINARY, THREE], ids=["binary", "three"])
@pytest.mark.parametrize("ridge", [0.0, 20.0])
def test_retrained_changes_are_those_of_plain_training(made, spec, ridge):
    """Single precision of a few hundred steps against double: changes of 1e-2 and more of weights of size 1 are right to 1e-3."""
    pieces = study.RETRAINING.open(asked(spec), made)
    z = torch.from_numpy(load_split(spec.dataset, 6, made).test_inputs).double()
    steps = int(tables.whole(pieces, ridge)["steps"])
    whole = trained(spec, made, ridge, steps, None)
    for place, image in enumerate(plan.images_of(pieces.spec)):
        without = trained(spec, made, ridge, steps, int(image))
        assert tables.changes(pieces, ridge, "weights")[0, place] == pytest.approx(moved(without, whole), rel=1e-3)
        shift = (without(z) - whole(z)).detach().numpy()
        assert tables.changes(pieces, ridge, "outputs")[0, place] == pytest.approx(np.square(shift).sum(), rel=1e-3)


@pytest.mark.parametrize("spec", [BINARY, THREE], ids=["binary", "three"])
@pytest.mark.parametrize("ridge", [0.0, 20.0])
def test_linearised_changes_are_those_of_explicit_weights(made, spec, ridge):
    """w = w0 + Jᵀ A^-1 (I - e^(-τA)) (y - f0) with and without each image, J by automatic differentiation; the contour's 4e-10 aside."""
    pieces = study.RETRAINING.open(asked(spec), made)
    split = load_split(spec.dataset, 6, made)
    model = network(spec.model, split.train, made).double()
    weights = [p for p in model.parameters() if p.requires_grad]

    def jacobian(inputs: np.ndarray) -> np.ndarray:
        outputs = model(torch.from_numpy(inputs).double())
        rows = [torch.cat([g.flatten() for g in torch.autograd.grad(o, weights, retain_graph=True)]) for o in outputs.flatten()]
        return torch.stack(rows).reshape(*outputs.shape, -1).numpy()

    train, test = jacobian(split.train.inputs), jacobian(split.test_inputs)
    start = model(torch.from_numpy(split.train.inputs).double()).detach().numpy()

    def linearised(rest: list[int]) -> np.ndarray:
        rows = train[rest].reshape(-1, train.shape[2])
        values, vectors = np.linalg.eigh(rows @ rows.T + ridge * np.eye(len(rows)))
        grown = -np.expm1(-TIME * values) / values
        return rows.T @ (vectors @ (grown * (vectors.T @ (split.train.targets[rest] - start[rest]).ravel())))

    everyone = list(range(split.train.n))
    for place, image in enumerate(plan.images_of(pieces.spec)):
        change = linearised([i for i in everyone if i != image]) - linearised(everyone)
        assert tables.changes(pieces, ridge, "weights")[1, place] == pytest.approx(np.square(change).sum(), rel=1e-6)
        assert tables.changes(pieces, ridge, "outputs")[1, place] == pytest.approx(np.square(test @ change).sum(), rel=1e-6)


@pytest.mark.parametrize("spec", [BINARY, THREE], ids=["binary", "three"])
@pytest.mark.parametrize("ridge", [0.0, 20.0])
def test_influence_functions_are_those_at_the_trained_weights(made, spec, ridge):
    """At weights trained here in double precision; the study's are in single, and the smallest eigenvalue that is added is 0.1 or more."""
    wanted = asked(spec)
    pieces, split = study.RETRAINING.open(wanted, made), load_split(spec.dataset, 6, made)
    model = trained(spec, made, ridge, int(tables.whole(pieces, ridge)["steps"]), None)
    images = [int(i) for i in plan.images_of(wanted)]
    x, y, z = (torch.from_numpy(v).double() for v in (split.train.inputs, split.train.targets, split.test_inputs))
    damped = damping(wanted, ridge)
    exact = removal_moves(model, x, y, z, images, System(damped, "gauss-newton", tolerance=1e-12))
    for quantity, expected in (("weights", exact.weights), ("outputs", np.square(exact.outputs).sum((1, 2)))):
        np.testing.assert_allclose(tables.changes(pieces, ridge, quantity)[2], expected, rtol=5e-3)
    try:
        hessian = removal_moves(model, x, y, z, images, System(damped, tolerance=1e-12))
    except ComputationError:
        assert np.isnan(tables.changes(pieces, ridge, "weights")[3]).any()
    else:
        np.testing.assert_allclose(tables.changes(pieces, ridge, "weights")[3], hessian.weights, rtol=2e-2)  # stopped at 1e-3
    recursion = Lissa(SCALE * len(x), 30, BATCH, 1, 0)  # all images are in every step, as there are fewer than a batch
    lissa = removal_moves(model, x, y, z, images, System(damped, lissa=recursion))
    np.testing.assert_allclose(tables.changes(pieces, ridge, "weights")[4], lissa.weights, rtol=1e-3)


def test_tables_say_what_was_measured(made):
    pieces = study.RETRAINING.open(asked(removals=3), made)
    rows = list(tables.agreements(pieces))
    assert [(r.ridge, r.quantity, r.method) for r in rows][:2] == [(0.0, "weights", "linear"), (0.0, "weights", "gauss-newton")]
    assert len(rows) == 16 == len(tables.table(pieces))
    assert np.isnan(rows[0].pearson.value)  # three pairs
    actual, linear = tables.changes(pieces, 0.0, "weights")[:2]
    assert rows[0].factor == pytest.approx(np.median(linear / actual))
    changes = tables.change_table(pieces)
    assert len(changes) == 6 and list(changes["image"][:3]) == list(plan.images_of(pieces.spec))
    np.testing.assert_array_equal(changes["predictions_linear"][3:], tables.changes(pieces, 20.0, "outputs")[1])
    found = tables.whole(pieces, 0.0)
    assert 0 <= found["accuracy"] <= 1 and found["gap"] > 0 and found["travelled"] > 0


def test_a_cancelled_study_goes_on_with_the_parts_that_are_missing(made, monkeypatch):
    monkeypatch.setattr(plan, "CHUNK", 2)
    monkeypatch.setattr(study, "CHUNK", 2)
    monkeypatch.setattr(study, "DEPTH", 5)
    spec, computed = asked(removals=5, ridges=(0.0,)), []
    real, wanted = study.Retraining.piece, study.RETRAINING
    monkeypatch.setattr(study.Retraining, "piece", lambda own, s, number, *given: computed.append(number) or real(own, s, number, *given))
    with pytest.raises(Cancelled):
        wanted.compute(spec, made, Recording(stop_at=(STUDY, 1.5)))
    assert wanted.state(spec, made) == "partial" and computed == [0, 1]
    wanted.compute(spec, made, Recording())
    assert computed == [0, 1, 1, 2] and wanted.state(spec, made) == "ready"
    assert np.isfinite(tables.changes(wanted.open(spec, made), 0.0, "outputs")[:3]).all()
    wanted.compute(spec, made, Recording())
    assert computed == [0, 1, 1, 2]


def test_the_same_images_are_left_out_by_any_number_of_them():
    few, many = (set(plan.images_of(asked(removals=r)).tolist()) for r in (3, 9))
    assert len(few) == 3 and few < many
    other = plan.images_of(asked().model_copy(update={"seed": 1}))
    assert set(other.tolist()) != few


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel": "two-layer", "model": None}, "no network to retrain"),
        ({"training": {"epochs": 1}}, "take it at initialisation"),
        ({"dataset": {"classes": ("3", "8"), "n": 4}}, "leave out fewer"),
    ],
)
def test_what_cannot_be_retrained_is_said(changes, words):
    spec = InfluenceSpec.model_validate(BINARY.model_dump(mode="json") | {"dtype": "float32"} | changes)
    with pytest.raises(SpecError, match=words):
        plan.asked(spec, InformationView(), 5)


def test_a_kernel_that_no_network_follows_is_refused_and_without_the_scores_these_are_forecast(cache):
    ws = Workspace(cache)
    assert study.RETRAINING.forecast(asked(), ws) == INFLUENCE.forecast(BINARY, ws)  # all that is known without the kernel
    pseudo = InfluenceSpec.model_validate(THREE.model_dump(mode="json") | {"kernel": "pseudo"})
    with pytest.raises(SpecError, match="stands for the full kernel of 3 outputs"):
        study.RETRAINING.forecast(asked(pseudo), ws)


def test_the_forecast_needs_more_for_more(made):
    few, many = (study.RETRAINING.forecast(asked(removals=r), made) for r in (2, 8))
    assert 0 < few.seconds < many.seconds and not few.refusal and few.memory > 0


def test_time_is_the_papers_at_the_end_of_training():
    cnn = InfluenceSpec(dataset={"name": "mnist", "classes": ("4", "9"), "n": 1000}, kernel="pseudo", model={"architecture": "cnn4"})
    pretrained = cnn.model_copy(update={"model": cnn.model.model_copy(update={"weights": "pretrained"})})
    assert [plan.paper_time(spec) for spec in (BINARY, cnn, pretrained)] == [2 / 14, 0.01, 0.002]
    few = BelieveView(removals=4)
    assert [plan.asked(BINARY, InformationView(time=time, believe=few), 4).time for time in (None, 0.7)] == [2 / 14, 0.7]
    assert plan.asked(BINARY, InformationView(believe=BelieveView(ridge=0.0)), 4).ridges == (0.0,)


def follower(quality: float, removals: int = 30) -> Pieces[RetrainingStudySpec]:
    """A study whose linearisation follows with about this correlation."""
    generator = np.random.default_rng(0)
    spec = RetrainingStudySpec(
        influence=BINARY.model_copy(update={"dataset": BINARY.dataset.model_copy(update={"n": 100})}), time=1, removals=30
    )
    actual = generator.normal(size=removals) + 10
    noisy = 10 + quality * (actual - 10) + (1 - quality**2) ** 0.5 * generator.normal(size=removals)
    values = np.stack([actual, *[noisy] * 4]).reshape(5, -1, 5).transpose(1, 0, 2)
    rest = {"gap": np.ones((6, 2)), "accuracy": np.ones((6, 2)), "steps": np.ones(6)}
    return Pieces(spec, "key", {"weights": values, "outputs": values} | rest, "2026-01-01", 1.0, "cpu")


@pytest.mark.parametrize(("quality", "kind"), [(0.99, "follows"), (0.8, "roughly"), (0.1, "fails")])
def test_the_verdict_follows_the_correlation(quality, kind):
    found = answer.verdict(follower(quality), 0.0)
    assert found.kind == kind and "30 images" in found.said and "Pearson" in found.said
    assert study.RETRAINING.answer(follower(quality), InformationView(), None) == (found.said,)


def test_a_warning_comes_from_the_stored_study(made, monkeypatch):
    assert views.warning_of(BINARY.model_copy(update={"test": 5}), made) == ""
    found = views.measured(BINARY, made)
    assert {one.spec for one in found} >= {asked(), asked()} and found[0].spec.removals >= found[-1].spec.removals
    monkeypatch.setattr(views, "measured", lambda spec, ws: (follower(0.1),))
    assert "does not follow its linearisation" in views.warning_of(BINARY, made)
    monkeypatch.setattr(views, "measured", lambda spec, ws: (follower(0.99),))
    assert views.warning_of(BINARY, made) == ""


def test_the_papers_figures_stand_beside_networks_of_its_own():
    rows = list(tables.agreements(follower(0.9)))
    assert [views.paper_figure(BINARY, row) for row in rows[:4]] == [0.987, None, None, 0.935]
    assert views.paper_figure(THREE.model_copy(update={"model": THREE.model.model_copy(update={"architecture": "cnn3"})}), rows[0]) is None
    assert DEPTH == 1000
