"""The figures of the real network show what was found, every number once."""

from dataclasses import replace

import numpy as np
import pytest
from compared_network import made

from ntkcore.analyses.reliability.stochastic import gaps
from ntkcore.figures.reliability.network import estimates_figure, gaps_figure

NAMES = [f"image {i}, <b>" for i in range(10)]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_estimate_is_drawn_against_retraining(mode):
    found = made(0.05)
    line, *traces = estimates_figure(found, NAMES, mode).data
    assert list(line.x) == list(line.y) == [found.actual.min(), found.actual.max()]
    assert [trace.name for trace in traces] == ["I, kernel", "Î, kernel", "Î, network", "LiSSA, 4 runs"]
    for trace, values in zip(traces, (found.kernel, found.regime, found.hessian, found.lissa.mean(0)), strict=True):
        assert list(trace.x) == list(found.actual) and list(trace.y) == list(values)
    np.testing.assert_allclose(traces[-1].error_y.array, found.lissa.std(0, ddof=1))
    assert traces[0].text[0] == "image 0, &lt;b&gt;"


def test_a_network_s_own_kernel_has_two_curvatures_and_what_failed_is_not_drawn():
    spec = made().spec
    own = spec.model_copy(update={"verification": spec.verification.model_copy(update={"width": None})})
    found = made(spec=own)
    assert "Î, network (Gauss-Newton)" in [trace.name for trace in estimates_figure(found, NAMES, "light").data]
    failed = replace(found, failures={"hessian": "why"})
    assert "Î, network (Hessian)" not in [trace.name for trace in estimates_figure(failed, NAMES, "light").data]


def test_a_bar_for_each_step():
    steps = gaps(made(0.05))
    bar = gaps_figure(steps, "dark").data[0]
    assert list(bar.x) == [step.size for step in steps] and list(bar.y) == [step.title for step in steps]
    assert bar.text[2] == "20.0%" and len(set(bar.marker.color)) == 3
