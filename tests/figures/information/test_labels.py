"""The figures of the mislabelled question draw the numbers they are given."""

import numpy as np
import pytest

from ntkcore.analyses.information.labels.views import METRICS, SHORT, Measured, histogram
from ntkcore.figures.information import labels as figures
from ntkcore.information.detection import detect, mean_interval
from ntkcore.specs.detection import SUSPICIONS

each_mode = pytest.mark.parametrize("mode", ["light", "dark"])


@pytest.fixture
def found():
    generator = np.random.default_rng(0)
    truth = np.arange(60) < 9
    return {name: detect(generator.standard_normal(60) + place * truth, truth) for place, name in enumerate(SUSPICIONS)}


@each_mode
def test_two_histograms_over_one_axis(mode):
    values = np.geomspace(1e-6, 1, 50)
    drawn = histogram(values, values > 0.1)
    figure = figures.detection_histogram(drawn, mode)
    assert [trace.name for trace in figure.data] == ["label as it was", "label flipped"]
    assert np.sum(figure.data[0].y) == pytest.approx(1) and np.sum(figure.data[1].y) == pytest.approx(1)
    assert figure.layout.barmode == "overlay" and figure.layout.xaxis.type == "log"
    assert min(figure.data[1].x[np.array(figure.data[1].y) > 0]) > 0.05


@each_mode
def test_a_curve_for_each_score(found, mode):
    for draw, kind in ((figures.roc_figure, "roc"), (figures.recall_figure, "curve")):
        figure = draw(found, mode)
        curves = {trace.name: trace for trace in figure.data}
        for name, one in found.items():
            np.testing.assert_array_equal(curves[SHORT[name]].x, getattr(one, kind)[0])
            np.testing.assert_array_equal(curves[SHORT[name]].y, getattr(one, kind)[1])
        assert [trace.name for trace in figure.data if trace.name in SHORT.values()][-1] == "F-SI"  # on top
    assert figures.recall_figure(found, mode).layout.shapes[0].y0 == 9 / 60


@each_mode
def test_the_study_with_its_intervals(mode):
    generator = np.random.default_rng(1)
    draws = {(score, metric): generator.random(4) for score in SUSPICIONS for metric in METRICS}
    found = [Measured(score, metric, values, mean_interval(values)) for (score, metric), values in draws.items()]
    figure = figures.study_figure(found, mode)
    named = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in named] == list(METRICS.values())
    for trace, metric in zip(named, METRICS, strict=True):
        np.testing.assert_allclose(trace.x, [draws[score, metric].mean() for score in SUSPICIONS])
        of = [one.mean for one in found if one.metric == metric]
        np.testing.assert_allclose(trace.error_x.array, [mean.high - mean.value for mean in of])
    assert list(figure.layout.yaxis.ticktext) == list(SHORT.values())
