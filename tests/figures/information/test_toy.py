"""The toy's figures draw what the analysis found."""

import numpy as np
import pytest

from ntkcore.analyses.information.toy import CELLS, KINDS, toy
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures.information.toy import points_figure, weights_figure
from ntkcore.settings import Settings
from ntkcore.specs.information_toy import ToyView


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return toy(ToyView(runs=300, epochs=5, point=60), Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache"))))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_points_tell_their_number_and_the_chosen_one_has_a_ring(found, mode):
    minus, plus, ring = points_figure(found, mode).data
    assert list(minus.customdata) + list(plus.customdata) == list(range(80))
    np.testing.assert_array_equal(plus.x, found.points.x[40:, 0])
    assert (ring.x[0], ring.y[0]) == tuple(found.points.x[60])
    sizes = np.concatenate([minus.marker.size, plus.marker.size])
    assert (np.argsort(sizes, kind="stable") == np.argsort(found.predicted, kind="stable")).all()
    assert minus.marker.color != plus.marker.color and ring.customdata is None


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_three_histograms_on_the_same_axes(found, mode):
    figure = weights_figure(found, mode)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [note.text for note in figure.layout.annotations] == list(KINDS)
    for drawn, counts in zip(maps, found.counts, strict=True):
        assert drawn.z.shape == (CELLS, CELLS)
        np.testing.assert_array_equal(np.nan_to_num(drawn.z), counts)
        np.testing.assert_allclose(drawn.x, (found.edges[0][1:] + found.edges[0][:-1]) / 2)
    assert len(maps[0].colorscale) > 4
    figure.to_json()
