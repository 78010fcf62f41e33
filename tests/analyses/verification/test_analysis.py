"""Verification: what is stored is real retraining, beside the kernel's prediction at the same λ and τ."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest
import torch
from recording import Recording
from soaked import soaked

from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import PAPER_TIME
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import RETRAINING
from ntkcore.analyses.verification import views
from ntkcore.analyses.verification.analysis import VERIFICATION, measured, speaking
from ntkcore.analyses.verification.forecast import descent
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.words import change, number
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, SpecError
from ntkcore.influence import kernel_influence
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.regression import KernelRegression
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec, InfluenceView, VerificationSpec

ROOT = Path(__file__).resolve().parents[3]
DATA = {"classes": ("3", "5", "8"), "n": 14}
TWO_LAYER = InfluenceSpec.model_validate({"dataset": DATA, "test": 6})
NETWORK = InfluenceSpec.model_validate(
    {"dataset": DATA, "test": 6, "kernel": "full", "model": {"architecture": "fcn", "width": 9, "depth": 1}, "dtype": "float64"}
)


@pytest.fixture
def ws(cache):
    made = Workspace(cache)
    INFLUENCE.compute(TWO_LAYER, made, Recording())
    return made


def asked(spec: InfluenceSpec = TWO_LAYER, **changes: object) -> VerificationSpec:
    small = spec is TWO_LAYER  # the network's kernel is large, and so are its steps to a time
    given = {"influence": spec, "removed": (2, 5, 11), "ridge": 0.2, "time": 1.5 if small else 0.3, "width": 24 if small else None}
    return VerificationSpec.model_validate(given | changes)


def starts(spec: InfluenceSpec, ws: Workspace) -> Callable[[], tuple[torch.nn.Module, torch.Tensor, torch.Tensor]]:
    """Makes the network at θ0 with its training and held-out samples, without anything of what is tested."""
    split = load_split(spec.dataset, 6, ws)

    def make() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
        x, z = torch.from_numpy(split.train.inputs), torch.from_numpy(split.test_inputs)
        if spec is not TWO_LAYER:
            return network(spec.model, split.train, ws).eval(), x, z
        x, z = (v.flatten(1) / v.flatten(1).norm(dim=1, keepdim=True) for v in (x, z))
        return TwoLayerReLU(64, 24, 0.01, 0, outputs=3), x, z

    return make


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
    INFLUENCE.compute(spec, ws, Recording())
    wanted, result, split = asked(spec), INFLUENCE.open(spec, ws), load_split(spec.dataset, 6, ws)
    VERIFICATION.compute(wanted, ws, Recording())
    found = VERIFICATION.open(wanted, ws)
    assert found.rate * found.steps == pytest.approx(wanted.time)
    assert found.rate * (float(result.regression.eigen[0][-1]) + 0.2) <= 0.25  # an eighth of what is stable
    y = torch.from_numpy(split.train.targets)
    trained = []
    make = starts(spec, ws)
    for left_out in (None, *wanted.removed):
        model, x, z = make()
        rest = [i for i in range(14) if i != left_out]
        trained.append(plain(model, x[rest], y[rest], z, found.rate, found.steps, 0.2))
    # float32 over some hundred contracting steps: rounding of 1e-7 does not grow
    np.testing.assert_allclose(found.outputs, trained[0], atol=2e-5)
    targets = targets_of(split.test_labels, 3)
    loss = [np.square(outputs - targets).sum(1) / 2 for outputs in trained]
    np.testing.assert_allclose(found.actual, np.stack(loss[1:]) - loss[0], atol=1e-4)
    chosen = result.regression.with_ridge(0.2)
    np.testing.assert_allclose(found.predicted, kernel_influence(chosen, result.k_test, targets, wanted.time, result.f_test)[[2, 5, 11]])
    np.testing.assert_allclose(found.expected, chosen.predict(result.k_test, result.f_test, wanted.time))


WAYS = [("two-layer", None), ("two-layer", 1), ("network", None), ("network", 1)]


@pytest.mark.parametrize(("name", "label"), soaked(WAYS, *WAYS[:2], WAYS[3]))
def test_a_basket_is_one_training_without_it_or_with_its_labels(ws: Workspace, name: str, label: int | None) -> None:
    spec = NETWORK if name == "network" else TWO_LAYER
    INFLUENCE.compute(spec, ws, Recording())
    basket = (1, 4, 6)
    wanted, result, split = (
        asked(spec, removed=basket, together=True, label=label),
        INFLUENCE.open(spec, ws),
        load_split(spec.dataset, 6, ws),
    )
    watched = Recording()
    VERIFICATION.compute(wanted, ws, watched)
    found, rest = VERIFICATION.open(wanted, ws), [i for i in range(14) if i not in basket]
    assert found.actual.shape == found.predicted.shape == (1, 6) and watched.stages[RETRAINING] == 2 * found.steps
    y, keep = split.train.targets.astype(np.float64), list(range(14)) if label is not None else rest
    if label is not None:
        y[list(basket)] = targets_of(np.full(3, label), 3)
    model, x, z = starts(spec, ws)()
    trained = plain(model, x[keep], torch.from_numpy(y[keep]).float(), z, found.rate, found.steps, 0.2)
    np.testing.assert_allclose(found.after[0], trained, atol=2e-5)
    targets = targets_of(split.test_labels, 3)
    np.testing.assert_allclose(
        found.actual[0], np.square(trained - targets).sum(1) / 2 - np.square(found.outputs - targets).sum(1) / 2, atol=1e-4
    )
    # The prediction is a regression begun anew on those images and labels.
    kernel = (
        result.regression._kernel if not result.regression.blocks else result.regression._kernel.reshape(14, 3, 14, 3).transpose(0, 2, 1, 3)
    )
    anew = KernelRegression(kernel[np.ix_(keep, keep)], y[keep], 0.2, result.f_train[keep])
    np.testing.assert_allclose(
        found.expected_after[0], anew.predict(result.k_test[:, keep], result.f_test, wanted.time), rtol=1e-7, atol=1e-8
    )
    right = (found.expected, found.expected_after[0]), (found.outputs, found.after[0])
    np.testing.assert_allclose(found.accuracies(), [[(v.argmax(1) == split.test_labels).mean() for v in pair] for pair in right])
    pearson, spearman = found.correlations(None)
    assert pearson == pytest.approx(np.corrcoef(found.predicted[0], found.actual[0])[0, 1]) and -1 <= spearman <= 1
    assert found.error(None) == pytest.approx(np.median(np.abs(found.predicted - found.actual) / np.abs(found.actual)))
    table = views.held_out_table(result, found)
    assert list(table["retrained"]) == list(found.actual[0]) and len(table) == 6


@pytest.mark.parametrize("name", ["two-layer", "network"])
def test_held_out_images_added_are_one_training_with_them(ws: Workspace, name: str) -> None:
    spec, new = NETWORK if name == "network" else TWO_LAYER, [1, 4]
    INFLUENCE.compute(spec, ws, Recording())
    wanted = asked(spec, removed=(), added=tuple(new), together=True)
    watched = Recording()
    VERIFICATION.compute(wanted, ws, watched)
    found, result, split = VERIFICATION.open(wanted, ws), INFLUENCE.open(spec, ws), load_split(spec.dataset, 6, ws)
    assert watched.stages[RETRAINING] == 2 * found.steps
    y = torch.from_numpy(split.train.targets)
    held = targets_of(split.test_labels, 3)
    trained = []
    for added in ([], new):
        model, x, z = starts(spec, ws)()
        learned = torch.cat([y, torch.from_numpy(held[added]).to(y)])
        trained.append(plain(model, torch.cat([x, z[added]]), learned, z, found.rate, found.steps, 0.2))
    np.testing.assert_allclose(found.outputs, trained[0], atol=2e-5)
    np.testing.assert_allclose(found.after[0], trained[1], atol=2e-5)
    # The prediction is a regression begun anew with those images.
    own = ADDITION.open(AdditionSpec(influence=spec), ws).values
    across = result.k_test[new]
    back = across.swapaxes(0, 1).swapaxes(-1, -2) if across.ndim == 4 else across.T
    top, below = np.concatenate([result.regression.kernel, back], 1), np.concatenate([across, own[np.ix_(new, new)]], 1)
    starting = np.concatenate([result.f_train, result.f_test[new]])
    anew = KernelRegression(np.concatenate([top, below]), np.concatenate([split.train.targets, held[new]]), 0.2, starting)
    predicted = anew.predict(np.concatenate([result.k_test, own[:, new]], 1), result.f_test, wanted.time)
    np.testing.assert_allclose(found.expected_after[0], predicted, rtol=1e-7, atol=1e-8)
    rest = [0, 2, 3, 5]
    loss = [np.square(outputs - held).sum(1) / 2 for outputs in (found.outputs, found.after[0])]
    np.testing.assert_allclose(found.pairs(None)[1], (loss[1] - loss[0])[rest], atol=1e-12)
    right = [(v.argmax(1) == split.test_labels)[rest].mean() for v in (found.expected, found.expected_after[0])]
    assert found.accuracies()[0] == pytest.approx(tuple(right))
    assert list(views.held_out_table(result, found)["image"]) == rest
    (said,) = VERIFICATION.answer(found, InfluenceView(), ws)
    assert said.startswith("Retrained with 2 more images: predicted and real change of 4 other held-out images’ loss: ")


def test_added_images_are_asked_for_by_the_ticked_ones(ws: Workspace) -> None:
    view = InfluenceView(ridge=0.2, verify=24, picked=(4, 1, 99), deed="add", check="ticked")
    wanted = VERIFICATION.asked(TWO_LAYER, view, ws)
    assert (wanted.added, wanted.removed, wanted.together) == ((1, 4), (), True)
    shown = VERIFICATION.shown(wanted)[1]
    assert VERIFICATION.asked(TWO_LAYER, shown, ws) == wanted
    assert "with 2 more images" in VERIFICATION.title(wanted, ws)
    assert "added" not in asked().model_dump(mode="json") and "added" in wanted.model_dump(mode="json")
    with pytest.raises(SpecError, match="held-out images to add"):
        VERIFICATION.asked(TWO_LAYER, view.model_copy(update={"picked": ()}), ws)
    for wrong in ({"removed": (1,)}, {"together": False}, {"label": 1}, {"added": (1, 1)}, {"added": (6,)}, {"added": tuple(range(6))}):
        with pytest.raises(ValueError, match=r"added|removed"):
            asked(**{"removed": (), "added": (1,), "together": True} | wrong)


def test_it_goes_on_where_it_was_stopped(ws: Workspace) -> None:
    spec = asked()
    _, steps = descent(spec, INFLUENCE.open(TWO_LAYER, ws))
    with pytest.raises(Cancelled):
        VERIFICATION.compute(spec, ws, Recording(stop_at=(RETRAINING, 2.5 * steps)))
    assert not VERIFICATION.ready(spec, ws) and (VERIFICATION.state(spec, ws) == "partial")
    again = Recording()
    VERIFICATION.compute(spec, ws, again)
    assert min(done for stage, done in again.reports if stage == RETRAINING and done) > 2 * steps  # the first two were there
    assert VERIFICATION.state(spec, ws) != "partial"
    interrupted = VERIFICATION.open(spec, ws).actual
    ws.store.remove(VERIFICATION.kind, VERIFICATION.key(spec, ws))
    ws.hot.clear()
    VERIFICATION.compute(spec, ws, Recording())
    np.testing.assert_allclose(VERIFICATION.open(spec, ws).actual, interrupted, atol=1e-6)


def test_the_request_is_a_job_of_its_own(ws: Workspace) -> None:
    spec = asked()
    job = VERIFICATION.request(spec, ws)
    assert job.id == VERIFICATION.key(spec, ws) != VERIFICATION.key(asked(ridge=0.3), ws)
    assert VERIFICATION.request(spec, ws).id == job.id
    forecast = VERIFICATION.forecast(spec, ws)
    assert [stage.name for stage in forecast.stages] == ["Reading images", RETRAINING]
    assert forecast.seconds > 0


def test_what_cannot_be_retrained_says_why(ws: Workspace) -> None:
    fresh = InfluenceSpec.model_validate({"dataset": DATA, "test": 5})
    with pytest.raises(SpecError, match="not computed"):
        VERIFICATION.compute(asked(fresh, width=24), ws, Recording())
    with pytest.raises(SpecError, match="steps"):
        descent(asked(time=1e6), INFLUENCE.open(TWO_LAYER, ws))
    infinite = InfluenceSpec.model_validate({"dataset": DATA, "test": 6, "kernel": "infinite", "model": {"width": 8}})
    with pytest.raises(ValueError, match="kernel"):
        asked(infinite, width=None)
    with pytest.raises(ValueError, match="different training images"):
        asked(removed=(1, 1))
    with pytest.raises(ValueError, match="width"):
        asked(width=None)
    with pytest.raises(ValueError, match="at least one image"):
        asked(removed=tuple(range(14)), together=True)
    with pytest.raises(ValueError, match="at most 200"):
        asked(fresh.model_copy(update={"dataset": fresh.dataset.model_copy(update={"n": 300})}), removed=tuple(range(201)), width=24)
    with pytest.raises(ValueError, match="held-out images are 0 to 5"):
        asked(target=6)
    with pytest.raises(SpecError, match="no class 3"):
        VERIFICATION.compute(asked(label=3), ws, Recording())
    small = Workspace(ws.settings.model_copy(update={"job_memory": 1000}))
    with pytest.raises(SpecError, match="memory"):
        VERIFICATION.compute(asked(), small, Recording())


def test_what_a_page_asks_for(ws: Workspace) -> None:
    result, view = INFLUENCE.open(TWO_LAYER, ws), InfluenceView(ridge=0.2, verify=64, basket=(7, 3, 99), deed="relabel", label=9)
    values = Look(result, 0.2, PAPER_TIME, ws).influence(2)
    made = views.leading(result, view, 2, ws)
    assert set(range(14)) - set(made.removed) == {int(np.abs(values).argmin())}  # 40 of 14, one of which is left to train on
    assert (made.time, made.target, made.width, made.ridge) == (PAPER_TIME, 2, 64, 0.2)
    early = view.model_copy(update={"time": 0.3})
    assert views.leading(result, early, 2, ws).time == 0.3
    assert views.ticked(result, view).changes == ((3,), (7,)) and views.ticked(result, view).label is None
    whole = views.whole_basket(result, view)
    assert whole.changes == ((3, 7),) and whole.label == 2  # the last class there is
    assert views.whole_basket(result, view.model_copy(update={"deed": "delete"})).label is None
    with pytest.raises(SpecError, match="at most 200"):
        many = InfluenceSpec.model_validate({"dataset": {"n": 300}, "test": 5})
        views.ticked(replace(result, spec=many, labels=np.zeros(300, int)), view.model_copy(update={"basket": tuple(range(201))}))


def test_measured_lists_this_analysis_alone(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    other = InfluenceSpec.model_validate({"dataset": DATA, "test": 5})
    INFLUENCE.compute(other, ws, Recording())
    assert measured(TWO_LAYER, ws) == () and speaking((), 0.2, 1.5, 0) is None
    specs = [asked(target=0), asked(width=32), asked(ridge=0.3, target=0), asked(removed=(4, 5, 6), together=True)]
    for spec in (*specs, asked(other, width=24)):
        VERIFICATION.compute(spec, ws, Recording())
    found = measured(TWO_LAYER, ws)
    assert {one.key for one in found} == {VERIFICATION.key(spec, ws) for spec in specs}
    monkeypatch.setattr(type(ws.store), "entries", lambda *_: pytest.fail("looked through the store again"))
    assert measured(TWO_LAYER, ws) is found  # nothing was added since
    monkeypatch.undo()
    said = [speaking(found, *at) for at in ((0.2, 1.5, 0), (0.2, 1.5, 1), (0.3, 1.5, 0), (0.2, 1.5, 1, 24), (7.0, 1.5, 0))]
    assert [one.spec for one in said if one][:4] == [specs[0], specs[1], specs[2], specs[0]]
    assert said[4] is not None and said[4].spec.target == 0
    widths = views.of_all_widths(found, specs[1])
    assert [one.spec.width for one in widths] == [32]
    VERIFICATION.compute(views.at_width(specs[0], 40), ws, Recording())
    widths = views.of_all_widths(measured(TWO_LAYER, ws), specs[0])
    assert [one.spec.width for one in widths] == [24, 40]
    rows = views.width_table(widths, 0)
    assert list(rows["width"]) == [24, 40] and list(rows["median_relative_error"]) == [one.error(0) for one in widths]
    ws.store.remove(VERIFICATION.kind, VERIFICATION.key(specs[1], ws))
    assert len(measured(TWO_LAYER, ws)) == 4
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "verification").rglob("c/*/*/*") if p.is_file())
    tile.write_bytes(tile.read_bytes()[:-3])
    ws.hot.clear()
    assert len(measured(TWO_LAYER, ws)) in (3, 4)  # a damaged one is left out, and was of this analysis or of the other


def test_the_papers_column_is_that_of_the_data() -> None:
    assert views.paper_of(TWO_LAYER) is views.PAPER["mnist"]
    cifar = InfluenceSpec.model_validate({"dataset": {"name": "cifar10"}})
    assert views.paper_of(cifar).figures[10_000] == (0.9683, 0.8583) and "car" in views.paper_of(cifar).data


def test_correlations_need_something_that_varies(ws: Workspace) -> None:
    VERIFICATION.compute(asked(), ws, Recording())
    found = VERIFICATION.open(asked(), ws)
    pearson, spearman = found.correlations(0)
    assert -1 <= pearson <= 1
    assert -1 <= spearman <= 1
    few = asked(removed=(3, 4))
    VERIFICATION.compute(few, ws, Recording())
    assert np.isnan(VERIFICATION.open(few, ws).correlations(0)).all()
    assert inf > found.seconds > 0
    rows = views.change_table(found, 0)
    assert list(rows["image"]) == [2, 5, 11] and list(rows["retrained"]) == list(found.actual[:, 0])


def test_it_says_how_well_they_agree(ws: Workspace) -> None:
    """The page's sentence, here on the verifications that a page, a link or a terminal may ask for."""

    def said(view: InfluenceView, **changes: object) -> tuple[Verification, str]:
        spec = asked(**changes)
        VERIFICATION.compute(spec, ws, Recording())
        found = VERIFICATION.open(spec, ws)
        (sentence,) = VERIFICATION.answer(found, view, ws)
        return found, sentence

    found, sentence = said(InfluenceView(target=4))
    pearson, spearman = found.correlations(4)
    assert sentence.startswith("Predicted and real influence of 3 images on held-out image 4: ")
    assert f"Pearson {pearson:+.2f}, Spearman {spearman:+.2f}, median error ".replace("-", "−") in sentence
    own = abs(found.outputs[4] - found.expected[4]).max()
    assert sentence.endswith(f"with every image its own prediction is {number(own, 2)} from the kernel’s.")
    assert list(VERIFICATION.table(found, InfluenceView(target=4), ws)["retrained"]) == list(found.actual[:, 4])
    largest = int(abs(found.actual).max(0).argmax())  # where the view names none, or none that there is
    for view in (InfluenceView(), InfluenceView(target=99)):
        assert f"on held-out image {largest}: " in VERIFICATION.answer(found, view, ws)[0]
    _, sentence = said(InfluenceView(target=4), target=2)
    assert "on held-out image 2: " in sentence  # it is about its own
    found, sentence = said(InfluenceView(target=1), removed=(7,))
    assert f"Without image 7 the loss of held-out image 1 really changes by {change(found.actual[0, 1])}; " in sentence
    assert f"the kernel said {change(found.predicted[0, 1])}; " in sentence
    _, sentence = said(InfluenceView(target=1), removed=(3, 4))
    assert "of 2 images on held-out image 1: too few that vary, so there is nothing to correlate; " in sentence
    for label, deed in ((None, "without 3 images"), (1, "with 3 images called 5")):
        found, sentence = said(InfluenceView(), together=True, label=label)
        assert sentence.startswith(f"Retrained {deed}: predicted and real change of 6 held-out images’ loss: Pearson ")
        assert list(VERIFICATION.table(found, InfluenceView(), ws)["retrained"]) == list(found.actual[0])
