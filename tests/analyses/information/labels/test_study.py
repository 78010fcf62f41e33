"""The study of detection: each draw is what its own analysis gives, and it goes on where it stopped."""

from math import inf

import numpy as np
import pytest
from recording import Recording
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from ntkcore.analyses import catalogue
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.labels.study import DETECTION, asked
from ntkcore.analyses.information.labels.views import FIRST, METRICS, measured, study_table
from ntkcore.analyses.progress import STUDY as STAGE
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, SpecError
from ntkcore.influence.self_influence import held_out_residuals
from ntkcore.information import functional_information
from ntkcore.specs.detection import SUSPICIONS
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

TINY = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 30, "seed": 4}, "test": 10})
SPEC = asked(TINY, InformationView.model_validate({"ridge": 0.1, "labels": {"share": 0.2, "seeds": 3}}), 3)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_it_asks_for_the_same_images_with_the_share_flipped() -> None:
    assert catalogue.of(SPEC) is DETECTION and DETECTION.pieces(SPEC) == 3
    assert [draw.dataset.seed for draw in SPEC.draws] == [4, 5, 6]
    assert all(draw.dataset.label_noise == 0.2 and draw.test == 10 for draw in SPEC.draws)
    assert asked(SPEC.influence, InformationView.model_validate({"ridge": 0.1, "labels": {"share": 0.2, "seeds": 3}}), 3) == SPEC


@pytest.mark.parametrize("time", [None, 3.0])
def test_every_draw_is_judged_by_what_is_flipped(ws: Workspace, time: float | None) -> None:
    spec = SPEC.model_copy(update={"time": time})
    DETECTION.compute(spec, ws, Recording())
    pieces = DETECTION.open(spec, ws)
    assert pieces["metrics"].shape == (3, 5, 3) and pieces["residual"].shape == (3, 3) and np.array_equal(pieces["flipped"], [6, 6, 6])
    for place, draw in enumerate(spec.draws):
        result = INFLUENCE.open(draw, ws)  # each draw is an analysis that can be opened
        truth = result.labels != result.true_labels
        regression = result.regression.with_ridge(0.1)
        information = functional_information(regression, result.k_test, inf if time is None else time)
        errors = regression.fitted(inf if time is None else time) - regression.targets
        expected = {
            "information": information,
            "loss": np.square(errors).sum(1),
            "residual": np.abs(held_out_residuals(regression, inf if time is None else time)[:, 0]),
            "margin": -(result.labels * 2 - 1) * (errors + regression.targets)[:, 0],
        }
        for name, values in expected.items():
            found = pieces[name][place] if name == "residual" else pieces["metrics"][place, FIRST.index(name)]
            order = np.argsort(-values, kind="stable")
            wanted = roc_auc_score(truth, values), average_precision_score(truth, values), truth[order[:6]].mean()
            np.testing.assert_allclose(found, wanted, atol=1e-12)
        predicted = regression.predict(result.k_test, result.f_test, inf if time is None else time)[:, 0] > 0
        assert pieces["accuracy"][place] == (predicted == result.test_labels).mean()


def test_a_study_of_before_the_residual_was_a_score_still_opens(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"metrics": (5, 3), "flipped": (), "accuracy": ()}
    with monkeypatch.context() as patch:
        patch.setattr(type(DETECTION), "shapes", lambda *_: before)
        DETECTION.compute(SPEC, ws, Recording())
    assert DETECTION.ready(SPEC, ws)
    pieces = DETECTION.open(SPEC, ws)
    assert "residual" not in pieces.arrays
    assert list(dict.fromkeys(one.score for one in measured(pieces))) == list(FIRST)
    assert len(study_table(pieces)) == 15 and DETECTION.answer(pieces, InformationView(), ws)


def test_the_table_has_means_with_students_interval(ws: Workspace) -> None:
    DETECTION.compute(SPEC, ws, Recording())
    pieces = DETECTION.open(SPEC, ws)
    rows = study_table(pieces)
    assert len(rows) == len(SUSPICIONS) * len(METRICS) and list(rows.columns)[:5] == ["score", "metric", "mean", "low", "high"]
    first, values = rows.iloc[0], pieces["metrics"][:, 0, 0]
    assert (first["score"], first["metric"]) == ("unique information F-SI", "ROC-AUC")
    assert [first[f"seed_{seed}"] for seed in (4, 5, 6)] == list(values)
    interval = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose([first["low"], first["high"]], interval)
    assert [one.metric for one in measured(pieces)][:3] == list(METRICS)
    said = DETECTION.answer(pieces, InformationView(), ws)
    assert (
        f"Over 3 draws, a flipped image carries more unique information than another one with a chance of {100 * values.mean():.1f} %"
        in said[0]
    )
    areas = {one.score: one.mean.value for one in measured(pieces) if one.metric == "auc"}
    best = max(areas, key=areas.__getitem__)
    assert len(said) == (1 if best == "information" else 2) and f"{areas[best]:.3f}" in said[-1]


def test_of_one_draw_there_is_no_interval(ws: Workspace) -> None:
    spec = SPEC.model_copy(update={"seeds": 1})
    DETECTION.compute(spec, ws, Recording())
    pieces = DETECTION.open(spec, ws)
    rows = study_table(pieces)
    assert (
        DETECTION.answer(pieces, InformationView(), ws)[0].startswith("In one draw")
        and "interval" not in DETECTION.answer(pieces, InformationView(), ws)[0]
    )
    assert rows["mean"].between(0, 1).all() and rows[["low", "high"]].isna().all(axis=None)


def test_it_goes_on_where_it_was_stopped(ws: Workspace) -> None:
    with pytest.raises(Cancelled):
        DETECTION.compute(SPEC, ws, Recording(stop_at=(STAGE, 1.5)))
    assert DETECTION.state(SPEC, ws) == "partial" and INFLUENCE.ready(SPEC.draws[0], ws) and INFLUENCE.ready(SPEC.draws[1], ws)
    watched = Recording()
    DETECTION.compute(SPEC, ws, watched)
    assert min(done for stage, done in watched.reports if stage == STAGE) >= 1  # the first draw is not done again
    whole = DETECTION.open(SPEC, ws)["metrics"]
    longer = SPEC.model_copy(update={"seeds": 4})  # draws of another study are taken, not made anew
    before = {draw: INFLUENCE.open(draw, ws).created for draw in SPEC.draws}
    DETECTION.compute(longer, ws, Recording())
    assert {draw: INFLUENCE.open(draw, ws).created for draw in SPEC.draws} == before
    np.testing.assert_array_equal(DETECTION.open(longer, ws)["metrics"][:3], whole)
    assert DETECTION.key(longer, ws) != DETECTION.key(SPEC, ws)


def test_the_forecast_leaves_out_what_is_there(ws: Workspace) -> None:
    before = DETECTION.forecast(SPEC, ws)
    DETECTION.compute(SPEC, ws, Recording())
    after = DETECTION.forecast(SPEC, ws)
    assert 0 < after.seconds < before.seconds and after.disk == 0 < before.disk and not before.refusal


def test_what_cannot_be_studied_is_refused(ws: Workspace) -> None:
    with pytest.raises(SpecError, match="Of 30 labels 0 would be flipped"):
        asked(TINY, InformationView.model_validate({"labels": {"share": 0.01}}), 5)
    large = asked(
        TINY.model_copy(update={"dataset": TINY.dataset.model_copy(update={"name": "clusters", "classes": (), "n": 100_000})}),
        InformationView(),
        5,
    )
    with pytest.raises(SpecError, match="images would fit"):
        DETECTION.compute(large, ws, Recording())
