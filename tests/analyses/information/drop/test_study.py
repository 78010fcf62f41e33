"""The study of summarisation against regressions and networks begun anew on the images kept, and the list to keep."""

from math import inf

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.drop import answer, study, views
from ntkcore.analyses.information.drop import keep as lists
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.information import functional_information
from ntkcore.models import evaluate, train
from ntkcore.permalink import ADDRESSES
from ntkcore.regression import KernelRegression
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from ntkcore.specs.summary import DropView, SummaryStudySpec

PAIR = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 40, "label_noise": 0.2, "seed": 5}, "test": 12})
THREE = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 30}, "test": 10})
FULL = InfluenceSpec.model_validate(
    {"dataset": {"classes": ("3", "5", "8"), "n": 16}, "test": 6, "kernel": "full", "model": {"width": 8}, "dtype": "float64"}
)
NETWORK = {"model": {"architecture": "fcn", "width": 12, "depth": 1, "seed": 3}, "training": {"epochs": 3, "seed": 2}, "retrained": (50,)}


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))


def asked(spec: InfluenceSpec, **changes: object) -> SummaryStudySpec:
    given = {"influence": spec, "test": 15, "ridge": 0.1, "time": None, "step": 10.0, "seeds": 2, "shares": (20, 50, 80)}
    return SummaryStudySpec.model_validate(given | changes)


def done(spec: SummaryStudySpec, ws: Workspace):
    study.SUMMARY.compute(spec, ws, Recording())
    return study.SUMMARY.open(spec, ws)


def slow_order(kernel, val, y, start, way, count, size, ridge, time, seed):
    """Which images go, each score from a regression begun anew."""
    n = len(kernel)
    if way == "random":
        return np.random.default_rng(seed).permutation(n)[:count]
    kept, gone = np.arange(n), []
    while len(gone) < count:
        alone = KernelRegression(kernel[np.ix_(kept, kept)], y[kept], ridge, start[kept])
        score = functional_information(alone, val[:, kept], time)
        order = np.argsort(-score if way == "top" else score, kind="stable")
        some = kept[order[: min(size, count - len(gone)) if way == "iterative" else count]]
        gone += some.tolist()
        kept = np.setdiff1d(kept, some)
    return np.array(gone)


@pytest.mark.parametrize("time", [None, 0.6])
@pytest.mark.parametrize("spec", [PAIR, THREE, FULL], ids=["pair", "three", "full"])
def test_each_part_is_a_regression_begun_anew_on_the_images_kept(ws: Workspace, spec: InfluenceSpec, time: float | None) -> None:
    wanted = asked(spec, time=time)
    pieces, n, m, until = done(wanted, ws), spec.dataset.n, spec.test, inf if time is None else time
    for piece, found, left in zip(study.pieces(wanted), pieces["kernel"], pieces["counts"], strict=True):
        draw = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"seed": spec.dataset.seed + piece.draw}), "test": m + 15})
        result = INFLUENCE.open(draw, ws)
        stored = ws.store.open(INFLUENCE.kind, INFLUENCE.key(draw, ws))
        kernel, across = stored.read("k_train").astype(float), stored.read("k_test").astype(float)
        y, start, count = stored.read("targets"), result.f_train, round(piece.percent / 100 * n)
        gone = np.zeros(0, int)
        if piece.strategy:
            most = round(0.8 * n)
            order = slow_order(
                kernel, across[:m], y, start, piece.strategy, most, max(1, round(0.1 * n)), 0.1, until, spec.dataset.seed + piece.draw
            )
            gone = order[:count]
        kept = np.delete(np.arange(n), gone)
        np.testing.assert_array_equal(left, np.bincount(result.labels[kept], minlength=len(result.class_names)))
        if not left.all():
            assert np.isnan(found)
            continue
        alone = KernelRegression(kernel[np.ix_(kept, kept)], y[kept], 0.1, start[kept])
        outputs = alone.predict(across[m:][:, kept], result.f_test[m:], until)
        predicted = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(1)
        assert found == (predicted == result.test_labels[m:]).mean()
    assert np.isnan(pieces["network"]).all()


