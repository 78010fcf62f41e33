"""Figures show what they are given: every image once, groups in their colours, and nothing computed anew."""

import numpy as np
import pytest

from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.learnability.views import GroupCurves, ImageCurve
from ntkcore.figures import learnability as figures
from ntkcore.figures.theme import GROUP_COLOURS
from ntkcore.learnability import Correlation
from ntkcore.specs.learnability import LearnabilitySpec

N, EPOCHS = 40, 5


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 2
    learned = rng.integers(0, EPOCHS, N).astype(float)
    learned[:3] = np.inf
    return LearnabilityResult(
        spec=LearnabilitySpec(),
        key="0" * 64,
        score=rng.uniform(1, 2, N),
        outputs=rng.normal(size=(EPOCHS + 1, N, 1)),
        learned=learned,
        targets=2.0 * labels[:, None] - 1,
        labels=labels,
        true_labels=labels,
        class_names=("<b>cat</b>", "dog"),
        ids=tuple(map(str, range(N))),
        times=np.linspace(0, EPOCHS, 21),
        full=None,
        epoch_time=0.1,
        correlation=Correlation(rho=0.1, low=0.0, high=0.2, replicates=10, n=N, level=0.95, defined=True),
        pack="p",
        parameters=1,
        doctor=None,
        warnings=(),
        created="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        device="cpu",
    )


@pytest.fixture
def curves():
    grid = np.linspace(0, EPOCHS, 21)
    lines = np.stack([np.exp(-grid), np.exp(-2 * grid), np.exp(-3 * grid)])
    measured = lines[:, ::4]
    return GroupCurves(
        sizes=np.array([4, 32, 4]),
        epochs=np.arange(EPOCHS + 1),
        accuracy=1 - measured,
        error=measured,
        times=grid,
        diagonal=lines,
        full=None,
        lower=lines / 2,
        upper=lines * 2,
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_histogram_counts_every_image_once(result, mode):
    figure = figures.score_histogram(result, (1.1, np.nan), 3, mode)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert sum(sum(trace.y) for trace in bars) == N
    assert bars[0].name == "&lt;b&gt;cat&lt;/b&gt;"  # shown as it is, not as bold
    assert len(figure.layout.shapes) == 2  # the cut of the hard group and the marked image; no easy group


def test_scatter_has_every_image_once_with_its_id(result):
    figure = figures.learned_scatter(result, np.zeros(N), 5, "light")
    ids = np.concatenate([trace.customdata for trace in figure.data if trace.customdata is not None])
    assert sorted(ids) == list(range(N))
    assert ids.ndim == 1
    assert "never" in figure.layout.yaxis.ticktext


def test_curves_use_the_groups_colours(curves):
    figure = figures.accuracy_curves(curves, "light")
    assert [trace.line.color for trace in figure.data] == list(GROUP_COLOURS["light"].values())
    np.testing.assert_allclose(figure.data[0].y, 100 * curves.accuracy[0])


@pytest.mark.parametrize("group", ["all", "hard", "medium", "easy"])
def test_error_curves_hold_measured_and_predicted(curves, group):
    figure = figures.error_curves(curves, group, "dark", log=True)
    assert figure.layout.yaxis.type == "log"
    names = " ".join(trace.name for trace in figure.data)
    assert ("envelope" in names) == (group != "all")
    assert "full" not in names


def test_empty_groups_have_no_line(curves):
    from dataclasses import replace

    empty = replace(curves, sizes=np.array([0, 36, 4]))
    assert len(figures.accuracy_curves(empty, "light").data) == 2


def test_image_curves():
    curve = ImageCurve(np.arange(3), np.array([1.0, 0.5, 0.2]), np.array([False, True, True]), np.linspace(0, 2, 9), np.ones(9), np.ones(9))
    figure = figures.image_curves(curve, "light")
    assert list(figure.data[-1].marker.symbol) == ["x", "circle", "circle"]
