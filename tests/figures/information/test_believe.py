"""Figures of the question "Can I believe the number?": every method and pair is drawn as it was measured."""

import numpy as np
import pytest

from ntkcore.analyses.information.believe.plan import METHODS
from ntkcore.figures.information.believe import correlation_figure, removal_figure


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_estimates_stand_against_retraining(mode):
    actual = np.array([1e-3, 2e-2, 0.5])
    estimates = {"linear": actual * 1.1, "gauss-newton": actual / 2, "hessian": np.full(3, np.nan), "lissa": actual * 3}
    figure = removal_figure(actual, estimates, METHODS, ["a <b>", "%{x}", "c"], mode, what="change")
    assert [trace.name for trace in figure.data] == ["right", METHODS["linear"], METHODS["gauss-newton"], METHODS["lissa"]]
    np.testing.assert_array_equal(figure.data[1].y, actual * 1.1)
    assert figure.data[1].text[0] == "a &lt;b&gt;" and figure.data[1].text[1] == "% {x}"
    assert figure.data[0].x == (actual.min() / 2, actual.max() * 3) and figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert len({trace.marker.symbol for trace in figure.data[1:]}) == 3


def test_nothing_that_changed_is_an_empty_chart():
    figure = removal_figure(np.zeros(2), {"linear": np.zeros(2)}, METHODS, ["a", "b"], "light", what="change")
    assert len(figure.data) == 1


def test_correlations_are_written_in_their_cells():
    values = np.array([[np.nan, 0.456], [-0.2, 1.0]])
    figure = correlation_figure(values, ["first", "second"], "light", deviations=np.array([[0.1, 0.02], [np.nan, 0.0]]))
    assert [list(row) for row in figure.data[0].text] == [["–", "0.46<br>± 0.02"], ["−0.20", "1.00<br>± 0.00"]]
    assert figure.data[0].zmin == 0 and figure.data[0].zmax == 1 and list(figure.layout.xaxis.ticktext) == ["first", "second"]
    plain = correlation_figure(values, ["first", "second"], "dark")
    assert plain.data[0].text[0][1] == "0.46" and plain.layout.height > 200