def test_the_images_that_judge_are_others_than_those_scored_by(ws: Workspace) -> None:
    wanted = asked(PAIR)
    done(wanted, ws)
    first, second = (INFLUENCE.open(draw, ws) for draw in wanted.draws)
    assert len(first.test_ids) == 27 and len({*first.test_ids, *first.ids}) == 67
    split = load_split(PAIR.dataset, 12, ws)
    assert first.test_ids[:12] == split.test_ids and first.ids == split.train.ids
    assert set(first.ids) != set(second.ids) and wanted.draws[1].dataset.seed == 6
    assert all(INFLUENCE.ready(draw, ws) for draw in wanted.draws)


def test_a_network_is_really_trained_on_what_is_kept(ws: Workspace) -> None:
    wanted = asked(THREE, **NETWORK)
    pieces = done(wanted, ws)
    for place, piece in enumerate(study.pieces(wanted)):
        if piece.percent not in (0, 50):
            assert np.isnan(pieces["network"][place])
            continue
        draw = wanted.draws[piece.draw]
        split, result = load_split(draw.dataset, draw.test, ws), INFLUENCE.open(draw, ws)
        gone = np.zeros(0, int)
        if piece.strategy:
            chosen = lists.Order(piece.strategy, validation=10, step=0.1, share=0.8, seed=draw.dataset.seed)
            order = lists.removal(Look(result, 0.1, inf, ws), chosen)
            gone = order[:15]
        kept = np.setdiff1d(np.arange(30), gone)
        model = network(wanted.model.model_copy(update={"seed": 3 + piece.draw}), split.train, ws)
        training = wanted.training.model_copy(update={"seed": 2 + piece.draw})
        *_, last = train(model, split.train.inputs[kept], split.train.targets[kept], training)
        assert last.epoch == 3
        outputs = evaluate(model, split.test_inputs[10:])
        assert pieces["network"][place] == (outputs.argmax(1) == split.test_labels[10:]).mean()
    rows = views.table(pieces)
    assert rows["network"].notna().sum() == 5 and list(rows["percent"][:4]) == [0, 20, 50, 80]


def test_it_goes_on_where_it_was_stopped(tmp_path) -> None:
    own = Workspace(Settings(cache_dir=tmp_path))
    wanted = asked(PAIR)
    with pytest.raises(Cancelled):
        study.SUMMARY.compute(wanted, own, Recording(stop_at=(STUDY, 9.0)))
    assert study.SUMMARY.state(wanted, own) == "partial" and not INFLUENCE.ready(wanted.draws[1], own)
    again = Recording()
    study.SUMMARY.compute(wanted, own, again)
    begun = [done for stage, done in again.reports if stage == STUDY and done]
    assert min(begun) == 9.0 and again.stages[STUDY] == 26
    interrupted = study.SUMMARY.open(wanted, own)["kernel"]
    own.store.remove(study.SUMMARY.kind, study.SUMMARY.key(wanted, own))
    own.hot.clear()
    np.testing.assert_array_equal(done(wanted, own)["kernel"], interrupted)


def test_cancelling_is_heard_while_scores_are_computed_anew(tmp_path) -> None:
    own = Workspace(Settings(cache_dir=tmp_path))
    wanted = asked(PAIR, shares=(80,))
    with pytest.raises(Cancelled):
        study.SUMMARY.compute(wanted, own, Recording(stop_at=(STUDY, 1.1)))  # the iterative order is the second part
    assert study.SUMMARY.state(wanted, own) == "partial"


