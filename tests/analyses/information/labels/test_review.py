"""The review of labels: its scores and suggestions are what deletion gives, and its decisions are kept as they were made."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from deletion_oracle import brute, followed
from influence_oracle import RIDGE, each, moments

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.analyses.information.labels import views
from ntkcore.errors import DataError
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.detection import SUSPICIONS, LabelsView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView


def own(result, kernel, y, time):
    """Outputs (n, k) on each training image with all of them, and without it, by deletion."""
    rows, start = np.arange(len(kernel)), y - result.f_train
    whole = result.f_train + followed(kernel, kernel, start, RIDGE, [time])[time]
    return whole, whole + brute(kernel, kernel, start, RIDGE, time)[rows, rows]


def reviewed(ws, result, time=inf, by="information", first=100):
    return reviews.review(Look(result, RIDGE, time, ws), by, first)


@each
def test_scores_and_suggestions_are_those_of_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result)[:3]:
        whole, without = own(result, kernel, y, time)
        scores = views.suspicions(Look(result, RIDGE, time, ws))
        assert list(scores) == list(SUSPICIONS)
        loss, alone = np.square(whole - y).sum(1) / 2, np.square(without - y).sum(1) / 2
        # a contour integral or a system of condition 1e4 in float64, as for every influence
        np.testing.assert_allclose(scores["loss"], loss, rtol=0, atol=1e-8 * loss.max())
        np.testing.assert_allclose(scores["self"], alone - loss, rtol=0, atol=1e-8 * np.abs(alone - loss).max())
        off = np.sqrt(np.square(without - y).sum(1))
        np.testing.assert_allclose(scores["residual"], off, rtol=0, atol=1e-8 * off.max())
        moved = brute(kernel, result.k_test, y - result.f_train, RIDGE, time)
        information = np.square(moved).sum(2).mean(0) / 2
        np.testing.assert_allclose(scores["information"], information, rtol=0, atol=1e-8 * information.max())
        if y.shape[1] > 1:
            other = np.where(np.eye(y.shape[1], dtype=bool)[result.labels], -inf, whole).max(1)
            margin = whole[np.arange(len(whole)), result.labels] - other
        else:
            margin = 2 * (whole * y)[:, 0]
        np.testing.assert_allclose(scores["margin"], -margin, rtol=0, atol=1e-8 * np.abs(margin).max())
        diagonal = np.trace(kernel.diagonal(), axis1=0, axis2=1) / y.shape[1] if kernel.ndim == 4 else kernel.diagonal()
        np.testing.assert_allclose(scores["k_xx"], diagonal, rtol=1e-6)
        found = reviewed(ws, result, time)
        np.testing.assert_allclose(found.outputs, without, rtol=0, atol=1e-8 * np.abs(without).max())
        assert np.array_equal(found.order, np.argsort(-scores["information"], kind="stable"))
        assert np.array_equal(found.unseen, classes(without)) and np.array_equal(found.predicted, classes(whole))
        assert (found.suggested != result.labels).all()
        differs = found.unseen != result.labels
        assert np.array_equal(found.suggested[differs], found.unseen[differs])


def test_scores_piece_by_piece_are_the_same(made):
    ws, result, _, _ = made("pseudo")
    told = []
    whole = views.suspicions(Look(result, RIDGE, 2.5, ws))
    ws.hot.clear()
    pieces = views.suspicions(Look(result, RIDGE, 2.5, ws), progress=lambda done, of: told.append((done, of)))
    np.testing.assert_allclose(pieces["information"], whole["information"], rtol=1e-12)
    assert told == [(0, 7)]


def test_the_flipped_labels_are_what_is_found(made):
    ws, result, _, _ = made("two-layer")
    found = views.detections(Look(result, RIDGE, inf, ws))
    truth = views.flipped(result)
    scores = views.suspicions(Look(result, RIDGE, inf, ws))
    for name, one in found.items():
        pairs = scores[name][truth][:, None] - scores[name][~truth]
        assert one.flipped == truth.sum() == 3
        assert one.auc.value == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)
    assert found["k_xx"].auc.value == 0.5  # the two-layer kernel's diagonal ranks nothing
    best = views.best(found)
    assert all(found[best].auc.value >= one.auc.value for one in found.values())
    assert set(views.curve_table(found, "roc")["score"]) == set(SUSPICIONS.values())
    said = INFORMATION.answer(result, InformationView(ask="mislabelled", ridge=RIDGE), ws)
    assert said[0] == "3 of 16 labels are flipped." and f"(ROC-AUC {found['information'].auc.value:.3f}, 95 % interval" in said[2]
    assert len(said) == (3 if best == "information" else 4)
    histogram = views.histogram(scores["information"], truth)
    assert histogram.flipped.sum() == pytest.approx(1) and histogram.others.sum() == pytest.approx(1) and histogram.none == 0
    assert len(views.histogram_table(histogram)) == views.BINS


def test_a_histogram_of_nothing() -> None:
    found = views.histogram(np.zeros(5), np.arange(5) == 1)
    assert found.none == 5 and found.flipped.sum() == found.others.sum() == 0
    one = views.histogram(np.array([0.0, 2.0, 2.0]), np.array([False, False, True]))
    assert one.none == 1 and one.flipped.sum() == 1 and one.others.sum() == 0.5


def test_without_flips_there_is_nothing_to_find(made):
    ws, result, _, _ = made("binary")
    clean = replace(result, labels=result.true_labels, key="clean")
    with pytest.raises(DataError, match="no label is flipped"):
        views.detections(Look(clean, RIDGE, inf, ws))
    other = (reviewed(ws, clean).unseen != clean.labels).sum()
    said = INFORMATION.answer(clean, InformationView(ask="mislabelled", ridge=RIDGE), ws)
    assert "not known" in said[0] and said[1].startswith(f"{other} of {len(clean.labels)} images are taken for another class")


def test_decisions_replace_each_other_and_are_written_in_the_address():
    labels = LabelsView()
    for image, deed, label in ((7, "accept", None), (3, "relabel", 2), (5, "reject", None), (4, "relabel", 0), (7, "reject", None)):
        labels = reviews.decided(labels, image, deed, label)
    assert (labels.accepted, labels.rejected, labels.relabelled) == ((), (5, 7), ((3, 2), (4, 0)))
    assert reviews.decision(labels, 3) == ("relabel", 2) and reviews.decision(labels, 5) == ("reject", None)
    assert reviews.decision(labels, 0) is None and reviews.images_decided(labels).tolist() == [3, 4, 5, 7]
    view = InformationView(labels=labels)
    query = ADDRESSES["information"].write(InfluenceSpec(), view)
    assert query["labels-relabelled"] == "0~4.2~3" and query["labels-rejected"] == "5,7"
    assert ADDRESSES["information"].read(query)[1] == view
    assert reviews.decided(labels, 3, None).relabelled == ((4, 0),)


def test_the_review_goes_on_with_the_next_that_is_open(made):
    ws, result, _, _ = made("two-layer")
    found = reviewed(ws, result, first=5)
    queue = found.queue.tolist()
    assert len(queue) == 5 and len(reviewed(ws, result, first=0).queue) == 16
    labels = LabelsView(first=5)
    assert reviews.shown(found, labels) == queue[0] and reviews.done(found, labels) == 0
    labels = reviews.decided(labels, queue[0], "accept")
    assert reviews.shown(found, labels) == queue[1] == reviews.following(found, labels, queue[0])
    assert reviews.shown(found, labels.model_copy(update={"at": queue[3]})) == queue[3]
    labels = reviews.decided(labels, queue[4], "reject")
    assert reviews.following(found, labels, queue[4]) == queue[1]  # from the start again
    outside = int(found.order[-1])
    assert reviews.following(found, labels, outside) == queue[1]
    for image in queue:
        labels = reviews.decided(labels, image, "accept")
    assert reviews.done(found, labels) == 5 and reviews.following(found, labels, queue[2]) == queue[2]
    assert reviews.shown(found, labels) == queue[0]
    by_loss = reviewed(ws, result, by="loss")
    assert np.array_equal(by_loss.order, np.argsort(-by_loss.scores["loss"], kind="stable"))


def test_the_corrected_labels(made):
    _, result, _, _ = made("two-layer")
    names = result.class_names
    labels = LabelsView(accepted=(0,), rejected=(2,), relabelled=((4, (int(result.labels[4]) + 1) % 3),))
    decisions = reviews.decisions_table(result, labels)
    assert list(decisions.columns) == ["image", "id", "given_label", "decision", "new_label"]
    given = [names[result.labels[i]] for i in (0, 2, 4)]
    assert decisions["given_label"].tolist() == given and decisions["decision"].tolist() == ["accepted", "rejected", "relabelled"]
    assert decisions["new_label"].tolist() == [given[0], "", names[(result.labels[4] + 1) % 3]]
    whole = reviews.labels_table(result, labels)
    assert whole["id"].tolist() == list(result.ids) and (whole["decision"] == "").sum() == 13
    untouched = whole["decision"] == ""
    assert (whole["given_label"] == whole["new_label"])[untouched].all()


def test_what_the_decisions_were_worth(made):
    _, result, _, _ = made("two-layer")
    truth = views.flipped(result)
    flipped, right = np.flatnonzero(truth), np.flatnonzero(~truth)
    true = int(result.true_labels[flipped[0]])
    other = (int(result.labels[right[0]]) + 1) % 3
    labels = LabelsView(
        accepted=(int(right[1]),), rejected=(int(flipped[1]),), relabelled=((int(flipped[0]), true), (int(right[0]), other))
    )
    assert reviews.outcome(result, labels) == reviews.Outcome(decided=4, found=2, flipped=3, restored=1, wronged=1)


def test_what_a_link_names_in_vain(made):
    _, result, _, _ = made("two-layer")
    labels = LabelsView(at=99, accepted=(1, 77), relabelled=((2, 0), (3, 9)))
    said = reviews.missing_from(result, labels)
    assert "no training image 99: they are 0 to 15" in said and "images decided do not exist" in said and "0 to 2" in said
    assert reviews.known(result, labels) == LabelsView(accepted=(1,), relabelled=((2, 0),))
    assert reviews.missing_from(result, LabelsView(accepted=(1,))) == ""


def test_a_decision_in_two_ways_is_refused():
    with pytest.raises(ValueError, match="image 3 is decided in two ways"):
        LabelsView(accepted=(3,), relabelled=((3, 1),))
