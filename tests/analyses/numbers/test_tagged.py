"""Tags as a filter: the same images in every draw of a set, a tag that nobody gave, and no library made by a question."""

import numpy as np
import pytest
from caches import begun
from recording import Recording

from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.map.views import Look
from ntkcore.analyses.numbers import filters
from ntkcore.analyses.numbers.tagged import Tagged
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.content import contents
from ntkcore.data.thumbnails import open_pack
from ntkcore.errors import DataError
from ntkcore.library import asking
from ntkcore.library.people import Person, local
from ntkcore.library.tags import Tags
from ntkcore.settings import Settings
from ntkcore.specs.map import MapSpec, MapView

SPEC = MapSpec.model_validate({"dataset": {"classes": ("3", "5"), "n": 30}, "test": 8})
ODD = MapView(among=("tag~odd",))


@pytest.fixture
def look(tmp_path):
    ws = Workspace(Settings(cache_dir=begun(tmp_path / "cache")))
    MAP.compute(SPEC, ws, Recording())
    yield Look.of(MAP.open(SPEC, ws), MapView(), ws)
    ws.library.close()


def content(look, *images):
    return [contents(open_pack(look.result.pack, look.ws.settings))[image] for image in images]


def test_tags_filter_every_draw_that_has_the_images(look):
    ws = look.ws
    assert look.tags.names() == () and not ws.library.begun
    with pytest.raises(DataError, match="No image has the tag 'odd'"):
        filters.within(ODD, look, 30)
    tags = Tags(ws.library)
    tags.put("odd", content(look, 2, 7), local("Ann"))
    tags.put("dark", content(look, 7, 29), local("Ann"))
    assert look.tags.names() == ("dark", "odd")
    assert np.flatnonzero(filters.within(ODD, look, 30)).tolist() == [2, 7]
    both = MapView(among=("tag~odd", "tag~dark"))
    assert np.flatnonzero(filters.within(both, look, 30)).tolist() == [2, 7, 29]
    fewer = Tagged("gone", SPEC.dataset.model_copy(update={"n": 9}), ws)  # whose thumbnails are made again
    assert np.flatnonzero(fewer.having(["dark", "odd"])).tolist() == [2, 7]


def test_a_private_tag_filters_for_its_owner_alone(look):
    asks = Person("local", "Ann", "labeller")
    Tags(look.ws.library).put("odd", content(look, 3), asks, visibility="private")
    with asking.on_behalf(asks):
        assert look.tags.names() == ("odd",) and asking.reader() == "local"
        assert np.flatnonzero(filters.within(ODD, look, 30)).tolist() == [3]
    with asking.on_behalf(Person("ben", "Ben", "labeller")), pytest.raises(DataError, match="may not see"):
        filters.within(ODD, look, 30)
