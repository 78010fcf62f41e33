"""The sentences of a learnability result: what they claim, and the numbers they name, counted again."""

from dataclasses import replace

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.learnability import Correlation
from ntkcore.settings import Settings
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

SPEC = LearnabilitySpec.model_validate(
    {
        "dataset": {"classes": ("3", "8"), "n": 60},
        "model": {"width": 8, "depth": 1},
        "training": {"epochs": 3, "batch_size": 0, "learning_rate": 0.5},
        "full_kernel": False,
    }
)


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def result(ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    return LEARNABILITY.open(SPEC, ws)


def correlated(result, rho, low, high):
    return replace(result, correlation=Correlation(rho, low, high, 1000, 60, 0.95, True))


@pytest.mark.parametrize(
    ("rho", "low", "high", "words"),
    [
        (-0.5, -0.7, -0.3, "a larger k(x,x) went with being learned earlier, as the theory says: Spearman ρ = −0.50, 95 % interval −0.70"),
        (0.5, 0.3, 0.7, "learned later, the opposite of what the theory says: Spearman ρ = +0.50, 95 % interval +0.30 to +0.70."),
        (-0.1, -0.3, 0.1, "not clearly predict the order of learning: Spearman ρ = −0.10, 95 % interval −0.30 to +0.10, which includes 0."),
    ],
)
def test_what_the_interval_says_is_claimed(result, ws, rho, low, high, words):
    said = LEARNABILITY.answer(correlated(result, rho, low, high), LearnabilityView(), ws)[0]
    assert said.startswith("On these 60 images ") and words in said


def test_no_correlation_is_said_with_its_reason(result, ws):
    undefined = replace(result, correlation=Correlation(np.nan, np.nan, np.nan, 0, 60, 0.95, False, "all are learned at once."))
    assert "cannot be said here: all are learned at once." in LEARNABILITY.answer(undefined, LearnabilityView(), ws)[0]


def test_a_kernel_after_training_predicts_in_hindsight(result, ws):
    later = replace(correlated(result, -0.5, -0.7, -0.3), spec=SPEC.model_copy(update={"kernel_epoch": 2}))
    before = int((result.learned <= 2).sum())
    assert f"in hindsight for the {before} images already learned" in LEARNABILITY.answer(later, LearnabilityView(), ws)[0]


def test_what_each_group_reached(result, ws):
    said = LEARNABILITY.answer(result, LearnabilityView(hard=10, easy=20), ws)[1]
    right = (result.outputs[-1, :, 0] >= 0) == (result.labels == 1)
    order = np.argsort(result.score, kind="stable")
    for name, members in (("hard", order[:6]), ("medium", order[6:48]), ("easy", order[48:])):
        assert f"{100 * right[members].mean():.3g} % of the {len(members)} {name}" in said
    assert f"{(result.learned == 0).sum()} w" in said and f"{np.isinf(result.learned).sum()} w" in said
    alone = LEARNABILITY.answer(result, LearnabilityView(hard=0, easy=0), ws)[1]
    assert f"right on {100 * right.mean():.3g} % of the 60 medium images;" in alone


def test_without_training_there_is_no_order(result, ws):
    untrained = replace(result, outputs=result.outputs[:1])
    order, reached = LEARNABILITY.answer(untrained, LearnabilityView(), ws)
    assert "was not trained" in order and reached.startswith("Without training the network is right on ")
