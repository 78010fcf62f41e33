"""Copies that were put in are found, and nothing else: by their bytes, as pictures, by a network; leaks; and what goes on without them."""

import numpy as np
import pytest
from copied import COPIES, KINDS, brought
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from recording import Recording
from reviews import REVIEWS, write_reviews

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.duplicates.kernels import known_kernels
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_images, import_texts, load_dataset, own_digests
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
    assert said[1].startswith("Of the groups, 2 the same pixels and 2 the same picture.") and "is to leave out 5 images." in said[1]
    table = DUPLICATES.table(result, DuplicatesView(), ws)
    assert len(table) == WHOLE and table["keep"].sum() == KINDS and set(table.loc[table["keep"] == 0, "image"]) == set(copies.gone)
    assert [group.contradictory for group in views.shown(copies, DuplicatesView(show="contradictory"))] == [True]
    assert views.shown(copies, DuplicatesView(show="leaks")) == []


def test_photographs_are_copies_by_the_bytes_of_their_files(ws, tmp_path, cache):
    """One file twice; its pixels in another file; it coded anew; and others. Referred to or kept, the same is found."""
    generator = np.random.default_rng(0)
    for number in range(6):
        rough = Image.fromarray(generator.integers(0, 256, (9, 9, 3)).astype(np.uint8)).resize((300, 240), Image.Resampling.BICUBIC)
        folder = tmp_path / "shots" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        rough.save(folder / f"{number}.png")
        if number == 0:
            (folder / "again.png").write_bytes((folder / "0.png").read_bytes())
            words = PngInfo()
            words.add_text("Comment", "the same pixels")
            rough.save(folder / "said.png", pnginfo=words)
            rough.save(folder / "coded.jpg", quality=60)
    digests = {}
    for refer in (False, True):
        allowed = cache.model_copy(update={"import_roots": (tmp_path,)})
        own = import_images(tmp_path / "shots", allowed, name=f"shots {refer}", refer=refer).content_id
        result = computed(ws, own, n=9)
        assert result.bytes_of == "file"
        (group,) = found(result, ws).groups
        names = {result.ids[image]: image for image in group.images}
        assert set(names) == {"a/0.png", "a/again.png", "a/said.png", "a/coded.jpg"} and group.how == "picture"
        first = names["a/0.png"]
        same = {name for name, image in names.items() if result.same[image] == result.same[first]}
        drawn = {name for name, image in names.items() if result.pixels[image] == result.pixels[first]}
        assert same == {"a/0.png", "a/again.png"} and drawn == same | {"a/said.png"}
        assert views.compared(result, first, names["a/again.png"])[:2] == ("the same file", "the same pixels")
        assert views.compared(result, first, names["a/said.png"])[0] == "the same pixels"
        (coded,) = views.compared(result, first, names["a/coded.jpg"])
        assert "0 of 64 bits" in coded and "correlate by" in coded
        digests[refer] = own_digests(own, np.arange(9), cache)
    assert digests[True] == digests[False]
    (tmp_path / "shots" / "a" / "coded.jpg").unlink()
    assert own_digests(own, np.arange(9), cache) == digests[True]  # what they were when they were imported


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
