"""The map without a browser: what it draws, the gallery's order and filters, the inspector, bad addresses."""

import numpy as np
import pytest
import visiting
from recording import Recording
from tabled import HEIGHTS, PLACES, tabled
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.numbers.columns import NONE
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.map import MapSpec, MapView

SPEC = MapSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}, "test": 12})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which the map and its influence analysis are computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC.influence, ws, Recording())
        MAP.compute(SPEC, ws, Recording())
        yield ws, MAP.open(SPEC, ws)


def opened(**fields):
    return visiting.opened(visitor(), "map", **ADDRESSES["map"].write(SPEC, MapView.model_validate(fields)))


@pytest.mark.parametrize(("query", "words"), [({"plane": "round"}, "plane"), ({"x": "0"}, "x"), ({"filters": ["loss"]}, "NAME~LOW~HIGH")])
def test_a_wrong_address_is_explained(app, query, words):
    visiting.opened(app, "map", **(ADDRESSES["map"].write(SPEC) | query))
    assert words in app.error[0].value.replace("\\", "")
    button(app, "Start from the defaults").click().run()
    assert not app.error


def test_planes_colours_and_axes_are_in_the_address(computed):
    app = opened()
    assert "How the network sees them" in titles(app) and "40 of 40 images" in titles(app)
    assert "of the centred kernel’s trace" in said(app) and not app.error and not app.warning
    widget(app, "button_group", "Plane").set_value("neighbours").run()
    assert app.query_params["plane"] == "neighbours" and "neighbour embedding keeps" in said(app)
    widget(app, "selectbox", "Points are coloured by").set_value("information").run()
    assert app.query_params["colour"] == "information" and not app.exception and not app.info
    widget(app, "toggle", "Distortion").set_value(True).run()
    assert app.query_params["kept"] == "1" and not app.exception


def test_points_and_what_is_drawn_beside_them_are_in_the_address(computed):
    app = opened()
    widget(app, "selectbox", "Points are sized by").set_value("apart").run()
    widget(app, "toggle", "Held-out images").set_value(True).run()
    widget(app, "toggle", "Lines of equal density").set_value(False).run()
    assert (app.query_params["sized"], app.query_params["held"], app.query_params["contours"]) == ("apart", "1", "0")
    assert not app.exception and not app.info and "40 training images, 12 held out" in said(app)
    query = {name: app.query_params[name] for name in app.query_params if name != "classes"} | {"classes": ["3", "5", "8"]}
    assert ADDRESSES["map"].read(query) == (SPEC, MapView(sized="apart", held=True, contours=False))


def test_a_number_that_is_not_known_here_is_said_and_the_map_stays(computed):
    app = opened(colour="learned")
    assert any("not known" in item.value for item in app.info) and "How the network sees them" in titles(app)


def test_selected_images_and_all_again(computed):
    app = opened(picked=(1, 2, 3))
    assert "3 of 40 images" in titles(app)
    button(app, "Show all again").click().run()
    assert "picked" not in app.query_params and "40 of 40 images" in titles(app)


def test_filters_have_histograms_and_chips_that_take_them_off(computed):
    _, result = computed
    middle = float(np.median(result.diagonal + result.distances[:, 9]))
    app = opened(filters=(f"apart~{np.median(result.distances[:, 9])}~",), only=("3",))
    assert middle and any("distance to the tenth nearest ≥" in b.label.replace("\\", "") for b in app.button)
    shown = int(((result.distances[:, 9] >= np.median(result.distances[:, 9])) & (result.labels == 0)).sum())
    assert f"{shown} of 40 images" in titles(app)
    widget(app, "toggle", "Filters").set_value(True).run()
    assert not app.exception
    next(b for b in app.button if "tenth nearest" in b.label).click().run()
    assert "filters" not in app.query_params and not app.exception


def test_the_tables_columns_colour_and_filter(computed, tmp_path):
    ws, _ = computed
    spec = MapSpec.model_validate({"dataset": {"name": "own", "own": tabled(tmp_path / "own", ws.settings), "n": 16}, "test": 6})
    MAP.compute(spec, ws, Recording())
    ids = [int(name[:2]) for name in MAP.open(spec, ws).ids]
    app = visiting.opened(visitor(), "map", **ADDRESSES["map"].write(spec, MapView(order="-@height")))
    known = [at for at in range(16) if HEIGHTS[ids[at]] is not None]
    assert visiting.shown(app, "map_gallery")[: len(known)] == sorted(known, key=lambda at: HEIGHTS[ids[at]])
    for colour in ("@height", "@place"):
        widget(app, "selectbox", "Points are coloured by").set_value(colour).run()
        assert app.query_params["colour"] == colour and not app.exception and not app.info and not app.warning
    widget(app, "toggle", "Filters").set_value(True).run()
    widget(app, "multiselect", "place").set_value(["garden", NONE]).run()
    garden = [at for at in range(16) if PLACES[ids[at]] != "yard"]
    assert app.query_params["among"] == ["@place~garden", f"@place~{NONE}"] and set(visiting.shown(app, "map_gallery")) == set(garden)
    next(b for b in app.button if b.label.startswith("place")).click().run()
    assert "among" not in app.query_params and not widget(app, "multiselect", "place").value
    app = visiting.opened(visitor(), "map", **ADDRESSES["map"].write(spec, MapView(image=3)))
    widget(app, "toggle", "This image on every page").set_value(True).run()
    assert "From the table that the set came with" in said(app) and (PLACES[ids[3]] or "–") in said(app)


def test_more_like_this(computed):
    app = opened(image=5, picked=(1, 2))
    button(app, "More like this").click().run()
    assert app.query_params["like"] == "5" and "picked" not in app.query_params and "image" not in app.query_params
    assert "most like image 5 first" in said(app)
    button(app, "Sort as before").click().run()
    assert "like" not in app.query_params


def test_the_inspector_has_every_number_and_opens_the_image_elsewhere(computed):
    ws, result = computed
    app = opened(image=5, basket=(5, 7))
    assert "unique information F-SI" in said(app) and result.ids[5] in said(app)
    widget(app, "toggle", "This image on every page").set_value(True).run()
    assert INFLUENCE.title(SPEC.influence, ws) in said(app) and not app.exception
    button(app, "Information").click().run()
    assert not app.exception and app.title[0].value == "Information"
    assert app.query_params["image"] == "5" and visiting.basket(ws, SPEC.dataset) == (5, 7) and app.query_params["n"] == "40"
    assert ADDRESSES["information"].read(dict(app.query_params.items()))[0] == InfluenceSpec.model_validate(SPEC.model_dump())


def test_what_a_link_names_that_is_not_there_is_said(computed):
    app = opened(image=4000, only=("bird",), basket=(4000,), like=3000)
    said_ = app.warning[0].value.replace("\\", "")
    assert all(words in said_ for words in ("no training image 4,000", "3,000", "no class bird", "do not exist here"))
