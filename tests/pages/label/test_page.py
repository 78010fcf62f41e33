"""The Label page without a browser: beginning, labelling, undoing, two people, and every state that has a message."""

import json

import numpy as np
import pytest
from recording import Recording
from reviews import REVIEWS, write_reviews
from visiting import button, opened, said, visitor

from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.label.export import labels_table
from ntkcore.data import import_images, import_texts, remove_own
from ntkcore.library import Labels
from ntkcore.specs.label import LabelSpec
from pages.shared.person import Person

HELD = "person.held"


def small(**told):
    dataset = {"n": 12, "classes": ("3", "8")} | told.pop("dataset", {})
    model, training = {"width": 8, "depth": 1}, {"epochs": 2}
    return LabelSpec.model_validate({"dataset": dataset, "model": model, "training": training, "start": 2, "held": 6} | told)


@pytest.fixture
def session(ws):
    """A session whose network is there."""
    made = sittings.begin(small(), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    return made


def sat(session, name="Ann", app=None, **query):
    """The page as somebody sees it who has typed their name."""
    app = app or visitor()
    app.session_state[HELD] = Person(name, name * 4)
    return opened(app, "label", session=session, **query)


def standing(ws, session):
    return Labels(ws.library).standing(session)


def item(app):
    """The item before the person."""
    return int(next(b.key for b in app.button if b.key and b.key.startswith("label_class_0")).split("_")[3])


def press(app, label):
    button(app, label).click().run()
    assert not app.exception, app.exception
    return app


def test_a_session_is_begun_and_its_network_made(app, ws):
    opened(app, "label")
    assert button(app, "Begin").disabled
    app.text_input(key="person.typed").set_value("  Ann ").run()
    app.number_input(key="label.n.digits").set_value(20).run()
    press(app, "Begin")
    (made,) = Labels(ws.library).sessions("label")
    assert made.author == "Ann" and app.query_params["session"] in (made.id, [made.id])
    assert any(b.label == "Cancel" for b in app.button)
    assert [job.kind for job in ws.jobs.list(5)] == [networks.KIND]
    press(opened(visitor(), "label"), "Open")


def test_labels_are_kept_at_once_and_survive_a_reload(ws, session):
    app = sat(session)
    first = item(app)
    assert "Why this one?" in [head.value for head in app.subheader] and "2 labelled" in said(app)
    press(app, "8")
    assert standing(ws, session).labels == {first: 1}
    second = item(app)
    assert second != first and "After your last answer" in said(app) and "3 labelled" in said(app)
    press(app, "Cannot tell")
    press(app, "Skip")
    assert [one.deed for one in standing(ws, session).decisions] == ["label", "cannot", "skip"]
    here = item(app)
    again = sat(session)
    assert item(again) == here and "3 labelled" in said(again)
    accept = next(b for b in again.button if b.label.startswith("Accept"))
    suggested = sittings.sit(Labels(ws.library).session(session), ws).moment.suggestion(here)[0]
    assert accept.label.startswith(f"Accept: {'38'[suggested]} ·")
    accept.click().run()
    found = standing(ws, session)
    assert found.labels[here] == suggested and found.current[here].told["suggested"] == suggested
    for left in (3, 2, 1, 0):
        press(again, "Undo")
        assert len(standing(ws, session).decisions) == left
    assert item(again) == first
    press(again, "Undo")
    assert "nothing left to undo" in said(again)


def test_two_people_get_different_items_and_overwrite_nothing(ws, session):
    ann, ben = sat(session), sat(session, "Ben")
    mine, theirs = item(ann), item(ben)
    assert mine != theirs
    Labels(ws.library).decide(session, mine, "label", "Cay", seen=None, label=0)
    press(ann, "8")
    assert standing(ws, session).labels == {mine: 0} and "Cay decided it meanwhile" in said(ann)
    press(ben, "8")
    assert standing(ws, session).labels == {mine: 0, theirs: 1}


def test_a_suggestion_can_be_hidden_and_buttons_stay(ws, session):
    app = sat(session)
    before = [b.label for b in app.button if not b.label.startswith("Accept")]
    app.toggle[0].set_value(False).run()
    assert not app.exception and not any(b.label.startswith("Accept") for b in app.button)
    assert [b.label for b in app.button if b.label != "Suggestion hidden"] == before
    press(app, "3")
    (kept,) = standing(ws, session).decisions
    assert kept.told["shown"] is False


def test_going_back_changes_a_label(ws, session):
    app = sat(session)
    first = item(app)
    press(app, "3")
    press(app, "Back")
    assert item(app) == first and "Labelled 3 by Ann" in said(app)
    press(app, "8")
    assert standing(ws, session).labels == {first: 1} and item(app) != first
    press(press(app, "Back"), "Forward")
    assert item(app) != first


def test_everything_labelled_is_a_state_and_so_is_what_others_have(ws, session):
    labels = Labels(ws.library)
    for one in range(2, 11):
        labels.decide(session, one, "label", "Ben", seen=None, label=one % 2)
    labels.claim(session, [11], "other", "Ben")
    app = sat(session)
    assert "Others have the last 1 item before them" in app.info[0].value
    labels.decide(session, 11, "label", "Ben", seen=None, label=0)
    app = sat(session)
    assert "Everything here is decided" in app.success[0].value
    assert "Everything here is decided" in sat(session, view="bulk").success[0].value


def test_a_network_is_retrained_announced_and_not_forced(ws, session):
    asked = sittings.suggesting(Labels(ws.library).session(session))
    for one in range(2, 12):
        Labels(ws.library).decide(session, one, "label", "Ben", seen=None, label=one % 2)
    app = sat(session)
    assert "being trained on 12 labels" in said(app)
    wanted = sittings.due(sittings.sit(Labels(ws.library).session(session), ws))
    ws.jobs.cancel(networks.key(wanted, ws))
    networks.compute(wanted, ws, Recording())
    app = sat(session)
    assert "New network with 12 labels: " in said(app) and sittings.suggesting(Labels(ws.library).session(session)) == asked
    press(app, "use it")
    assert sittings.suggesting(Labels(ws.library).session(session)) == wanted and "New network" not in said(sat(session))


def test_bulk_labels_all_that_is_ticked(ws, session):
    app = sat(session, view="bulk")
    groups = [b for b in app.button if b.key and b.key.startswith("label_bulk_")]
    assert [b.label for b in groups] == ["3", "8"] and "Only" in said(app)
    groups[1].click().run()
    assert not app.exception and len(found := standing(ws, session).labels) >= 1 and set(found.values()) == {1}


def test_classes_without_a_label_are_said(ws):
    made = sittings.begin(small(start=0), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    app = sat(made)
    assert "Nothing has a label yet" in said(app)
    press(app, "3")
    assert "All labels so far are of the class 3" in said(app)
    press(app, "8")
    assert "labels so far" not in said(app)
    more = sittings.begin(small(start=8, more=("neither",)), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(more)), ws, Recording())
    assert "No label yet is of the class neither" in said(sat(more))


def test_a_session_that_is_not_there_and_a_name_that_is_not(ws, session):
    app = opened(visitor(), "label", session="nothing")
    assert "no such labelling session" in app.error[0].value
    press(app, "All sessions")
    app = opened(visitor(), "label", session=session)
    assert app.text_input(key="person.typed") and not any(b.label == "Skip" for b in app.button)


def test_a_removed_data_set_is_said_and_its_labels_stay(ws, cache, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (10, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(10) % 2)
    own = import_images(tmp_path / "set.npz", cache, name="mine").content_id
    made = sittings.begin(small(dataset={"name": "own", "own": own, "classes": (), "n": 6}, held=2), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    press(sat(made), "1")
    remove_own(own, cache)
    app = sat(made)
    assert "not on this machine" in app.error[0].value and [b.label for b in app.get("download_button")] == ["Decisions (CSV)"]


@pytest.mark.parametrize("page", ["", "learnability", "jobs", "label"])
def test_a_damaged_library_is_said_on_every_page(ws, app, page):
    Labels(ws.library).begin("label", "x", {}, "Ann")
    ws.library.file.write_bytes(b"noise" * 5000)
    opened(app, page) if page else app.run()
    assert not app.exception and "library is damaged" in app.error[0].value
    assert ws.library.file.read_bytes() == b"noise" * 5000


def test_a_damaged_library_takes_no_label(ws, session):
    app = sat(session)
    sound = ws.library.file.read_bytes()
    ws.library.file.write_bytes(sound[: len(sound) // 2])
    press(app, "3")
    assert any("damaged" in item.value for item in app.error)
    ws.library.file.write_bytes(sound)
    assert not standing(ws, session).decisions


def test_a_set_without_labels_comes_from_your_data(ws, cache, tmp_path):
    texts = write_reviews(tmp_path / "texts.csv", [(text, "") for text, _ in REVIEWS[:12]])
    own = import_texts(texts, cache, name="Films", dimensions=4).content_id
    app = opened(visitor(), "images")
    assert button(app, "Explore").disabled and not button(app, "Label").disabled and not app.error
    app = visitor()
    app.session_state[HELD] = Person("Ann", "a" * 24)
    opened(app, "label", set=own)
    assert "12 of 12 have no label yet" in " ".join(item.value for item in app.caption)
    press(app, "Begin")
    assert "fewer than two classes" in app.error[0].value
    app.text_input(key=f"label.more.{own}").set_value("good, bad ,good").run()
    press(app, "Begin")
    (made,) = Labels(ws.library).sessions("label")
    networks.compute(sittings.suggesting(made), ws, Recording())
    app = sat(made.id)
    assert "Nothing has a label yet" in said(app) and "atlas-reader" in said(app)
    press(app, "bad")
    assert set(standing(ws, made.id).labels.values()) == {1} and "All labels so far are of the class bad" in said(app)


def test_a_set_with_a_few_labels_begins_with_them(ws, cache, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (12, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.array(["cat", "dog", "", "", "cat", *[""] * 7]))
    own = import_images(tmp_path / "set.npz", cache, name="mine").content_id
    made = sittings.begin(small(dataset={"name": "own", "own": own, "classes": ()}, held=0, start=0, practise=False), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    app = sat(made)
    assert "3 labelled" in said(app) and "9 left" in said(app) and "held out" not in plainly(app)
    for _ in range(3):
        press(app, "dog")
    table = labels_table(made, ws, sittings.sit(Labels(ws.library).session(made), ws).network)
    assert sorted(table["label"]) == ["cat", "cat", "dog", "dog", "dog", "dog"] and (table["decision"] == "came with it").sum() == 3


def test_two_labels_for_one_image_are_said(ws, cache, tmp_path):
    images = np.repeat(np.random.default_rng(0).integers(0, 255, (4, 8, 8)), 3, axis=0).astype(np.uint8)  # each three times
    np.savez(tmp_path / "set.npz", images=images, labels=np.array(["", *["cat", ""] * 5, "dog"]))
    own = import_images(tmp_path / "set.npz", cache, name="mine").content_id
    made = sittings.begin(small(dataset={"name": "own", "own": own, "classes": ()}, held=0, start=0, practise=False), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    app = sat(made)
    sitting = sittings.sit(Labels(ws.library).session(made), ws)
    twin = sittings.twin(sitting, item(app))
    assert int(sitting.network.ids[twin].split("/")[1]) // 3 == int(sitting.network.ids[item(app)].split("/")[1]) // 3
    given = sitting.network.class_names[sitting.moment.labels[twin]]
    assert f"The network cannot tell it from {sitting.network.ids[twin]}, which is labelled {given}" in said(app)
    press(app, "dog" if given == "cat" else "cat")  # they may be right: both are kept
    assert len(standing(ws, made).labels) == 1 and not app.error


def plainly(app):
    """The line above the item."""
    return next(item.proto.body for item in app.get("html") if "atlas-progress" in item.proto.body)


def test_a_note_is_kept_and_shown(ws, session):
    app = sat(session)
    here = item(app)
    button(app, "Note").click().run()
    app.text_area(key=f"label_note_text_{here}").set_value(" a <b>three</b>? ")
    press(app, "Keep")
    assert standing(ws, session).notes[here].note == "a <b>three</b>?" and standing(ws, session).labels == {}
    assert "Note: a &lt;b&gt;three&lt;/b&gt;?" in said(app) and item(app) == here


def test_bulk_overwrites_nothing_that_was_labelled_meanwhile(ws, session):
    app = sat(session, view="bulk")
    other = sittings.sit(Labels(ws.library).session(session), ws).moment.surest
    for one in other:
        Labels(ws.library).decide(session, one, "label", "Ben", seen=None, label=0)
    next(b for b in app.button if b.key == next(k.key for k in app.button if k.key and k.key.startswith("label_bulk_1"))).click().run()
    assert not app.exception and "Ben decided it meanwhile" in said(app)
    assert set(standing(ws, session).labels.values()) == {0}


def grid(app):
    """The items of the bulk view."""
    found = next(item.proto for item in app.get("bidi_component") if "-label_bulk." in item.proto.id)
    return {card[0] for card in json.loads(found.json)["items"]}


def test_two_people_get_different_items_in_bulk(ws):
    made = sittings.begin(small(dataset={"n": 100}), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(made)), ws, Recording())
    ann = sat(made, view="bulk")
    ben = sat(made, "Ben", view="bulk")
    assert grid(ann) and grid(ben) and not grid(ann) & grid(ben)
    alone = sat(made, "Cay")
    assert item(alone) not in grid(ann) | grid(ben)


def test_the_keys_are_listed(ws, session):
    for view in ("focus", "bulk"):
        assert "undo your last decision" in said(press(sat(session, view=view), "? Keys"))


def test_the_curve_takes_ten_labels(ws, session):
    app = sat(session)
    app.toggle(key="label_curve").set_value(True).run()
    assert not app.exception and any("ten labels" in one.value for one in app.caption)
    for one in range(2, 12):
        Labels(ws.library).decide(session, one, "label", "Ben", seen=None, label=one % 2)
    app = sat(session)
    app.toggle(key="label_curve").set_value(True).run()
    assert not app.exception and "as many drawn at random would give" in said(app)
    assert "Learning curve" in [head.value for head in app.subheader]
