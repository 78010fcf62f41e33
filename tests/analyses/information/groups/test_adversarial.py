"""Adversarial examples among the training images: who is attacked, what succeeds, and F-SI against refitting."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from recording import Recording

from ntkcore.analyses.information.groups import adversarial as adversarial_study
from ntkcore.analyses.information.groups import attacked as adversarial_views
from ntkcore.analyses.information.groups import scores as scores_of
from ntkcore.analyses.information.groups.adversarial import ADVERSARIAL, KEPT, adversarial_asked, images, run_of
from ntkcore.analyses.materials.network import network, state_at
from ntkcore.analyses.progress import STUDY, TRAINING
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, ComputationError, DataError, SpecError
from ntkcore.information.detection import Estimate
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.models import evaluate
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import AdversarialSpec, GroupsView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

PAGE = InfluenceSpec(dataset=DatasetSpec(n=40, classes=("4", "9"), seed=1, label_noise=0.1), test=12)
SMALL = GroupsView(study="adversarial", epsilon=0.2, share=0.1, epochs=4, repeats=2, network="fcn")


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def asked(spec: InfluenceSpec = PAGE, ridge: float = 0.1, **changes: object) -> AdversarialSpec:
    return adversarial_asked(spec, InformationView(ridge=ridge, groups=(groups := SMALL.model_copy(update=changes))), groups.repeats or 1)


def test_it_is_what_attacking_and_refitting_say(ws):
    spec = asked()
    assert spec.dataset.label_noise == 0 and spec.model is None and spec.attacked.architecture == "fcn"
    ADVERSARIAL.compute(spec, ws, Recording())
    pieces = ADVERSARIAL.open(spec, ws)
    for part in range(2):
        split = images(spec, part, ws)
        train = split.train
        truth = pieces["adversarial"][part] > 0
        assert train.spec.seed == 1 + part and not train.flipped.any() and truth.sum() == 4
        run = run_of(spec, part)
        module = network(run.model, train, ws)
        state_at(run, train, ws, Recording(), TRAINING).load_into(module)
        sound = (evaluate(module, train.inputs)[:, 0] > 0) == (train.labels == 1)
        kept = pieces["kept"][part][:4].astype(int)
        pixels = pieces["pixels"][part][:4].reshape(-1, 1, 8, 8)
        assert sorted(kept) == np.flatnonzero(truth).tolist() and sound[truth].all() and np.isnan(pieces["kept"][part][4:]).all()
        right, tried, found = pieces["counts"][part]
        assert right == sound.sum() and found == 4 <= tried <= right
        x = torch.from_numpy(train.inputs[kept]).requires_grad_(True)
        loss = (module(x)[:, 0] - torch.from_numpy(train.targets[kept][:, 0])).square().sum() / 2
        (slope,) = torch.autograd.grad(loss, [x])
        expected = np.clip(train.inputs[kept] + np.float32(0.2) * np.sign(slope.numpy()), 0, 1)
        assert np.abs(pixels - expected).max() < 1e-6
        assert ((evaluate(module, pixels.astype(np.float32))[:, 0] > 0) != (train.labels[kept] == 1)).all()  # it is fooled
        for name in ("clean", "attacked"):
            inputs = train.inputs.astype(np.float64)
            if name == "attacked":
                inputs[kept] = pixels
            flat, held = inputs.reshape(40, -1), split.test_inputs.reshape(12, -1).astype(np.float64)
            flat, held = flat / np.linalg.norm(flat, axis=1)[:, None], held / np.linalg.norm(held, axis=1)[:, None]
            k, kz, y = two_layer_relu_ntk(flat), two_layer_relu_ntk(held, flat), train.targets.astype(np.float64)

            def fit(rows: np.ndarray, k: np.ndarray = k, kz: np.ndarray = kz, y: np.ndarray = y) -> np.ndarray:
                return kz[:, rows] @ np.linalg.solve(k[np.ix_(rows, rows)] + 0.1 * np.eye(len(rows)), y[rows])

            whole = fit(np.arange(40))
            scores = [np.square(fit(np.delete(np.arange(40), i)) - whole).mean() / 2 for i in range(40)]
            assert np.abs(pieces[name][part] - scores).max() < 1e-9 * max(scores)
            hits = (whole[:, 0] > 0) == (split.test_labels == 1)
            assert pieces["accuracy"][part, ["clean", "attacked"].index(name)] == pytest.approx(hits.mean())
    table = ADVERSARIAL.table(pieces, InformationView(), ws)
    truth = pieces["adversarial"][1] > 0
    assert table["information_before"][1] == pytest.approx(pieces["clean"][1][truth].mean()) and table["adversarial"].tolist() == [4, 4]


def test_another_networks_kernel_judges(ws):
    network_page = InfluenceSpec.model_validate(
        {"dataset": PAGE.dataset, "test": 12, "kernel": "pseudo", "model": {"architecture": "fcn", "width": 8, "depth": 1, "seed": 5}}
    )
    spec = asked(network_page, network=None, repeats=1)
    assert spec.attacked == network_page.model and spec.model.seed == 6
    ADVERSARIAL.compute(spec, ws, Recording())
    pieces = ADVERSARIAL.open(spec, ws)
    assert np.isfinite(pieces["attacked"]).all() and (pieces["attacked"] >= 0).all()
    other = asked(network_page, network="cnn3", weights=None)
    assert other.attacked.architecture == "cnn3" and other.attacked.seed == 5 and other.training.learning_rate == 0.1


def test_it_goes_on_where_it_was_stopped(ws, monkeypatch):
    spec = asked()
    with pytest.raises(Cancelled):
        ADVERSARIAL.compute(spec, ws, Recording(stop_at=(STUDY, 1.3)))
    trained: list[int] = []
    first = adversarial_study.fgsm
    monkeypatch.setattr(adversarial_study, "fgsm", lambda *args, **given: trained.append(1) or first(*args, **given))
    reporter = Recording()
    ADVERSARIAL.compute(spec, ws, reporter)
    assert len(trained) == 1 and ADVERSARIAL.state(spec, ws) == "ready"
    told = [done for stage, done in reporter.reports if stage == STUDY]
    assert told == sorted(told) and told[-1] == 2


def test_what_is_said_of_it(ws):
    spec = asked()
    ADVERSARIAL.compute(spec, ws, Recording())
    pieces = ADVERSARIAL.open(spec, ws)
    scores = adversarial_views.adversarial_scores(pieces, 1)
    truth = pieces["adversarial"] > 0
    assert scores.names == ("adversarial", "normal") and [len(v) for v in scores.values] == [4, 36]
    assert scores.means[0].value == pytest.approx(pieces["attacked"][truth].mean())
    found = scores_of.attacked(pieces)
    assert found.found == 8 and found.ratio.value == pytest.approx(pieces["attacked"][truth].mean() / pieces["attacked"][~truth].mean())
    assert found.before_ratio.value == pytest.approx(pieces["clean"][truth].mean() / pieces["clean"][~truth].mean())
    said = ADVERSARIAL.answer(pieces, InformationView(), ws)
    assert f"an adversarial image carries {found.ratio.value:.3g} (" in said[0] and len(said) == 4
    assert f"changed the class of 8 of {found.tried} images tried, among {found.right}" in said[2]
    assert f"{100 * found.accuracy[1]:.1f} % with these" in said[3]
    now, before = scores_of.detections(pieces, 0).values()
    assert now.flipped == before.flipped == 4 and 0 <= now.auc.value <= 1
    pairs = adversarial_views.pairs(pieces, 0, ws)
    assert len(pairs.images) == 4 <= KEPT and (np.diff(pairs.scores) <= 0).all()
    assert np.array_equal(pairs.scores, pieces["attacked"][0][pairs.images])
    assert pairs.percentile[0] == pytest.approx(100 * (pieces["attacked"][0] < pairs.scores[0]).sum() / 39)
    table = adversarial_views.adversarial_scores_table(pieces, ws)
    assert len(table) == 80 and (table["group"] == "adversarial").sum() == 8
    assert table["information"].tolist() == pieces["attacked"].ravel().tolist()


@pytest.mark.parametrize(("after", "before", "mostly"), [(6.0, 5.0, True), (6.0, 3.4, False), (0.8, 2.0, True), (3.0, 0.5, False)])
def test_what_was_there_before(after, before, mostly):
    one = Estimate(1.0, 1.0, 1.0)
    ratios = [Estimate(value, value, value) for value in (after, before)]
    assert scores_of.mostly_before(scores_of.Attacked(9, 9, 3, one, one, one, *ratios, (1.0, 1.0))) == mostly


def test_refusals(ws):
    with pytest.raises(ComputationError, match="No image's class changed at ε"):
        ADVERSARIAL.compute(asked(epsilon=0.0001), ws, Recording())
    with pytest.raises(SpecError, match="no images"):
        ADVERSARIAL.forecast(asked(InfluenceSpec(dataset=DatasetSpec(name="moons", n=40), test=10)), ws)
    with pytest.raises(SpecError, match="pretrained"):
        asked(weights="pretrained")
    with pytest.raises(SpecError, match="after 2 epochs"):
        asked(InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": 2}}))
    with pytest.raises(DataError, match="No held-out image is of the class"):
        ADVERSARIAL.compute(asked(InfluenceSpec(dataset=DatasetSpec(n=200), test=2)), ws, Recording())
    with pytest.raises(ValidationError, match="flip none"):
        AdversarialSpec.model_validate(asked().model_dump() | {"dataset": PAGE.dataset})
