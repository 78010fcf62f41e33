"""The basket on the server: filled by old links, the same in two tabs and on other pages, a saved analysis's own; without a browser."""

import pytest
import visiting
from recording import Recording
from visiting import button, sent, visitor

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map.analysis import MAP
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.map import MapSpec, MapView

SPEC = MapSpec.model_validate({"dataset": {"classes": ("3", "5"), "n": 30}, "test": 8})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        MAP.compute(SPEC, ws, Recording())
        INFLUENCE.compute(SPEC.influence, ws, Recording())
        yield ws


@pytest.fixture
def ws(computed):
    """Nothing is ticked yet."""
    yield computed
    computed.library.close()
    computed.library.file.unlink(missing_ok=True)


def opened(app, **fields):
    return visiting.opened(app, "map", **ADDRESSES["map"].write(SPEC, MapView.model_validate(fields)))


def kept(ws):
    return visiting.basket(ws, SPEC.dataset)


def ticked(app):
    return sent(app, "map_gallery")["ticked"]


def test_an_old_link_fills_it_and_the_address_carries_it_no_more(ws):
    app = opened(visitor(), basket=(1, 4))
    assert kept(ws) == (1, 4) == tuple(ticked(app)) and "basket" not in app.query_params and not app.toast
    assert ticked(opened(visitor())) == [1, 4]
    again = opened(visitor(), basket=(7,))
    assert kept(ws) == (7,) and "in place of yours, of 2" in again.toast[0].value
    assert "basket=7" in " ".join(item.value for item in again.code)


def test_two_pages_agree(ws):
    first = opened(visitor(), basket=(3, 5))
    other = visiting.opened(visitor(), "influence", **ADDRESSES["influence"].write(SPEC.influence))
    assert sent(other, "training_gallery")["ticked"] == [3, 5]
    button(other, "Empty").click().run()
    assert kept(ws) == () and ticked(first.run()) == []


def test_the_page_says_where_it_cannot_be_kept(ws):
    app = opened(visitor(), basket=(3,))
    assert not any("cannot be kept" in item.value for item in app.caption)
    ws.library.close()
    ws.library.file.write_bytes(b"no database")
    app.run()
    assert any("cannot be kept at the moment" in item.value for item in app.caption) and app.error
    assert app.query_params["basket"] == "3" and ticked(app) == [3] and not app.exception
