"""The agreement study: each network's scores are its own analysis's, compared pair by pair; what is stored is not computed again."""

from math import inf

import numpy as np
import pytest
from recording import Recording
from scipy import stats

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views as information_views
from ntkcore.analyses.information.believe import agreement as study
from ntkcore.analyses.information.believe import answer, networks, views
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, ModelError, SpecError
from ntkcore.specs.believe import AgreementStudySpec, BelieveView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate(
    {"dataset": {"classes": ("3", "8"), "n": 14}, "test": 6, "kernel": "pseudo", "model": {"width": 6, "depth": 1}}
)


def asked(**changes) -> AgreementStudySpec:
    given = {"influence": SPEC, "others": ("fcn-2",), "seeds": 2, "ridge": 0.1, "time": 0.3}
    return AgreementStudySpec.model_validate(given | changes)


def test_every_network_is_an_analysis_of_its_own(cache):
    ws, spec = Workspace(cache), asked()
    INFLUENCE.compute(SPEC, ws, Recording())
    with pytest.raises(Cancelled):
        study.AGREEMENT.compute(spec, ws, Recording(stop_at=(STUDY, 2.0)))
    assert [INFLUENCE.ready(one, ws) for one in spec.variants[:2]] == [True, True] and study.AGREEMENT.state(spec, ws) == "partial"
    study.AGREEMENT.compute(spec, ws, Recording())
    pieces = study.AGREEMENT.open(spec, ws)
    assert [(one.model.depth, one.model.width, one.model.seed) for one in spec.variants] == [(1, 6, 0), (1, 6, 1), (2, 256, 0), (2, 256, 1)]
    for row, one in zip(pieces["scores"], spec.variants, strict=True):
        np.testing.assert_allclose(row, information_views.scores(Look(INFLUENCE.open(one, ws), 0.1, 0.3, ws)), rtol=1e-12)
    assert networks.networks(spec) == ("Fully connected, 1 hidden, width 6", "Fully connected, 2 hidden, width 256")
    assert study.AGREEMENT.forecast(spec, ws).seconds < study.AGREEMENT.forecast(asked(seeds=4), ws).seconds
    assert list(networks.score_table(pieces).columns)[1] == "Fully connected, 1 hidden, width 6, seed 0"


def made(scores: np.ndarray, seeds: int) -> Pieces[AgreementStudySpec]:
    """A study of such scores (V, n)."""
    large = SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"n": scores.shape[1]})})
    others = ("fcn-2", "cnn3")[: len(scores) // seeds - 1]
    return Pieces(asked(influence=large, seeds=seeds, others=others), "key", {"scores": scores}, "2026-01-01", 1.0, "cpu")


@pytest.mark.parametrize("ranks", [False, True])
def test_agreement_is_the_mean_over_pairs_of_initialisations(ranks):
    scores = np.random.default_rng(0).gamma(1.0, size=(6, 40)) + np.linspace(0, 2, 40)
    pieces = made(scores, 2)
    mean, deviation = networks.between_networks(pieces, ranks)
    measure = stats.spearmanr if ranks else stats.pearsonr
    for a in range(3):
        for b in range(3):
            pairs = [measure(scores[2 * a + s], scores[2 * b + t]).statistic for s in range(2) for t in range(2) if a != b or s != t]
            assert (mean[a, b], deviation[a, b]) == (pytest.approx(np.mean(pairs)), pytest.approx(np.std(pairs), abs=1e-12))


def test_one_initialisation_has_nothing_to_agree_with_itself():
    pieces = made(np.random.default_rng(1).gamma(1.0, size=(2, 30)), 1)
    mean, _ = networks.between_networks(pieces)
    assert np.isnan(np.diagonal(mean)).all() and np.isfinite(mean[0, 1])
    assert "initialisations" not in answer.across_networks(pieces)


def test_leading_images_are_those_of_the_mean_score():
    scores = np.random.default_rng(2).gamma(1.0, size=(4, 30))
    pieces = made(scores, 2)
    tops = [set(np.argsort(-scores[2 * a : 2 * a + 2].mean(0))[:10]) for a in range(2)]
    assert [set(row) for row in networks.top_images(pieces)] == tops
    assert networks.shared_top(pieces)[0, 1] == len(tops[0] & tops[1])
    table = networks.table(pieces)
    assert list(table["with"]) == [
        "itself, other initialisations",
        "Fully connected, 2 hidden, width 256",
        "itself, other initialisations",
    ]
    assert f"share {len(tops[0] & tops[1])} of their 10" in answer.across_networks(pieces)
    assert study.AGREEMENT.answer(pieces, InformationView(), None) == (answer.across_networks(pieces),)


def test_times_are_compared_on_one_analysis(cache):
    ws = Workspace(cache)
    INFLUENCE.compute(SPEC, ws, Recording())
    result = INFLUENCE.open(SPEC, ws)
    look = Look(result, 0.1, inf, ws)
    times, values = views.over_times(look)
    scores = [information_views.scores(Look(result, 0.1, time, ws)) for time in times[:2]]
    assert values[0, 1] == pytest.approx(np.corrcoef(*scores)[0, 1], abs=1e-6)
    assert len(views.time_table(look)) == len(times) * (len(times) - 1) // 2
    assert "one time agrees with the next" in answer.over_training(times, values)
    assert "nothing to correlate" in answer.over_training(times, np.full_like(values, np.nan))


@pytest.mark.parametrize(
    ("spec", "believe", "words"),
    [
        ({"kernel": "two-layer", "model": None}, {}, "same from every initialisation"),
        ({}, {"seeds": 1}, "nothing to agree with"),
        ({}, {"others": ("cnn3", "cnn3")}, "each network once"),
        ({"model": {"width": 256, "depth": 2}}, {"others": ("fcn-2",)}, "compared anyway"),
    ],
)
def test_what_cannot_be_compared_is_said(cache, spec, believe, words):
    wanted = InfluenceSpec.model_validate(SPEC.model_dump(mode="json") | spec)
    with pytest.raises(SpecError, match=words):
        study.AGREEMENT.asked(wanted, InformationView(believe=BelieveView.model_validate(believe)), Workspace(cache))


def test_a_network_that_does_not_fit_the_images_is_refused_before_anything_runs(cache):
    with pytest.raises(ModelError, match="28 × 28"):
        study.AGREEMENT.forecast(asked(others=("cnn4",)), Workspace(cache))