def test_means_differences_and_the_answer(ws: Workspace) -> None:
    wanted = asked(PAIR, seeds=3)
    pieces = done(wanted, ws)
    found = {curve.strategy: curve for curve in views.curves(pieces, "kernel")}
    assert list(found) == ["iterative", "once", "random", "top"] and found["top"].percents == (0, 20, 50, 80)
    values = {(p.draw, p.strategy, p.percent): v for p, v in zip(study.pieces(wanted), pieces["kernel"], strict=True)}
    for way, curve in found.items():
        for place, percent in enumerate(curve.percents):
            draws = [values[draw, way if percent else None, percent] for draw in range(3)]
            np.testing.assert_array_equal(curve.draws[:, place], draws)
            np.testing.assert_allclose(curve.means[place].value, np.mean(draws))
    ahead = {(one.percent, one.against): one.difference for one in views.contrasts(pieces, "kernel")}
    gap = found["iterative"].draws[:, 2] - found["random"].draws[:, 2]
    half = 4.302652729749464 * gap.std(ddof=1) / np.sqrt(3)  # Student's t, 2 degrees of freedom
    said = ahead[50, "at random"]
    np.testing.assert_allclose((said.value, said.low, said.high), (gap.mean(), gap.mean() - half, gap.mean() + half), atol=1e-12)
    rows = views.table(pieces).set_index(["dropped", "percent"])
    np.testing.assert_allclose(rows.loc[("at random", 50), "kernel_ahead"], gap.mean(), atol=1e-12)
    assert rows.loc[("nothing", 0), "kernel"] == pytest.approx(found["once"].means[0].value) and len(rows) == 13
    told = views.cost(pieces, "kernel", 55)
    assert (told.percent, told.first) == (50, 20) and told.own == found["iterative"].means[2] and told.random == found["random"].means[2]
    said = study.SUMMARY.answer(pieces, InformationView(drop=DropView(share=55)), ws)
    assert said[0].startswith(answer.verdict(told)) and f"{100 * told.own.value:.1f} % instead of {100 * told.whole.value:.1f} %" in said[0]
    assert "0.5 percentage points" in said[1]
    assert study.SUMMARY.answer(pieces, InformationView(drop=DropView(share=0)), ws)[0].startswith("The list keeps 40 of 40 images")
    lost = [not mean.value >= found["iterative"].means[0].value - views.TOLERATED for mean in found["iterative"].means]
    assert told.most == (found["iterative"].percents[lost.index(True) - 1] if any(lost) else 80)
    assert len(views.draws_table(pieces, "kernel")) == 4 * 4 * 3
    place = views.placed(pieces, found["top"])
    np.testing.assert_allclose(place.error, np.maximum(1 - found["top"].draws.mean(0), 0.5 / 45))
    shown = ~np.isnan(place.error)
    assert shown[:3].all() and (place.low > 0)[shown].all()
    assert (place.low <= place.error)[shown].all() and (place.error <= place.high)[shown].all()


def test_an_emptied_class_ends_a_curve_and_is_said(ws: Workspace) -> None:
    few = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 12}, "test": 10})
    pieces = done(asked(few, shares=(25, 90), seeds=1), ws)
    gone = views.emptied(pieces)
    assert set(gone) == {"iterative", "once", "random", "top"} and set(gone.values()) == {90}  # one image is left of three classes
    assert views.cost(pieces, "kernel", 90) is None and views.cost(pieces, "kernel", 25) is not None
    assert np.isnan(views.curves(pieces, "kernel")[0].means[2].value)
    assert "without any image: drop fewer" in study.SUMMARY.answer(pieces, InformationView(drop=DropView(share=90)), ws)[0]
    assert views.table(pieces)["smallest_class"].min() == 0


def test_the_list_to_keep(ws: Workspace) -> None:
    INFLUENCE.compute(THREE, ws, Recording())
    result, told = INFLUENCE.open(THREE, ws), []
    look = Look(result, 0.1, 0.6, ws)
    order = lists.whole_order(look, 10.0, progress=lambda *done: told.append(done))
    assert len(set(order)) == 29 and told[-1] == (29, 29)
    assert lists.whole_order(look, 10.0, progress=lambda *_: pytest.fail("computed again")) is order
    found = lists.keep_list(result, order, 40)
    assert list(found.gone) == list(order[:12]) and len(found.kept) == 18 and {*found.gone, *found.kept} == set(range(30))
    assert list(found.kept[:17]) == list(order[12:]) and found.turn[found.kept[-1]] == 0
    assert found.counts.sum() == 30 and found.counts[:, 1].sum() == 12
    rows = lists.keep_table(result, found, 10.0)
    assert rows["keep"].sum() == 18 and set(rows.loc[rows["keep"] == 0, "image"]) == set(found.gone)
    assert list(rows.loc[list(order[:4]), "step"]) == [1, 1, 1, 2] and rows["step"].isna().sum() == 1
    assert "12,digits" in rows.to_csv(index=False)
    assert len(lists.keep_list(result, order, 0).gone) == 0 and len(lists.keep_list(result, order, 99).kept) == 1


