"""Tags for many images at once from a gallery, and the filter by them in the address; without a browser."""

import pytest
import visiting
from recording import Recording
from visiting import button, said, shown, told, visitor, widget

from ntkcore.analyses.map.analysis import MAP
from ntkcore.data.content import contents
from ntkcore.data.thumbnails import open_pack
from ntkcore.library import asking
from ntkcore.library.people import LOCAL, Person, local
from ntkcore.library.tags import Tags
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.map import MapSpec, MapView

SPEC = MapSpec.model_validate({"dataset": {"classes": ("3", "5"), "n": 30}, "test": 8})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        MAP.compute(SPEC, ws, Recording())
        yield ws


@pytest.fixture
def ws(computed):
    """Nothing is tagged yet."""
    yield computed
    asking.ask_by(None)
    computed.library.close()
    computed.library.file.unlink(missing_ok=True)


def opened(app, **fields):
    return visiting.opened(app, "map", **ADDRESSES["map"].write(SPEC, MapView.model_validate(fields)))


def ask(app, **said):
    """What a gallery's browser says when T is pressed."""
    app.session_state["tagging.asked"] = ("map_gallery", 1, said)
    app.run()
    assert not app.exception
    return app


def tagged(ws, name):
    found = contents(open_pack(MAP.open(SPEC, ws).pack, ws.settings))
    return [image for image, content in enumerate(found) if content in Tags(ws.library).tagged(name, local(""))]


def test_ticked_selected_or_one_image_are_tagged_and_found_by_it(ws):
    app = ask(opened(visitor(), picked=(1, 2, 3)), ids=[4, 9, 11], at=5)
    assert widget(app, "button_group", "Which").options == ["3 ticked", "3 selected in the chart", "image 5"]
    widget(app, "text_input", "Tag").set_value(" Odd ones")
    button(app, "Tag 3 images").click().run()
    assert not app.exception and not app.error and tagged(ws, "odd ones") == [4, 9, 11]
    assert "3 images more" in app.toast[0].value and "Tag 3 images" not in [b.label for b in app.button]  # closed
    ask(app, ids=[], at=5)
    widget(app, "button_group", "Which").set_value("one").run()
    app.button(key="tagging.give.odd ones").click().run()
    assert tagged(ws, "odd ones") == [4, 5, 9, 11]
    widget(app, "toggle", "Filters").set_value(True).run()
    button(app, "Show all again").click().run()
    widget(app, "multiselect", "Tags").set_value(["odd ones"]).run()
    assert app.query_params["among"] == "tag~odd ones" and sorted(shown(app, "map_gallery")) == [4, 5, 9, 11]
    other = opened(visitor(), among=("tag~odd ones",))
    assert sorted(shown(other, "map_gallery")) == [4, 5, 9, 11] and other.button(key="map_chip_tag")
    ask(other, ids=[4, 9], at=4)
    other.button(key="tagging.off.odd ones").click().run()
    assert tagged(ws, "odd ones") == [5, 11]


@pytest.mark.parametrize("among", ["tag~", "tag", "~odd", "tag~" + "x" * 50])
def test_a_damaged_address_or_a_tag_that_nobody_gave_is_said(ws, among):
    app = visiting.opened(visitor(), "map", **(ADDRESSES["map"].write(SPEC) | {"among": [among]}))
    said_of = "NAME~WORD" if among in ("tag~", "tag", "~odd") else "No image has the tag"
    assert said_of in told(app).replace("\\", "")
    if said_of != "NAME~WORD":
        app.button(key="map_chip_tag").click().run()
        assert "among" not in app.query_params and not app.info


def test_nothing_is_tagged_by_an_empty_name_or_without_an_image(ws):
    app = ask(opened(visitor()), ids=[1], at=1)
    widget(app, "text_input", "Tag").set_value("  ")
    button(app, "Tag 1 image").click().run()
    assert "A tag needs a name" in app.error[0].value
    assert "No image is ticked" in ask(opened(visitor()), ids=[], at=None).error[0].value


class As:
    def __init__(self, role) -> None:
        self._person = Person(LOCAL, "Ann", role)

    def reader(self):
        return LOCAL

    def person(self):
        return self._person


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("labeller", True)])
def test_a_viewer_sees_tags_and_gives_none(ws, role, may):
    first = contents(open_pack(MAP.open(SPEC, ws).pack, ws.settings))[0]
    Tags(ws.library).put("<odd>", [first], local("Ben"))
    asking.ask_by(As(role))
    app = opened(visitor(), image=0)
    assert visiting.sent(app, "map_gallery")["tag"] is may
    assert ("Tags: &lt;odd&gt;" in said(app)) is not may and (len([m for m in app.multiselect if m.label == "Tags"]) == 1) is may
