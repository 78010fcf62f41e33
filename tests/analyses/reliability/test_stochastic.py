"""What is said of estimates on a real network: agreement and steps by their definitions, and the verdict that follows."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from compared_network import SPEC, made
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.reliability import stochastic as views
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView


def test_agreement_is_by_definition():
    random = np.random.default_rng(1)
    found = made(lissa=random.normal(size=(4, 10)), regime=random.normal(size=10))
    rows = {row.name: row for row in views.agreements(found)}
    assert list(rows) == ["kernel", "regime", "hessian", "run", "lissa"]
    assert rows["kernel"].rate == pytest.approx(0.3) and rows["kernel"].pearson == pytest.approx(1)
    assert rows["regime"].spearman == pytest.approx(scipy.stats.spearmanr(found.regime, found.actual).statistic)
    assert rows["run"].pearson == pytest.approx(np.mean([scipy.stats.pearsonr(run, found.actual).statistic for run in found.lissa]))
    assert rows["run"].rate == pytest.approx((np.abs(found.lissa - found.actual) / np.abs(found.actual)).mean())
    assert rows["lissa"].rate == pytest.approx((np.abs(found.lissa.mean(0) - found.actual) / np.abs(found.actual)).mean())
    table = views.agreement_table(found)
    assert list(table["mean_error_rate"]) == [row.rate for row in rows.values()]


def test_the_steps_lead_from_retraining_to_a_run():
    found = made(0.05)
    sizes = {gap.name: gap.size for gap in views.gaps(found)}
    expected = {"kernel": 0.3, "time": 0.0, "formula": 0.2, "network": 0.3, "depth": 0.0, "batches": 0.05}
    assert sizes == pytest.approx(expected)
    changes = [found.kernel - found.actual, found.regime - found.kernel_end, found.exact - found.regime, found.lissa - found.mean_run]
    np.testing.assert_allclose(found.actual + sum(changes), found.lissa)
    assert views.formula_error(found) == pytest.approx(0.2) and views.estimation_error(found) == pytest.approx(0.05)
    assert list(views.gap_table(found)["mean_size"]) == list(sizes.values())


@pytest.mark.parametrize(
    ("estimation", "words"), [(0.05, "adds little"), (0.15, "error of its own, smaller than the formula’s"), (0.3, "is the larger error")]
)
def test_the_verdict_follows_from_the_numbers(estimation, words):
    verdict, second, third = views.answer(made(estimation))
    assert words in verdict and "misses retraining by 20 %" in verdict
    assert "mostly by its batches" in second and "ending after 30 steps by 0 %" in second
    assert "the formula itself misses by 20 %" in third


def test_a_bias_that_adds_to_the_formula_s_is_not_little():
    actual = made().actual
    found = made(lissa=np.stack([0.74 * actual] * 4), mean_run=0.74 * actual)  # 6 % moved, 26 % off instead of 20 %
    assert "error of its own" in views.answer(found)[0]


def test_an_early_end_is_said():
    actual = made().actual
    found = made(mean_run=0.7 * actual, lissa=np.stack([0.7 * actual] * 4), kernel_end=1.2 * actual)
    said = views.answer(found)
    assert "mostly by ending its recursion early" in said[1] and "ending after 30 steps by 10 %" in said[1]
    assert "Training ended at τ = 5, before the minimum" in said[3] and said[3].endswith("by 10 %.")


def test_an_image_without_influence_is_left_out():
    found = made()
    found.actual[0] = 0.0
    assert np.isfinite([row.rate for row in views.agreements(found)]).all()


def test_what_failed_is_left_out_and_said():
    gone = np.full(10, np.nan)
    network = made().spec.model_copy(update={"verification": made().spec.verification.model_copy(update={"width": None})})
    found = made(spec=network, hessian=gone, curvature="gauss-newton", failures={"hessian": "Not positive definite."})
    assert [row.name for row in views.agreements(found)] == ["kernel", "regime", "gauss_newton", "run", "lissa"]
    assert len(views.gaps(found)) == 6 and "adds little" in views.answer(found)[0]
    found = made(lissa=np.full((4, 10), np.nan), mean_run=gone, failures={"lissa": "LiSSA diverged."}, depth=None, scale=None)
    assert [row.name for row in views.agreements(found)] == ["kernel", "regime", "hessian"]
    assert [gap.name for gap in views.gaps(found)] == ["kernel", "time", "formula", "network"]
    assert views.answer(found) == ("LiSSA diverged.",)


def test_the_images_table_has_every_number():
    found = made()
    rows = views.network_table(found)
    assert len(rows) == 10 and list(rows["retraining"]) == list(found.actual)
    np.testing.assert_allclose(rows["lissa_deviation"], found.lissa.std(0, ddof=1))


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))


def test_it_compares_what_the_influence_page_retrains(ws):
    INFLUENCE.compute(SPEC, ws, Recording())
    result = INFLUENCE.open(SPEC, ws)
    view = ReliabilityView(ridge=0.5, time=3.0, verify=32, steps=50, minibatch=8, runs=4)
    spec = views.to_compare(result, view, 7, ws)
    values = Look(result, 0.5, 3.0, ws).influence(7)
    assert set(spec.verification.removed) == set(np.argsort(-np.abs(values))[:40])
    assert (spec.verification.ridge, spec.verification.time, spec.verification.width) == (0.5, 3.0, 32)
    assert (spec.target, spec.depth, spec.batch, spec.repeats) == (7, 50, 8, 4)
    with pytest.raises(SpecError, match="λ"):
        views.to_compare(result, view.model_copy(update={"ridge": 0.0}), 7, ws)
    for changes, said in (
        ({"kernel": "infinite", "model": {"width": 8}}, "no real network"),
        ({"kernel": "pseudo", "model": {"width": 8}, "training": {"epochs": 2}}, "begins where"),
    ):
        other = replace(result, spec=InfluenceSpec.model_validate(SPEC.model_dump(exclude={"model", "training"}) | changes))
        with pytest.raises(SpecError, match=said):
            views.to_compare(other, view, 7, ws)
