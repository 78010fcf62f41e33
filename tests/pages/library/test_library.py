"""Saving on a page, the short address, the difference in it, versions, and the library with its trash; without a browser."""

import html

import pytest
import visiting
from recording import Recording
from small_analyses import SMALL
from streamlit.util import calc_hash
from visiting import button, said, told, visitor, widget

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.sharing import saving
from ntkcore.library import Saved
from ntkcore.library.people import local
from ntkcore.library.shelf import Wanted, shelf
from ntkcore.permalink import ADDRESSES

SPEC, _ = ADDRESSES["learnability"].read(SMALL["learnability"])


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        LEARNABILITY.compute(SPEC, ws, Recording())
        yield ws


@pytest.fixture
def ws(computed):
    """No analysis is saved yet."""
    yield computed
    computed.library.close()
    computed.library.file.unlink(missing_ok=True)


def line(app):
    return html.unescape(next(text for item in app.get("html") if "aved" in (text := item.proto.body) and "atlas-quiet" in text))


def saved_on_a_page(app, title="Easy ones", **view):
    visiting.opened(app, "learnability", **ADDRESSES["learnability"].write(SPEC, ADDRESSES["learnability"].view(**view)))
    assert "Not saved" in line(app)
    button(app, "Save").click().run()
    widget(app, "text_input", "Title").set_value(title)
    widget(app, "text_input", "Your name").set_value("Ann")
    app.button(key="save.do").click().run()
    assert not app.exception and not app.error
    return app


def test_an_analysis_is_saved_and_opens_by_its_short_address_elsewhere(ws):
    app = saved_on_a_page(visitor(), hard=20)
    reference = app.query_params["a"]
    assert "Saved as “Easy ones”, version 1 by Ann" in line(app) and "changed" not in line(app) and list(app.query_params) == ["a"]
    other = visiting.opened(visitor(), "open", a=reference.split("-")[0].lower())
    assert other.query_params["a"] == reference and "Saved as “Easy ones”" in line(other)
    assert widget(other, "slider", "Hard: lowest k(x,x)").value == 20.0
    other._page_hash = calc_hash("learnability")  # where a browser is now
    widget(other, "slider", "Hard: lowest k(x,x)").set_value(30.0).run()
    assert dict(other.query_params) == {"a": reference, "hard": "30.0"} and "changed since: hard 20 → 30" in line(other)
    reader = visiting.opened(visitor(), "learnability", a=reference, hard="30.0")
    assert widget(reader, "slider", "Hard: lowest k(x,x)").value == 30.0 and "hard 20 → 30" in line(reader)
    button(reader, "Revert").click().run()
    assert dict(reader.query_params) == {"a": reference} and widget(reader, "slider", "Hard: lowest k(x,x)").value == 20.0


def test_versions_are_kept_and_one_can_go_back(ws):
    app = saved_on_a_page(visitor())
    code = app.query_params["a"].split("-")[0]
    button(app, "Save").click().run()
    assert "Nothing has changed" in app.toast[0].value
    widget(app, "slider", "Hard: lowest k(x,x)").set_value(30.0).run()
    button(app, "Save").click().run()
    assert "Version 2 is kept" in app.toast[0].value and app.query_params["a"] == f"{code}-2" and "version 2 by Ann" in line(app)
    old = visiting.opened(visitor(), "learnability", a=f"{code}-1")
    assert "version 1 of 2" in line(old) and widget(old, "slider", "Hard: lowest k(x,x)").value == 10.0
    button(old, "Versions").click().run()
    assert "hard 10 → 30" in told(old) and "shown here" in told(old)
    old.button(key="version_back_1").click().run()
    assert old.query_params["a"] == f"{code}-3" and Saved(ws.library).version(code, local("Ben")).content.view["hard"] == 10.0


def test_the_library_finds_throws_away_and_restores(ws):
    code = saved_on_a_page(visitor()).query_params["a"].split("-")[0]
    app = visiting.opened(visitor(), "library")
    assert "Easy ones" in said(app) and "1 saved analysis" in said(app) and "<img" in said(app)
    widget(app, "text_input", "Search").set_value("nowhere").run()
    assert "Nothing saved has all of this" in told(app)
    widget(app, "text_input", "Search").set_value("easy ANN digits").run()
    assert "1 saved analysis" in said(app)
    app.button(key=f"saved_trash_{code}").click().run()
    assert "Nothing saved has all of this" in told(app) and shelf(ws.library, local(""), Wanted(scope="trash")).count == 1
    widget(app, "button_group", "Whose").set_value("trash").run()
    app.button(key=f"saved_restore_{code}").click().run()
    widget(app, "button_group", "Whose").set_value("all").run()
    app.button(key=f"saved_open_{code}").click().run()
    assert not app.exception and app.query_params["a"] == f"{code}-1" and "Saved as “Easy ones”" in line(app)


def test_an_address_that_leads_nowhere_says_so(ws):
    app = visiting.opened(visitor(), "open", a="2222")
    assert "no such saved analysis" in app.error[0].value
    assert "7Q2M" in told(visiting.opened(visitor(), "open"))
    app = visiting.opened(visitor(), "learnability", a="2222")
    assert "no such saved analysis" in app.error[0].value and button(app, "Start from the defaults")
    reference = saved_on_a_page(visitor()).query_params["a"]
    app = visiting.opened(visitor(), "influence", a=reference)
    assert "page Learnability" in app.error[0].value


