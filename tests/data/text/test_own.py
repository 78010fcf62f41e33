"""Sets of texts from a file to a data set that is drawn from, and what is refused on the way."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reviews import REVIEWS, write_reviews

from ntkcore.data import Columns, content_hash, holds_texts, import_texts, load_dataset, own_sets, remove_own
from ntkcore.data.dataset import SHOWN
from ntkcore.data.import_common import Limits
from ntkcore.data.text.embed import mean_vectors, tfidf_vectors
from ntkcore.data.text.words import words
from ntkcore.errors import Cancelled, DataError, DataMissing, StoreError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec

TEXTS = [text for text, _ in REVIEWS]


@pytest.fixture
def file(tmp_path):
    return write_reviews(tmp_path / "reviews.csv")


@pytest.fixture
def vectors(tmp_path):
    """Word vectors of every word of the reviews."""
    vocabulary = sorted({word for text in TEXTS for word in words(text)})
    numbers = np.random.default_rng(0).standard_normal((len(vocabulary), 12))
    (tmp_path / "v.txt").write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(vocabulary, numbers, strict=True)))
    return tmp_path / "v.txt"


def load(report, local, **choice):
    return load_dataset(DatasetSpec(name="own", own=report.content_id, **{"n": report.n} | choice), local)


def test_a_csv_becomes_a_set_that_is_drawn_from(file, local):
    report = import_texts(file, local, name=" My \n reviews ", dimensions=10)
    assert (report.kind, report.name, report.n, report.class_names, report.counts) == ("texts", "My reviews", 40, ("bad", "good"), (20, 20))
    assert (report.shape, report.skipped, report.new) == ((10,), (), True)
    data = load(report, local)
    place = [int(name.removeprefix("row/")) for name in data.ids]
    assert sorted(place) == list(range(40))
    assert data.texts == tuple(TEXTS[i] for i in place)
    assert [data.class_names[i] for i in data.labels] == [REVIEWS[i][1] for i in place]
    np.testing.assert_array_equal(data.inputs, tfidf_vectors(TEXTS, 10).vectors[place])
    assert (data.title, data.content, data.inputs.dtype, data.pixels.shape) == ("My reviews", report.content_id, np.float32, (40, 96, 96))
    few = load(report, local, n=8)
    assert few.texts == data.texts[:8]


def test_a_network_sees_them_about_their_mean_at_one_scale(file, local):
    data = load(import_texts(file, local, name="x", dimensions=10), local)
    seen = (data.inputs.astype(np.float64) - data.mean) / data.std
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-6)
    assert np.mean(seen**2) == pytest.approx(1, rel=1e-6)
    assert len(set(data.std.tolist())) == 1
    apart = np.linalg.norm(seen[:1] - seen[1:], axis=1) / np.linalg.norm(data.inputs[:1] - data.inputs[1:], axis=1)
    np.testing.assert_allclose(apart, apart[0], rtol=1e-5)


def test_word_vectors_and_their_own_dimension(file, vectors, local):
    report = import_texts(file, local, name="x", vectors=vectors)
    assert report.shape == (12,)
    data = load(report, local)
    place = [int(name.removeprefix("row/")) for name in data.ids]
    np.testing.assert_array_equal(data.inputs, mean_vectors(TEXTS, vectors).vectors[place])
    assert report.content_id != import_texts(file, local, name="x").content_id


def test_a_parquet_of_the_same_texts_is_the_same_set(file, local, tmp_path):
    pq.write_table(pa.table({"text": TEXTS, "label": [label for _, label in REVIEWS]}), tmp_path / "p")
    first, second = import_texts(file, local, name="a"), import_texts(tmp_path / "p", local, name="b")
    assert first.content_id == second.content_id
    assert not second.new
    (only,) = own_sets(local)
    assert (only.kind, only.what, only.shape_text, only.n) == ("texts", "text", f"{first.shape[0]} numbers each", 40)
    assert content_hash(DatasetSpec(name="own", own=first.content_id), local) == first.content_id
    remove_own(first.content_id, local)
    with pytest.raises(DataMissing):
        load(first, local)


@pytest.mark.parametrize("damage", ["vectors.npy", "labels.npy", "ids.json", "texts.bin", "ends.npy", "kind"])
def test_damage_is_found_and_importing_again_mends_it(file, local, damage):
    report = import_texts(file, local, name="x")
    folder = local.cache_dir / "sets" / report.content_id
    if damage == "kind":
        described = json.loads((folder / "set.json").read_text())
        (folder / "set.json").write_text(json.dumps(described | {"kind": "images", "shape": [1, 2, 3]}))
    else:
        data = bytearray((folder / damage).read_bytes())
        data[-9] ^= 1
        (folder / damage).unlink()
        (folder / damage).write_bytes(data)
    with pytest.raises(DataError, match="damaged on disk") as caught:
        load(report, local)
    assert "Import the same texts again" in caught.value.remedy
    assert import_texts(file, local, name="x").content_id == report.content_id
    assert load(report, local).n == 40


def test_texts_without_words_are_left_out_and_listed(local, tmp_path):
    rows = [("", "good"), *REVIEWS, ("...", "bad"), ("   ", "bad"), ("Zwölf Boxkämpfer", "good")]
    report = import_texts(write_reviews(tmp_path / "t", rows), local, name="x")
    alone = "no word of it occurs in another text"
    assert report.skipped == ("row/0: empty", f"row/41: {alone}", "row/42: empty", f"row/43: {alone}")
    assert (report.n, report.skipped_count) == (40, 4)
    assert any(note.startswith("4 texts were skipped: row/0: empty; ") for note in report.notes)
    assert load(report, local).ids[0].startswith("row/")


def test_with_word_vectors_texts_of_unknown_words_are_left_out(vectors, local, tmp_path):
    report = import_texts(write_reviews(tmp_path / "t", [*REVIEWS, ("Zwölf Boxkämpfer", "good")]), local, name="x", vectors=vectors)
    assert report.skipped == ("row/40: none of its words is among the word vectors",)


def test_a_long_text_is_whole_in_the_set_and_cut_on_the_page(local, tmp_path):
    long = "a great film " * 2000
    report = import_texts(write_reviews(tmp_path / "t", [*REVIEWS, (long, "good")]), local, name="x")
    (shown,) = (text for text in load(report, local).texts if len(text) > 1000)
    assert len(shown) == SHOWN
    assert shown.endswith("…")
    assert long in (local.cache_dir / "sets" / report.content_id / "texts.bin").read_text()


def test_markup_stays_text(local, tmp_path):
    nasty = "<img src=x onerror=alert(1)> a great film </div>"
    report = import_texts(write_reviews(tmp_path / "t", [*REVIEWS, (nasty, "good")]), local, name="x")
    assert nasty in load(report, local).texts


BAD = {
    "one class": ([(text, "good") for text in TEXTS], "All texts are of the one class 'good'", "at least two classes"),
    "a class of one": ([*REVIEWS, ("a great film", "other")], "Class 'other' has a single text in this set", "Add texts of it"),
    "a class for each": (
        [(text, str(i)) for i, text in enumerate(TEXTS)],
        "The labels are 40 different ones for 40 texts",
        "Name the column",
    ),
    "all empty": ([("", "a"), ("", "b"), (" ", "a")], "All texts are empty", "Name the column"),
    "alike": ([(text, ("Good", "good", "bad")[i % 3]) for i, text in enumerate(TEXTS)], "nearly the same name", "Merge them"),
    "nothing in common": ([("uno", "a"), ("due", "a"), ("tre", "b"), ("quattro", "b")], "words occur in two texts or more", "more texts"),
    "a class left empty": (
        [*[(t, "good") for t in TEXTS], ("", "bad"), ("", "bad")],
        "All texts are of the one class 'good'",
        "two classes",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_sets_are_refused_and_leave_nothing(local, tmp_path, case, nothing_kept):
    rows, message, remedy = BAD[case]
    with pytest.raises(DataError, match=message) as caught:
        import_texts(write_reviews(tmp_path / "t", rows), local, name="x")
    assert remedy in caught.value.remedy


def test_no_text_with_a_direction(local, tmp_path, file, nothing_kept):
    (tmp_path / "zeros").write_text("".join(f"{word} 0 0\n" for word in ("a", "the", "film")))
    with pytest.raises(DataError, match="No text is left"):
        import_texts(file, local, name="x", vectors=tmp_path / "zeros")


def test_word_vectors_of_a_wrong_dimension(local, tmp_path, file, nothing_kept):
    (tmp_path / "v").write_text("the 1 2 3\nfilm 1 2\n")
    with pytest.raises(DataError, match=r"Line 2 of the word vectors has 2 numbers; those before it have 3\."):
        import_texts(file, local, name="x", vectors=tmp_path / "v")


@pytest.mark.parametrize("dimensions", [0, -1, 1001])
def test_dimensions_out_of_range(local, file, dimensions, nothing_kept):
    with pytest.raises(DataError, match="out of range"):
        import_texts(file, local, name="x", dimensions=dimensions)


def test_a_file_that_is_empty_or_not_there(local, tmp_path, nothing_kept):
    (tmp_path / "empty").touch()
    for name, message in (("empty", "is empty"), ("gone", "'gone' could not be read")):
        with pytest.raises(DataError, match=message):
            import_texts(tmp_path / name, local, name="x")


def test_a_set_too_large_to_keep(file, local, nothing_kept):
    limits = Limits.of(Settings(upload_limit=500))
    with pytest.raises(DataError, match="larger than"):
        import_texts(file, local, name="x", limits=limits)


def test_a_full_disk_is_said_and_leaves_nothing(file, local, monkeypatch, nothing_kept):
    import errno

    from ntkcore.data import own_keep

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(own_keep, "write_header", full)
    with pytest.raises(StoreError, match="The disk is full; nothing was imported"):
        import_texts(file, local, name="x")


def test_progress_goes_up_to_its_total_and_cancelling_leaves_nothing(file, local, vectors, nothing_kept):
    seen = []
    report = import_texts(file, local, name="x", vectors=vectors, progress=lambda *step: seen.append(step))
    assert seen == sorted(seen)
    assert seen[-1] == (1000, 1000)
    remove_own(report.content_id, local)

    def cancel(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        import_texts(file, local, name="x", progress=cancel)


def test_what_a_file_holds(make, file, local, tmp_path):
    pq.write_table(pa.table({"review": ["a"], "class": [0]}), tmp_path / "texts")
    pq.write_table(pa.table({"image": [b"a"], "label": [0]}), tmp_path / "images")
    make.zip(tmp_path / "zip", make.classes())
    (tmp_path / "empty").touch()
    (tmp_path / "broken").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"scan": [make.encoded()], "text": ["a"], "class": [0]}), tmp_path / "scans")
    names = ("reviews.csv", "texts", "images", "scans", "zip", "empty", "broken", "gone", ".")
    assert [name for name in names if holds_texts(tmp_path / name, local)] == ["reviews.csv", "texts"]
    with (tmp_path / "texts").open("rb") as opened:
        assert holds_texts(opened, local)
        assert opened.tell() == 0


def test_columns_of_other_names(local, tmp_path):
    rows = [(i, label, text) for i, (text, label) in enumerate(REVIEWS)]
    path = write_reviews(tmp_path / "t", rows, header=("id", "stars", "opinion"))
    with pytest.raises(DataError, match="no column of texts"):
        import_texts(path, local, name="x")
    report = import_texts(path, local, name="x", columns=Columns("opinion", "stars"))
    assert load(report, local).texts[0] in TEXTS
    with path.open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["id", "stars", "opinion"]
