"""The figure of summarisation shows what the views say."""

import numpy as np
import pytest

from ntkcore.analyses.information.drop.views import STRATEGIES, Curve, Placed
from ntkcore.figures.information.drop import summary_figure
from ntkcore.information.detection import Estimate

nan = float("nan")


def curve(strategy, values):
    draws = np.array(values)
    means = tuple(Estimate(v, v - 0.01, v + 0.01) for v in draws.mean(0))
    errors = 1 - draws.mean(0)
    return Curve(strategy, (0, 50, 90), draws, means), Placed(errors, errors - 0.01, errors + 0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_line_an_order_with_bars_and_a_mark(mode):
    made = [curve(way, [[0.98, 0.96 - 0.01 * i, 0.7 if i else nan]]) for i, way in enumerate(STRATEGIES)]
    figure = summary_figure([c for c, _ in made], [p for _, p in made], 50, mode)
    assert [trace.name for trace in figure.data] == list(STRATEGIES.values())
    for trace, (one, place) in zip(figure.data, made, strict=True):
        assert list(trace.x) == [0, 50, 90] and trace.line.dash
        np.testing.assert_array_equal(trace.y, place.error)
        np.testing.assert_allclose(trace.error_y.array[:2], [0.01, 0.01])
        np.testing.assert_allclose(trace.error_y.arrayminus[:2], [0.01, 0.01])
        assert list(trace.customdata[:2]) == [mean.value for mean in one.means[:2]]
    assert np.isnan(figure.data[0].y[2])
    assert figure.layout.shapes[0].x0 == 50
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis.autorange == "reversed"
    assert dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))[0.05] == "95 %"
    assert len({trace.line.color for trace in figure.data}) == len({trace.marker.symbol for trace in figure.data}) == 4
