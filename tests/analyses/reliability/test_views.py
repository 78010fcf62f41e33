"""What the reliability page shows of a result, against deletion, an explicit inverse Hessian's limit and definitions written out again."""

from math import inf

import numpy as np
import pytest
import scipy.stats
from deletion_oracle import brute, outputs
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_dataset
from ntkcore.errors import ComputationError, DataError
from ntkcore.influence import kde_density
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView

SPECS = {
    "binary": {"dataset": {"classes": ("3", "8"), "n": 45}, "test": 12},
    "many": {"dataset": {"classes": ("0", "1", "2"), "n": 45}, "test": 12},
    "network": {
        "dataset": {"classes": ("0", "1", "2"), "n": 45},
        "test": 12,
        "kernel": "pseudo",
        "model": {"width": 8, "depth": 1},
        "dtype": "float64",
    },
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module", params=list(SPECS))
def result(request, ws):
    spec = InfluenceSpec.model_validate(SPECS[request.param])
    INFLUENCE.compute(spec, ws, Recording())
    return INFLUENCE.open(spec, ws)


@pytest.fixture(scope="module")
def kernel(result, ws):
    """The training kernel, from what is stored."""
    return ws.store.open("influence", result.key).read("k_train").astype(np.float64)


def slowly(result, kernel, ridge):
    """I and Î (n, m), by deleting every image and by eq. 13."""
    y, k = result.regression.targets, result.regression.k
    residual = y - result.f_train
    fitted = outputs(kernel, result.k_test, residual, result.f_test, ridge, inf)
    error = fitted - targets_of(result.test_labels, k)
    without = error[:, None] + brute(kernel, result.k_test, residual, ridge, inf)
    exact = (np.square(without).sum(2) - np.square(error).sum(1)[:, None]).T / 2
    own = outputs(kernel, kernel, residual, result.f_train, ridge, inf) - y
    alpha = result.k_test @ np.linalg.inv(kernel + ridge * np.eye(len(kernel)))
    return exact, (alpha * (error @ own.T)).T


@pytest.mark.parametrize("ridge", [2.0**-4, 1.0, 16.0])
def test_the_summary_is_that_of_deletion(result, kernel, ws, ridge):
    exact, estimate = slowly(result, kernel, ridge)
    rate = np.abs(exact - estimate) / np.abs(exact)
    found = views.summary(Look.of(result, ridge, None, ws))
    # a rate divides by |I|: the relative error of the smallest |I| is that of the largest times their ratio
    close = {"rel": 1e-9 * np.abs(exact).max() / np.abs(exact).min()}
    assert found.mean == pytest.approx(rate.mean(), **close)
    assert found.median == pytest.approx(np.median(rate), rel=1e-7)
    assert found.least == pytest.approx(np.linalg.eigvalsh(kernel)[0], rel=1e-6)
    assert found.bound == pytest.approx(found.least / (found.least + ridge))
    assert found.held == found.pairs == rate.size
    assert found.zero == 0
    np.testing.assert_allclose(found.rates["median"], np.median(rate, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.rates["mean"], rate.mean(1), rtol=close["rel"])
    leverage = np.diagonal(kernel @ np.linalg.inv(kernel + ridge * np.eye(len(kernel))))
    np.testing.assert_allclose(found.leverage, leverage, rtol=1e-8)
    for image in range(len(result.test_labels)):
        most = np.argsort(-np.abs(exact[:, image]))[:40]
        rho = scipy.stats.spearmanr(exact[most, image], estimate[most, image]).statistic
        assert found.trust.rank[image] == pytest.approx(rho, abs=1e-9)
        assert found.trust.rate[image] == pytest.approx(np.median(rate[most, image]), rel=1e-6)
        light = 0 if rho >= 0.95 and np.median(rate[most, image]) <= 0.1 else 2
        if light and rho >= 0.8 and np.median(rate[most, image]) <= 0.5:
            light = 1
        assert found.trust.light[image] == light
    found = views.evidence(Look.of(result, ridge, None, ws), 5)
    most = np.argsort(-np.abs(exact[:, 5]))[:40]
    np.testing.assert_array_equal(found.images, most)
    np.testing.assert_allclose(found.exact, exact[most, 5], rtol=1e-7)
    np.testing.assert_allclose(found.estimate, estimate[most, 5], rtol=1e-7)


def test_the_sweep_is_the_summary_at_each_ridge(result, ws):
    found = views.sweep(Look.of(result, 1.0, None, ws))
    assert tuple(found.ridges) == views.SWEEP == tuple(2.0**p for p in range(-4, 5))
    assert found.tests == 12 and found.pairs == 45 * 12
    for place, ridge in enumerate(found.ridges):
        one = views.summary(Look.of(result, float(ridge), None, ws))
        assert (found.mean[place], found.median[place], found.bound[place], found.held[place]) == pytest.approx(
            (one.mean, one.median, one.bound, one.held), rel=1e-12
        )
    assert (tables.sweep_table(found)["satisfied"] == 1).all()


def test_density_and_correlations(result, ws):
    found = views.density(Look.of(result, 1.0, None, ws), 5, "scott", 45)
    raw = load_dataset(result.spec.dataset, ws.settings).inputs.astype(np.float64).reshape(45, -1)
    seen = raw / np.linalg.norm(raw, axis=1, keepdims=True) if result.spec.kernel == "two-layer" else raw
    expected = kde_density(seen, 5, "scott")
    np.testing.assert_allclose(found.log_density, expected.log_density, rtol=1e-9)
    assert found.explained == pytest.approx(expected.explained, rel=1e-9)
    rate = views.summary(Look.of(result, 1.0, None, ws)).rates["median"]
    both = views.associate(found.log_density, rate)
    assert both.used.all()
    assert both.spearman.rho == pytest.approx(scipy.stats.spearmanr(expected.log_density, rate).statistic, abs=1e-9)
    pearson = scipy.stats.pearsonr(expected.log_density, np.log(rate))
    assert both.pearson.r == pytest.approx(pearson.statistic, abs=1e-8)
    assert both.spearman.low <= both.spearman.rho <= both.spearman.high
    rows = views.dependence(Look.of(result, 1.0, None, ws), "median")
    here = rows[(rows["dimension"] == 5) & (rows["rule"] == "scott")].iloc[0]
    assert here["spearman"] == pytest.approx(both.spearman.rho) and here["pearson"] == pytest.approx(both.pearson.r)
    assert set(rows["dimension"]) == {2, 5, 10, 20}  # 45 images do not span 50
    assert list(rows["rule"].unique()) == list(views.RULES)


def test_images_without_a_rate_are_left_out_of_the_correlation():
    rng = np.random.default_rng(0)
    density, rate = rng.standard_normal(30), rng.random(30)
    rate[[3, 5]] = np.nan, 0.0
    both = views.associate(density, rate, replicates=0)
    assert list(np.flatnonzero(~both.used)) == [3, 5]
    assert both.pearson.n == both.spearman.n == 28


def test_what_the_view_shows(result, ws):
    found = views.summary(Look.of(result, 1.0, None, ws))
    worst = views.unreliable(ReliabilityView(average="median"), found)
    assert found.rates["median"][worst[0]] == found.rates["median"].max() and len(worst) == 45
    picked = views.unreliable(ReliabilityView(picked=(3, 9, 4, 999)), found)
    assert sorted(picked) == [3, 4, 9]
    assert (np.diff(found.rates["mean"][picked]) <= 0).all()
    passing, backwards = np.arange(45) % 3 == 0, np.arange(45)[::-1]
    assert views.unreliable(ReliabilityView(picked=(3, 9, 4)), found, passing, backwards).tolist() == [9, 3]
    assert views.unreliable(ReliabilityView(), found, passing).tolist() == [
        i for i in views.unreliable(ReliabilityView(), found) if i % 3 == 0
    ]
    assert sum(views.counts(found)) == 12
    for light in views.LIGHTS:
        shown = views.lit(ReliabilityView(light=light), found)
        assert len(shown) == views.counts(found)[views.LIGHTS.index(light)]
    assert views.target_of(ReliabilityView(target=7), found, np.arange(12)) == 7
    assert views.target_of(ReliabilityView(target=99), found, np.array([4, 5])) == 4
    assert views.target_of(ReliabilityView(), found, np.array([], dtype=int)) == 0
    assert "99" in views.missing_from(result, ReliabilityView(target=99))
    assert "selected" in views.missing_from(result, ReliabilityView(picked=(45,)))
    assert views.missing_from(result, ReliabilityView(picked=(44,), target=11)) == ""


def test_the_tables_have_every_image(result, ws):
    found = views.summary(Look.of(result, 1.0, None, ws))
    images = tables.image_table(result, found, views.density(Look.of(result, 1.0, None, ws), 5, "scott", 45).log_density)
    assert sorted(images["image"]) == list(range(45)) and images["mean_rate"].is_monotonic_decreasing
    assert images["log_density"].notna().all()
    lights = tables.light_table(result, found)
    assert list(lights["image"]) == list(range(12)) and set(lights["light"]) <= set(views.LIGHTS)
    assert len(tables.evidence_table(result, views.evidence(Look.of(result, 1.0, None, ws), 0))) == 40


def test_the_sweep_of_a_large_set_uses_few_held_out_images(result):
    class Large:
        labels, test_labels = np.zeros(5000), np.zeros(1000)

    assert views.sweep_tests(result) == 12
    assert 20 <= views.sweep_tests(Large) < 100


def test_clusters_come_from_memory_the_second_time(ws):
    found = views.clusters(1, ws)
    assert views.clusters(1, ws) is found
    assert found.held == found.pairs
    rows = tables.cluster_table(found)
    assert len(rows) == 10 and (rows["mean_error"] < rows["mean_upper_bound"]).all()


def test_repeated_images_without_a_ridge_are_refused(result, ws):
    values, _ = result.regression.eigen
    if values[0] > 1e-9 * values[-1]:
        assert np.isfinite(views.summary(Look.of(result, 0.0, None, ws)).median)
    else:
        with pytest.raises(ComputationError, match="singular"):
            views.summary(Look.of(result, 0.0, None, ws))


def test_a_full_kernel_is_refused_before_anything_is_computed():
    with pytest.raises(DataError, match="one kernel"):
        views.require_one_kernel(InfluenceSpec.model_validate(SPECS["network"] | {"kernel": "full"}))
    views.require_one_kernel(InfluenceSpec())
