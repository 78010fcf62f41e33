"""Copies that were put in are found, and nothing else: by their bytes, as pictures, by a network; leaks; and what goes on without them."""

import numpy as np
import pytest
from copied import COPIES, KINDS, brought
from recording import Recording
from reviews import REVIEWS, write_reviews

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.duplicates.kernels import known_kernels
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_texts, load_dataset
from ntkcore.specs import DatasetSpec
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec

WHOLE = KINDS + len(COPIES)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.fixture
def own(tmp_path, cache):
    return brought(tmp_path, cache)


def computed(ws, own, n=WHOLE, test=0, **told):
    spec = DuplicatesSpec(dataset=DatasetSpec(name="own", own=own, n=n, **told), test=test)
    DUPLICATES.compute(spec, ws, Recording())
    return DUPLICATES.open(spec, ws)


def found(result, ws, **view):
    return views.copies(result, DuplicatesView.model_validate(view), ws)


def numbered(copies, group):
    """The images of a group by their numbers in the set."""
    return {int(copies.result.places[image]) for image in group.images}


def test_the_copies_are_found_and_judged(ws, own):
    result = computed(ws, own)
    copies = found(result, ws)
    told = {frozenset(numbered(copies, group)): (group.how, group.contradictory, group.leak) for group in copies.groups}
    assert told == {
        frozenset({5, 22}): ("bytes", True, False),
        frozenset({3, 20, 21}): ("bytes", False, False),
        frozenset({7, 23}): ("picture", False, False),
        frozenset({9, 24}): ("picture", False, False),
    }
    assert copies.groups[0].contradictory and len(copies.groups[1].images) == 3 and len(copies.gone) == 5
    assert all(group.kept == group.images[0] or group.contradictory for group in copies.groups)
    said = DUPLICATES.answer(result, DuplicatesView(), ws)
    assert said[0] == "4 groups of copies among 25 images: 1 with labels that contradict each other."
    assert said[1].startswith("Of the groups, 2 the same bytes and 2 the same picture.") and "is to leave out 5 images." in said[1]
    table = DUPLICATES.table(result, DuplicatesView(), ws)
    assert len(table) == WHOLE and table["keep"].sum() == KINDS and set(table.loc[table["keep"] == 0, "image"]) == set(copies.gone)
    assert [group.contradictory for group in views.shown(copies, DuplicatesView(show="contradictory"))] == [True]
    assert views.shown(copies, DuplicatesView(show="leaks")) == []


def test_copies_across_the_division_are_leaks(ws, own):
    result = computed(ws, own, n=17, test=8)
    copies = found(result, ws)
    leaks = 0
    for group in copies.groups:
        sides = {image < 17 for image in group.images}
        assert group.leak == (len(sides) == 2)
        leaks += group.leak
        labels = result.labels[list(group.images)]
        assert np.bincount(labels)[result.labels[group.kept]] == np.bincount(labels).max()
    assert leaks and copies.groups == tuple(sorted(copies.groups, key=lambda group: (not group.contradictory, not group.leak)))
    assert f"{leaks} across training and held-out images (leaks)" in DUPLICATES.answer(result, DuplicatesView(), ws)[0]


@pytest.mark.parametrize(("n", "test"), [(WHOLE, 0), (17, 8)])
def test_without_all_but_one_of_each_there_is_no_copy_left(ws, own, n, test):
    before = computed(ws, own, n, test)
    copies = found(before, ws)
    spec = views.left_out(copies)
    DUPLICATES.compute(spec, ws, Recording())
    after = DUPLICATES.open(spec, ws)
    kept = np.setdiff1d(np.arange(WHOLE), copies.gone)
    np.testing.assert_array_equal(after.places, before.places[kept])  # nothing moves to the other side, and none comes in
    assert after.n == (kept < n).sum() and not found(after, ws).groups and views.left_out(found(after, ws)) == spec
    assert DUPLICATES.answer(after, DuplicatesView(), ws)[0].startswith("No copies among")
    data = load_dataset(spec.dataset, ws.settings)
    assert data.n == after.n and not set(data.places.tolist()) & set(before.places[list(copies.gone)].tolist())


def test_what_a_network_cannot_tell_apart_is_a_copy_where_its_kernel_is_stored(ws, own, monkeypatch):
    """The two-layer kernel scales images to length 1: half as bright is the same to it. Pictures are not looked for meanwhile."""
    monkeypatch.setattr(views, "BITS", -1)
    result = computed(ws, own, n=17, test=8)
    assert known_kernels(result.spec, ws) == [] and found(result, ws).network is None
    influence = InfluenceSpec(dataset=result.spec.dataset, test=8)
    INFLUENCE.compute(influence, ws, Recording())
    (known,) = known_kernels(result.spec, ws)
    assert not known.whole and known.title.startswith("Infinite two-layer")
    places = result.places.tolist()
    dark = {places.index(9), places.index(24)}
    alone = {tuple(sorted(pair)) for pair in (dark,)} if max(dark) < 17 else set()

    def by_network():
        return {group.images for group in found(result, ws, cosine=1.0 - 1e-9).groups if group.how == "network"}

    assert by_network() == alone
    assert "among training images alone" in DUPLICATES.answer(result, DuplicatesView(), ws)[-1]
    ADDITION.compute(AdditionSpec(influence=influence), ws, Recording())
    assert known_kernels(result.spec, ws)[0].whole and by_network() == {tuple(sorted(dark))}
    assert found(result, ws, network=False).network is None
    doctor = INFLUENCE.open(influence, ws).doctor
    groups = [set(group.images) for group in found(result, ws, cosine=1.0 - 1e-9).groups]
    assert all(any(set(named) <= group for group in groups) for named in doctor.copies)


def test_texts_are_copies_by_their_characters(ws, tmp_path, cache):
    rows = [*REVIEWS[:12], REVIEWS[2], (REVIEWS[3][0], {"good": "bad", "bad": "good"}.get(REVIEWS[3][1], REVIEWS[4][1]))]
    own = import_texts(write_reviews(tmp_path / "texts.csv", rows), cache, name="films", dimensions=3).content_id
    result = computed(ws, own, n=14)
    copies = found(result, ws)
    assert {frozenset(numbered(copies, group)) for group in copies.groups} == {frozenset({2, 12}), frozenset({3, 13})}
    assert all(group.how == "bytes" for group in copies.groups) and "text" in DUPLICATES.table(result, DuplicatesView(), ws).columns


def test_points_are_no_pictures(ws):
    spec = DuplicatesSpec(dataset=DatasetSpec(name="moons", n=40), test=0)
    DUPLICATES.compute(spec, ws, Recording())
    result = DUPLICATES.open(spec, ws)
    assert not len(result.hashes) and not found(result, ws).groups
