"""The further columns of an own set's table: values by the images' names, words to choose from, filters by either."""

import numpy as np
import pytest
from caches import begun
from tabled import HEIGHTS, PLACES, N, tabled

from ntkcore.analyses.numbers import columns, filters, known
from ntkcore.analyses.numbers.columns import NONE, columns_of, row_of
from ntkcore.analyses.numbers.stored import Stored
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec
from ntkcore.specs.map import MapView

IDS = tuple(f"{at:02}.png" for at in (5, 3, 0, 11, 10))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tabled")
    ws = Workspace(Settings(cache_dir=begun(folder / "cache"), import_roots=(folder,)))
    return ws, DatasetSpec(name="own", own=tabled(folder / "pictures", ws.settings), n=N)


def test_values_are_those_of_the_images_by_their_names(made):
    ws, dataset = made
    found = columns_of(dataset, IDS, ws)
    assert dict(found.titles) == {"@height": "height"} and list(found.words) == ["@place"]
    np.testing.assert_array_equal(found.numbers["@height"], [7.5, np.nan, 0.0, np.nan if HEIGHTS[11] is None else 16.5, np.nan])
    assert found.words["@place"].values.tolist() == [NONE, "garden", "garden", NONE, "yard"]
    assert set(found.words["@place"].choices) == {"garden", "yard", NONE}
    assert columns_of(DatasetSpec(), IDS, ws) == columns.NO_COLUMNS
    assert row_of(dataset, "03.png", ws) == [("height", "–"), ("place", "garden")]
    assert row_of(dataset, "gone.png", ws) == [] == row_of(DatasetSpec(), "03.png", ws)


def test_images_are_filtered_and_sorted_by_them(made):
    ws, dataset = made
    all_ids = tuple(f"{at:02}.png" for at in range(N))
    numbers = known.Known(Stored(None, None), 0.1, ws, columns_of(dataset, all_ids, ws))
    view = MapView(filters=("@height~9.0~",), among=("@place~garden", f"@place~{NONE}"))
    expected = [HEIGHTS[at] is not None and HEIGHTS[at] >= 9 and PLACES[at] != "yard" for at in range(N)]
    np.testing.assert_array_equal(filters.within(view, numbers, N), expected)
    assert filters.within(MapView(), numbers, N) is None
    order = filters.order_by("@height", numbers.titles, numbers.number)
    assert order is not None and order[0] == 23 and {HEIGHTS[at] for at in order[-HEIGHTS.count(None) :]} == {None}
    with pytest.raises(DataError, match="column '@age' is not known"):
        filters.within(MapView(among=("@age~old",)), numbers, N)


def test_a_column_of_words_that_differ_everywhere_is_not_offered(made, monkeypatch):
    ws, dataset = made
    monkeypatch.setattr(columns, "MOST_CHOICES", 2)
    assert not columns_of(dataset, IDS, ws).words


def test_names_in_addresses_are_short_and_differ():
    same = "a" * 50
    names = columns._names({"x~y": [], f"{same}1": [], f"{same}2": []})
    assert list(names.values()) == ["x~y", f"{same}1", f"{same}2"] and len(set(names)) == 3
    assert all(len(name) <= 40 and "~" not in name for name in names)