def test_the_forecast_knows_what_is_there_and_what_does_not_fit(ws: Workspace, tmp_path) -> None:
    wanted = asked(PAIR)
    own = Workspace(Settings(cache_dir=tmp_path))
    before = study.SUMMARY.forecast(wanted, own)
    assert before.seconds > 0 and not before.refusal and before.disk == 2 * study.SUMMARY.forecast(asked(PAIR, seeds=1), own).disk
    INFLUENCE.compute(wanted.draws[0], own, Recording())
    assert 2 * study.SUMMARY.forecast(wanted, own).disk == before.disk
    assert study.SUMMARY.forecast(asked(THREE, **NETWORK), own).seconds > study.SUMMARY.forecast(asked(THREE), own).seconds
    small = Workspace(own.settings.model_copy(update={"job_memory": 1000}))
    with pytest.raises(SpecError, match="memory"):
        study.SUMMARY.compute(wanted, small, Recording())
    full = Workspace(own.settings.model_copy(update={"disk_budget": int(1.2 * before.disk / 2)}))
    assert "draws need about" in study.SUMMARY.forecast(asked(PAIR, ridge=0.2, seeds=3), full).refusal
    many = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 200}, "test": 100})
    with pytest.raises(DataError, match="100 that F-SI is a mean over and 300 others to judge by") as refused:
        study.SUMMARY.forecast(asked(many, test=300), own)
    assert "Ask for" in refused.value.remedy


def test_what_cannot_be_studied_says_why(ws: Workspace) -> None:
    for changes, words in (
        ({"shares": (50, 20)}, "ascending"),
        ({"shares": (1,)}, "1 % of 40 images is none"),
        ({"test": 9990}, "judge by 9,988 or fewer"),
        ({"model": {"width": 4}}, "needs a training"),
        (NETWORK | {"training": {"epochs": 0}}, "at least one"),
        ({"shares": ()}, "at least 1"),
    ):
        with pytest.raises(ValueError, match=words):
            asked(PAIR, **changes)
    last = PAIR.model_copy(update={"dataset": PAIR.dataset.model_copy(update={"seed": 2**31 - 2})})
    with pytest.raises(ValueError, match="smaller first seed"):
        asked(last, seeds=3)
    with pytest.raises(SpecError, match="10 % of 4 images is none"):
        study.SUMMARY.asked(InfluenceSpec.model_validate({"dataset": {"n": 4}, "test": 3}), InformationView(), ws)


def test_a_link_says_all_of_it(ws: Workspace) -> None:
    drop = DropView.model_validate({"share": 70, "step": 2.5, "shares": (30, 60), "test": 40, "judge": "network"} | NETWORK)
    view = InformationView(ask="drop", ridge=0.1, drop=drop)
    query = ADDRESSES["information"].write(PAIR, view)
    assert query["drop-shares"] == "30,60" and query["drop-model"] == "fcn" and query["drop-init"] == "3"
    assert ADDRESSES["information"].read(query) == (PAIR, view)
    assert not [name for name in ADDRESSES["information"].write(PAIR, InformationView()) if name.startswith("drop")]
    wanted = study.SUMMARY.asked(PAIR, view, ws)
    assert (wanted.step, wanted.test, wanted.retrained, wanted.model.width) == (2.5, 40, (50,), 12)
    plain = study.SUMMARY.asked(PAIR, InformationView(drop=DropView()), ws)
    assert plain.model is None and plain.training is None and plain.retrained == () and plain.test == 12
    key, looks = study.SUMMARY.key(plain, ws), DropView(share=3, show="stays", retrained=(10,))
    assert key == study.SUMMARY.key(study.SUMMARY.asked(PAIR, InformationView(drop=looks), ws), ws)
    assert study.SUMMARY.request(plain, ws).id == key