def test_notes_are_kept_on_an_analysis_and_answered(ws):
    app = saved_on_a_page(visitor())
    button(app, "Notes").click().run()
    app.text_area(key=f"note.text.analysis.{app.query_params['a'].split('-')[0]}").set_value("Look at the 8s & 9s")
    app.button(key="note.keep.analysis").click().run()
    assert not app.exception and not app.error and "Look at the 8s &amp; 9s" in said(app)
    other = visiting.opened(visitor(), "learnability", a=app.query_params["a"])
    button(other, "Notes: 1").click().run()
    app_text = next(area for area in other.text_area if area.key.startswith("note.text.analysis.1."))
    app_text.set_value("All of them?")
    other.button(key="note.keep.analysis.1").click().run()
    assert not other.error and "All of them?" in said(other) and "atlas-answer" in said(other)
    assert "2 notes" in said(visiting.opened(visitor(), "library"))
    button(other, "Remove").click().run()
    assert "8s" not in said(other) and "All of them?" in said(other)


def test_an_image_has_its_notes_and_tags_wherever_it_is_shown(ws):
    query = ADDRESSES["learnability"].write(SPEC, ADDRESSES["learnability"].view(image=3, gallery="all"))
    app = visiting.opened(visitor(), "learnability", **query)
    widget(app, "toggle", "Notes on this image").set_value(True).run()
    next(area for area in app.text_area if area.key.startswith("note.text.image.")).set_value("smudged")
    app.button(key="note.keep.image").click().run()
    widget(app, "multiselect", "Tags").set_value(["odd"]).run()
    assert not app.exception and not app.error and "smudged" in said(app)
    seed, n = SPEC.dataset.seed, SPEC.dataset.n - 10
    fewer = SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"n": n, "seed": seed})})
    LEARNABILITY.compute(fewer, ws, Recording())
    again = visiting.opened(visitor(), "learnability", **ADDRESSES["learnability"].write(fewer, ADDRESSES["learnability"].view(image=3)))
    assert "smudged" in said(again) and widget(again, "multiselect", "Tags").value == ["odd"]
    widget(again, "multiselect", "Tags").set_value([]).run()
    last = visiting.opened(visitor(), "learnability", **query)
    assert widget(last, "multiselect", "Tags").value == []


def test_a_note_shows_the_images_that_it_mentions(ws):
    query = ADDRESSES["learnability"].write(SPEC, ADDRESSES["learnability"].view(image=3, gallery="all"))
    app = visiting.opened(visitor(), "learnability", **query)
    widget(app, "toggle", "Notes on this image").set_value(True).run()
    next(area for area in app.text_area if area.key.startswith("note.text.image.")).set_value("as #5 and #7, not #5000")
    app.button(key="note.keep.image").click().run()
    note = next(item.proto.body for item in app.get("html") if 'class="atlas-note"' in item.proto.body)
    assert 'alt="image 5"' in note and 'alt="image 7"' in note and note.count("<img") == 2 and not app.exception


def test_a_note_on_a_charts_point_opens_there_again(ws):
    address = ADDRESSES["convergence"]
    spec, _ = address.read(SMALL["convergence"])
    CONVERGENCE.compute(spec, ws, Recording())
    point = (8, 0, 0)
    app = visiting.opened(visitor(), "convergence", **address.write(spec, address.view(point=point)))
    assert any("save it first" in item.value for item in app.caption)
    beside = address.write(spec, address.view(point=point), (spec, address.view()))
    kept = saving.save("convergence", spec, address.view(), local("Ann"), ws, title="Widths")
    app = visiting.opened(visitor(), "convergence", a=kept.version.reference, **beside)
    widget(app, "toggle", "Notes on this point").set_value(True).run()
    next(area for area in app.text_area if area.key.startswith("note.text.point.")).set_value("not near yet")
    app.button(key="note.keep.point").click().run()
    assert not app.exception and not app.error and "not near yet" in said(app)
    other = visiting.opened(visitor(), "convergence", a=kept.version.reference)
    button(other, "Notes: 1").click().run()
    next(item for item in other.button if "point 8 · 0 · 0" in item.label).click().run()
    assert "Width 8, seed 0, at initialisation" in [item.value for item in other.subheader] and "not near yet" in said(other)


def test_a_view_is_kept_under_a_name_opened_renamed_and_removed(ws):
    address = ADDRESSES["learnability"]
    app = visiting.opened(visitor(), "learnability", **address.write(SPEC, address.view(hard=20.0, gallery="all", order="learned")))
    widget(app, "text_input", "Keep this view as").set_value("Learned late")
    app.button(key="views.keep").click().run()
    assert not app.exception and not app.error
    other = visiting.opened(visitor(), "learnability", **address.write(SPEC, address.view(basket=(2,))))
    button(other, "Learned late").click().run()
    query = dict(other.query_params)
    assert (query["hard"], query["show"], query["order"]) == ("20.0", "all", "learned") and not other.exception and not other.error
    assert visiting.basket(ws, SPEC.dataset) == (2,)  # what is ticked is no view
    widget(other, "text_input", "Name").set_value("Late")
    button(other, "Rename").click().run()
    assert button(other, "Late")
    button(other, "Remove").click().run()
    assert not other.exception and not any(item.label == "Late" for item in other.button)
    other.button(key="views.keep").click().run()
    assert "needs a name" in other.error[0].value
