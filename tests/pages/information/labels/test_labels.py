"""The mislabelled question on the information page, without a browser: what is found, the review, and the study."""

import json
import re
from html import unescape
from urllib.parse import parse_qs

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.labels import kept, study, views
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.detection import SUSPICIONS, LabelsView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}, "test": 20})
CLEAN = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 24}, "test": 12})
LABELS = {"share": 0.25, "seeds": 2}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache with both analyses and a study; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        for spec in (SPEC, CLEAN):
            INFLUENCE.compute(spec, ws, Recording())
        study.DETECTION.compute(study.DETECTION.asked(CLEAN, view(labels=LABELS), ws), ws, Recording())
        yield ws, INFLUENCE.open(SPEC, ws)


def view(**fields):
    return InformationView.model_validate({"ask": "mislabelled", "ridge": 0.1} | fields)


def opened(spec=SPEC, **fields):
    return visiting.opened(visitor(), "information", **ADDRESSES["information"].write(spec, view(**fields)))


def plain(text):
    return re.sub(r"<[^>]+>|\u2060", "", text)


def cards(app):
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith("-labels_gallery"))
    return json.loads(found.json)["items"]


@pytest.fixture(autouse=True)
def _nothing_decided(computed):
    """Each test begins with a library in which nothing is decided."""
    ws, _ = computed
    ws.library.file.unlink(missing_ok=True)


def labels_of(computed):
    """What is decided, as the library has it."""
    ws, result = computed
    return kept.merged(LabelsView(), kept.standing(result, ws))


def test_known_flips_are_found_and_the_scores_compared(computed):
    ws, result = computed
    found = views.detections(Look(result, 0.1, np.inf, ws))
    app = opened()
    told = plain(said(app))
    one = found["information"]
    assert f"8 of 40 labels are flipped. Among the 8 images with the most unique information, {round(8 * one.precision.value)} are" in told
    assert f"ROC-AUC {one.auc.value:.3f}, 95 % interval {one.auc.low:.3f} to {one.auc.high:.3f}" in told
    for name, detection in found.items():
        for metric in views.METRICS:
            assert f"{getattr(detection, metric).value:.3f}" in told, name
    shown = {"Unique information of flipped and other images", "Found, against false alarms", "How many of those looked at are flipped"}
    assert shown <= set(titles(app)) and not app.error and not app.warning


def test_labels_as_they_are(computed):
    app = opened(CLEAN)
    told = plain(said(app))
    assert "which of them are wrong is not known" in told and "“Label noise”" in told
    assert "Found, against false alarms" not in titles(app)
    assert {item.value for item in app.header} >= {"Review the labels", "Would it find flipped labels?"}


def test_a_review_from_decision_to_export(computed):
    ws, result = computed
    found = reviews.review(Look(result, 0.1, np.inf, ws), "information", 100)
    first, second = (int(i) for i in found.queue[:2])
    app = opened()
    unseen = result.class_names[found.unseen[first]]
    assert f"Labelled {result.class_names[result.labels[first]]}; without seeing it, the network says {unseen}" in plain(said(app))
    assert [card[0] for card in cards(app)] == found.queue[:22].tolist()
    assert button(app, "Undo").disabled
    to = int(found.suggested[first])
    button(app, f"Relabel: {result.class_names[to]}").click().run()
    assert labels_of(computed).relabelled == ((first, to),) and app.query_params["labels-at"] == str(second)
    assert next(card for card in cards(app) if card[0] == first)[3] == f"→ {result.class_names[to]}"
    button(app, "Accept").click().run()
    button(app, "Reject").click().run()
    now = labels_of(computed)
    assert now.accepted == (second,) and now.rejected == (int(found.queue[2]),) and reviews.done(found, now) == 3
    worth = reviews.outcome(result, now)
    bar = app.get("progress")[0].proto.text
    assert "3 reviewed** of 40" in bar and f"of 8 flipped labels {worth.found} gone, {worth.restored} of them set right" in bar
    button(app, "Undo").click().run()
    assert labels_of(computed).rejected == () and app.query_params["labels-at"] == str(found.queue[2])
    assert not any("accepted" in name or "relabelled" in name for name in app.query_params)
    before, bar = labels_of(computed), app.get("progress")[0].proto.text
    again = visiting.opened(visitor(), "information", **app.query_params)  # another browser, which has nothing of its own to undo
    assert labels_of(computed) == before and again.get("progress")[0].proto.text == bar and button(again, "Undo").disabled
    assert not app.exception and not app.error


