"""Sets in which some or all have no label yet: from folders, tables and arrays; other pages see their labelled part alone."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ntkcore.data import UNLABELLED, import_images, import_texts, load_dataset, load_part, load_pool, own_sets, pool_size, room_of
from ntkcore.data.own_store import intact
from ntkcore.errors import DataError
from ntkcore.specs import DatasetSpec

PIXELS = np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8)
MISSING = [1, 4, 8]
NAMES = ["cat", None, "dog", "cat", None, "dog", "cat", "dog", None]


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def folders(path):
    for i, name in enumerate(NAMES):
        target = path / "mine" / (name or "Unlabelled images") / f"{i}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png(PIXELS[i]))
    return path / "mine"


def parquet(path, labels):
    pq.write_table(pa.table({"image": [png(image) for image in PIXELS], "label": labels}), path / "set.parquet")
    return path / "set.parquet"


def arrays(path, labels):
    np.savez(path / "set.npz", images=PIXELS, labels=np.array(labels))
    return path / "set.npz"


NUMBERS = [np.nan if name is None else float(name == "dog") for name in NAMES]
WAYS = {
    "folders": folders,
    "text of a Parquet file": lambda path: parquet(path, NAMES),
    "empty text": lambda path: parquet(path, [name or " " for name in NAMES]),
    "numbers": lambda path: parquet(path, [None if np.isnan(x) else int(x) for x in NUMBERS]),
    "floats": lambda path: parquet(path, NUMBERS),
    "truth": lambda path: parquet(path, [None if np.isnan(x) else bool(x) for x in NUMBERS]),
    "array of numbers": lambda path: arrays(path, NUMBERS),
    "array of text": lambda path: arrays(path, [name or "" for name in NAMES]),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_has_no_label_is_drawn_to_be_labelled_and_nowhere_else(cache, tmp_path, way):
    made = import_images(WAYS[way](tmp_path), cache, name="mine")
    (listed,) = own_sets(cache)
    assert len(made.class_names) == 2 and made.counts == (3, 3) and made.n == listed.n == 9 and listed.unlabelled == 3
    assert any("3 images have no label yet" in note for note in made.notes) and intact(made.content_id, cache)
    spec = DatasetSpec(name="own", own=made.content_id, n=9)
    pool = load_pool(spec, cache)
    order = [next(i for i, image in enumerate(PIXELS) if (image == pixels).all()) for pixels in pool.pixels]
    assert [i for i, label in zip(order, pool.labels, strict=True) if label == UNLABELLED] == [i for i in order if i in MISSING]
    assert all(pool.labels[order.index(i)] == (NAMES[i] == "dog") for i in range(9) if NAMES[i])
    assert pool_size(spec, cache) == (9, 3, made.class_names) and room_of(spec, cache).images == 6
    assert (pool.labels[:6] != UNLABELLED).all()  # few labels are not lost in a small draw
    small = load_pool(spec.model_copy(update={"n": 4}), cache, more=("bird",))
    assert small.ids == pool.ids[:4] and small.class_names == (*made.class_names, "bird") and small.outputs == 3
    whole = load_dataset(spec.model_copy(update={"n": 6}), cache)
    assert sorted(whole.labels.tolist()) == [0, 0, 0, 1, 1, 1] and not set(whole.ids) & {pool.ids[order.index(i)] for i in MISSING}
    with pytest.raises(DataError, match="has 6 images"):
        load_dataset(spec.model_copy(update={"n": 7}), cache)
    assert set(load_part("own", made.content_id, made.class_names, 6, 0, cache).labels.tolist()) == {0, 1}


def test_a_set_without_any_label(cache, tmp_path):
    for i, image in enumerate(PIXELS):
        target = tmp_path / "set" / "unlabelled" / f"{i}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png(image))
    made = import_images(tmp_path / "set", cache, name="mine")
    spec = DatasetSpec(name="own", own=made.content_id, n=9)
    assert made.class_names == () and made.n == 9
    pool = load_pool(spec, cache, more=("cat", "dog"))
    assert (pool.labels == UNLABELLED).all() and pool.class_names == ("cat", "dog") and pool.outputs == 1
    with pytest.raises(DataError, match="fewer than two classes"):
        load_dataset(spec, cache)
    with pytest.raises(DataError, match="same name"):
        load_pool(spec, cache, more=("cat", "cat"))


def test_one_labelled_image_is_enough_to_begin_with(cache, tmp_path):
    made = import_images(arrays(tmp_path, ["cat", *[""] * 8]), cache, name="mine")
    assert made.class_names == ("cat",) and made.counts == (1,)
    with pytest.raises(DataError, match="single image"):  # without any that has no label it is a mistake, as before
        import_images(arrays(tmp_path, ["cat", *["dog"] * 8]), cache, name="other")


def test_training_images_beside_unlabelled_ones_are_still_a_division(cache, tmp_path):
    for name in ("train", "unlabeled"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "0.png").write_bytes(png(PIXELS[0]))
    with pytest.raises(DataError, match="look like a division"):
        import_images(tmp_path / "set", cache, name="mine")


def test_texts_with_empty_cells(cache, tmp_path):
    rows = ["a good film,good", "a bad film,bad", "a film,", "good and long,good", "bad and long,nan", "bad bad,bad", "long film, "]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    made = import_texts(tmp_path / "texts.csv", cache, name="films", dimensions=3)
    assert made.class_names == ("bad", "good") and made.counts == (2, 2) and made.n == 7
    assert any("3 texts have no label yet" in note for note in made.notes)
    pool = load_pool(DatasetSpec(name="own", own=made.content_id, n=7), cache)
    without = {text for text, label in zip(pool.texts, pool.labels, strict=True) if label == UNLABELLED}
    assert without == {"a film", "bad and long", "long film"}