def test_moving_and_taking_back(computed):
    ws, result = computed
    found = reviews.review(Look(result, 0.1, np.inf, ws), "information", 100)
    queue = [int(i) for i in found.queue]
    app = opened(labels={"accepted": (queue[1],), "at": queue[1]})
    assert "Accepted: its label stays" in said(app) and "number 2 of 40" in said(app)
    assert any("This link carries 1 decision that" in item.value for item in app.caption)
    button(app, "Keep them here").click().run()
    assert labels_of(computed).accepted == (queue[1],) and "labels-accepted" not in app.query_params
    assert not any("carries" in item.value for item in app.caption) and "Accepted: its label stays" in said(app)
    button(app, "Accept").click().run()  # the same again takes it back
    assert labels_of(computed).accepted == () and app.query_params["labels-at"] == str(queue[1])
    button(app, "Next").click().run()
    assert app.query_params["labels-at"] == str(queue[2])
    button(app, "Previous").click().run()
    button(app, "Previous").click().run()
    assert app.query_params["labels-at"] == str(queue[0]) and button(app, "Previous").disabled
    other = next(c for c in range(3) if c not in (result.labels[queue[0]], found.suggested[queue[0]]))
    widget(app, "selectbox", "Other class").select(result.class_names[other]).run()
    button(app, f"Relabel: {result.class_names[other]}").click().run()
    assert labels_of(computed).relabelled == ((queue[0], other),)


def test_what_another_person_decided_is_shown_and_not_overwritten(computed):
    ws, result = computed
    found = reviews.review(Look(result, 0.1, np.inf, ws), "information", 100)
    first = int(found.queue[0])
    app = opened(labels={"rejected": (first,), "at": first})
    assert "Rejected: it is to be left out" in said(app)
    kept.keep(result, first, "accept", None, "Ben", None, ws)
    button(app, "Reject").click().run()  # takes the link's rejection back, without having seen Ben's
    assert labels_of(computed).accepted == (first,) and "Ben decided it meanwhile" in said(app)
    app = opened(labels={"rejected": (first,), "at": first})
    assert "Accepted: its label stays" in said(app) and "Decided by Ben" in said(app)


def test_another_ranking(computed):
    ws, result = computed
    app = opened()
    widget(app, "selectbox", "Ranked by").select(SUSPICIONS["self"]).run()
    found = reviews.review(Look(result, 0.1, np.inf, ws), "self", 100)
    assert app.query_params["labels-by"] == "self" and [card[0] for card in cards(app)] == found.queue[:22].tolist()
    widget(app, "selectbox", "Go through").select("the first 20").run()
    assert app.query_params["labels-first"] == "20" and "0 reviewed** of 20" in app.get("progress")[0].proto.text


def test_what_a_link_names_in_vain_is_said(computed):
    app = opened(labels={"at": 99, "accepted": (3, 70), "relabelled": ((5, 7),)})
    told = re.sub(r"\\(.)|\u2060", r"\1", app.warning[0].value)
    assert "no training image 99: they are 0 to 39" in told and "a class that does not exist: they are 0 to 2" in told
    assert "1 reviewed** of 40" in app.get("progress")[0].proto.text and not app.error


def test_the_study_is_shown_where_it_is_stored(computed):
    ws, _ = computed
    app = opened(CLEAN, labels=LABELS)
    pieces = study.DETECTION.open(study.DETECTION.asked(CLEAN, view(labels=LABELS), ws), ws)
    auc = next(one for one in views.measured(pieces) if (one.score, one.metric) == ("information", "auc"))
    assert (
        f"Over 2 draws, a flipped image carries more unique information than another one with a chance of {100 * auc.mean.value:.1f} %"
        in (plain(said(app)))
    )
    assert "Finding flipped labels, over the draws" in titles(app)
    for seed, accuracy in enumerate(pieces["accuracy"]):
        said_of_it = f"Seed {seed}: {100 * accuracy:.1f} % of the held-out images right"
        link = next(item.proto.body for item in app.get("html") if said_of_it in item.proto.body)
        address = parse_qs(unescape(re.search(r'href="\?([^"]*)"', link)[1]))
        spec, _ = ADDRESSES["information"].read({name: values if name == "classes" else values[0] for name, values in address.items()})
        assert spec == pieces.spec.draws[seed]


def test_the_study_is_offered_and_asked_for(computed):
    app = opened(CLEAN, labels={"share": 0.25, "seeds": 3})
    assert button(app, "Flip and find") and any("25 % of the labels are flipped in 3 draws of 24 images" in m.value for m in app.markdown)
    widget(app, "selectbox", "Draws").select(2).run()
    assert "Finding flipped labels, over the draws" in titles(app)
    few = opened(CLEAN, labels={"share": 0.02})
    assert any("Of 24 labels 0 would be flipped" in re.sub(r"\\(.)|\u2060", r"\1", item.value) for item in few.caption)
