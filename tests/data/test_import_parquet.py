import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from soaked import soaked

from ntkcore.data import holds_texts, import_images, import_set
from ntkcore.data.import_common import Limits
from ntkcore.data.import_parquet import images_in_parquet
from ntkcore.data.own_read import open_own
from ntkcore.errors import DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def write(make, tmp_path):
    def write_table(labels, images=None, names=None, **options):
        images = images or [{"bytes": make.encoded(seed=i), "path": None} for i in range(len(labels))]
        table = pa.table({"image": images, "label": labels})
        if names:
            table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": {"label": {"names": names}}}})})
        pq.write_table(table, tmp_path / "up", **options)
        return tmp_path / "up"

    return write_table


def test_labels_of_every_kind(write, local):
    limits = Limits.of(local)
    for labels, names, expected, classes in (
        ([1, 0, 1, 0], ["cat", "dog"], [1, 0, 1, 0], ("cat", "dog")),
        ([10, 2, 10, 2], None, [1, 0, 1, 0], ("2", "10")),
        (["b", "a", "b", "a"], None, [1, 0, 1, 0], ("a", "b")),
        (pa.array(["b", "a", "b", "a"]).dictionary_encode(), None, [1, 0, 1, 0], ("a", "b")),
        (pa.array([1, 0, 1, 0], pa.uint8()), None, [1, 0, 1, 0], ("0", "1")),
        ([7.0, 3.0, 7.0, 3.0], None, [1, 0, 1, 0], ("3", "7")),
        ([1.0, 0.0, 1.0, 0.0], ["cat", "dog"], [1, 0, 1, 0], ("cat", "dog")),
        (pa.array(np.float16([1, 0, 1, 0])), None, [1, 0, 1, 0], ("0", "1")),
        ([True, False, True, False], None, [1, 0, 1, 0], ("False", "True")),
        ([True, False, True, False], ["cat", "dog"], [1, 0, 1, 0], ("cat", "dog")),
        (pa.array(["b", "a", "b", "a"], pa.string_view()), None, [1, 0, 1, 0], ("a", "b")),
        ([b"b", b"a", b"b", b"a"], None, [1, 0, 1, 0], ("a", "b")),
        ([Decimal(2), Decimal(1), Decimal(2), Decimal(1)], None, [1, 0, 1, 0], ("1", "2")),
    ):
        found = images_in_parquet(write(labels, names=names), limits)
        assert found.labels.tolist() == expected
        assert found.class_names == classes


def test_classes_without_images_are_left_out_and_said(write, local):
    found = images_in_parquet(write([3, 1, 3, 1], names=["a", "b", "c", "d"]), Limits.of(local))
    assert found.class_names == ("b", "d")
    assert found.labels.tolist() == [1, 0, 1, 0]
    assert found.notes == ("Classes without images were left out: a, c.",)


def test_ids_are_the_paths_where_they_tell_images_apart(write, make, local):
    limits = Limits.of(local)
    images = [{"bytes": make.encoded(), "path": f"p{i}.png"} for i in range(4)]
    assert images_in_parquet(write([0, 0, 1, 1], images), limits).ids == ("p0.png", "p1.png", "p2.png", "p3.png")
    images[3]["path"] = "p0.png"
    assert images_in_parquet(write([0, 0, 1, 1], images), limits).ids == ("row/0", "row/1", "row/2", "row/3")
    images = [make.encoded() for _ in range(4)]
    assert images_in_parquet(write([0, 0, 1, 1], images), limits).ids[3] == "row/3"


def test_many_rows_and_groups(write, make, local):
    report = import_images(write([i % 2 for i in range(150)], row_group_size=40), local, name="x")
    images = open_own(report.content_id, local).images(np.array([0, 77, 149]))
    np.testing.assert_array_equal(images, [make.pixels((8, 8), seed) for seed in (0, 77, 149)])


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0.0, 1.5, 0.0, 1.5], None, "has the label 1.5; whole numbers or text are needed"),
        ([0.0, 1e300, 0.0, 1e300], None, r"has the label 1e\+300; whole"),
        ([0, -1, 0, 1], None, r"negative labels \(-1\)"),
        ([0, 2, 0, 1], ["a", "b"], "has the label 2, but names only 2 classes"),
        ([b"cat", b"\xff", b"cat", b"dog"], None, "The label of row 1 of the Parquet file is not UTF-8"),
        (["cat", "d" * 500, "cat", "dog"], None, "longer than 100 characters"),
        ([[0], [1], [0], [1]], None, "labels of the Parquet file are list"),
        (["a", "A", "a", "A"], None, "nearly the same name"),
        ([0, 0, 0, 0], None, "the one class '0'"),
        ([0, 0, 0, 1], None, "'1' has a single image"),
    ],
)
def test_labels_that_do_not_fit(write, local, labels, names, message, nothing_kept):
    with pytest.raises(DataError, match=message) as caught:
        import_images(write(labels, names=names), local, name="x")
    assert caught.value.remedy


def test_images_that_are_none(write, make, local, nothing_kept):
    good = make.encoded()
    for images, message in (
        ([{"bytes": good, "path": "a"}, {"bytes": None, "path": "b"}] * 2, "Row 1 of the Parquet file has no image; a path alone"),
        ([{"bytes": good, "path": "a"}, None] * 2, "Row 1 of the Parquet file has no image"),
        ([good, None] * 2, "row/1: Row 1 of the Parquet file has no image"),
        ([good, b"no image"] * 2, "row/1: is damaged, or no image"),
        ([good, good[:50]] * 2, "row/1: is damaged"),
        ([good, b""] * 2, "row/1: is empty"),
        ([1, 2, 3, 4], "column image of the Parquet file holds int64"),
        ([{"path": "a"}] * 4, "column image of the Parquet file holds struct"),
    ):
        with pytest.raises(DataError, match=message):
            import_images(write([0, 0, 1, 1], images), local, name="x")


def test_missing_columns_and_rows(make, tmp_path, local, nothing_kept):
    for table, message in (
        (pa.table({"picture": [b"1"], "label": [0]}), "has no column image .its columns: picture, label"),
        (pa.table({"image": [b"1"], "path": [0]}), "has no column label"),
        (pa.table({"a": [1]}), "has no column image and label"),
        (pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())}), "has no rows"),
    ):
        pq.write_table(table, tmp_path / "up")
        with pytest.raises(DataError, match=message) as caught:
            import_images(tmp_path / "up", local, name="x")
        assert caught.value.remedy


def test_damaged_files(write, local, nothing_kept):
    path = write([0, 0, 1, 1])
    whole = path.read_bytes()
    for data in (b"PAR1", whole[:100], whole[:-20], whole[:4] + bytes(300) + whole[304:], whole[:-300] + bytes(200) + whole[-100:]):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"The Parquet file is damaged|is damaged|no image"):
            import_images(path, local, name="x")


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"files": 3}, "holds more than 3"),
        ({"total_bytes": 200}, "The Parquet file unpacks to more"),
        ({"file_bytes": 20}, "'row 0' is larger than"),
    ],
)
def test_limits(write, local, limit, message, nothing_kept):
    with pytest.raises(DataError, match=message):
        import_images(write([0, 0, 1, 1]), local, name="x", limits=dataclasses.replace(Limits.of(local), **limit))


def test_a_dictionary_bomb_is_stopped_while_it_is_read(write, make, local, nothing_kept):
    """One large image stored once and referred to by every row: small on disk and by its own account."""
    image = make.encoded((100, 100))
    path = write([i % 2 for i in range(500)], [image] * 500)
    assert path.stat().st_size < 50_000
    with pytest.raises(DataError, match="The Parquet file unpacks to more"):
        import_images(path, local, name="x", limits=dataclasses.replace(Limits.of(local), total_bytes=1_000_000))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("img", "label"), ("img", "label")),
        (("Photo", "fine_label"), ("Photo", "fine_label")),
        (("scan", "species"), ("scan", "species")),
        (("left.scan", "a.b"), ("left.scan", "a.b")),
    ],
)
@pytest.mark.parametrize("kind", [pa.binary(), pa.binary_view(), pa.struct([("bytes", pa.binary_view()), ("path", pa.string_view())])])
def test_columns_of_other_names_and_types(make, local, tmp_path, columns, said, kind):
    images = [make.encoded(seed=i) for i in range(4)]
    values = [{"bytes": data, "path": f"{i}.png"} for i, data in enumerate(images)] if pa.types.is_struct(kind) else images
    table = pa.table({"id": [9, 8, 7, 6], columns[0]: pa.array(values, kind), columns[1]: ["b", "a", "b", "a"]})
    pq.write_table(table, tmp_path / "up")
    report = import_set(tmp_path / "up", local, name="x")
    assert (report.kind, report.class_names, report.counts) == ("images", ("a", "b"), (2, 2))
    assert report.notes[1] == f"Images are from the column {said[0]!r}, labels from {said[1]!r}."
    np.testing.assert_array_equal(open_own(report.content_id, local).images(np.arange(4)), [make.pixels((8, 8), i) for i in range(4)])


def test_unclear_columns_are_not_guessed(make, local, tmp_path, nothing_kept):
    images = [make.encoded(seed=i) for i in range(4)]
    for table, message in (
        ({"left": images, "right": images, "label": [0, 1, 0, 1]}, "several columns of images: 'left', 'right'"),
        ({"image": images, "a": [0, 1, 0, 1], "b": [0, 1, 0, 1]}, "no column label, and several that could be it: 'a', 'b'"),
    ):
        pq.write_table(pa.table(table), tmp_path / "up")
        with pytest.raises(DataError, match=message) as caught:
            import_set(tmp_path / "up", local, name="x")
        assert caught.value.remedy


def import_elsewhere(path, local):
    """What importing a file says, in a process of its own that it may end."""
    code = (
        "import sys; from pathlib import Path; from ntkcore.data import holds_texts, import_set; from ntkcore.settings import Settings\n"
        "path, settings = Path(sys.argv[1]), Settings(cache_dir=Path(sys.argv[2]))\n"
        "try: holds_texts(path, settings); import_set(path, settings, name='x')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    command = [sys.executable, "-c", code, str(path), str(local.cache_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}).stdout


def test_a_footer_whose_lists_have_a_wrong_length_ends_no_process(tmp_path, local):
    """pyarrow's account of such a footer calls abort(), which nothing can catch."""
    pq.write_table(pa.table({"text": ["a cold day"] * 6, "label": ["n", "p"] * 3}), tmp_path / "up")
    data = (tmp_path / "up").read_bytes()
    histogram = b"\x26\x00\x0c"  # of definition levels: a list of the two numbers 0 and 6
    assert histogram in data
    (tmp_path / "up").write_bytes(data.replace(histogram, b"\x16\x80\x0c"))  # of the number 768 alone
    assert import_elsewhere(tmp_path / "up", local).startswith("DataError The Parquet file is damaged.")


@pytest.mark.parametrize("seed", soaked(range(8), 0))
def test_changed_bytes_are_refused_or_read(make, tmp_path, local, seed):
    """In one process: an abort would end the tests."""
    rng = np.random.default_rng(seed)
    images = [make.encoded((4, 4), seed=i) for i in range(6)]
    texts = ["a cold day", "warm day", "cold day", "warm sun", "warm", "cold"]
    whole = []
    for options in ({}, {"data_page_version": "2.0", "compression": "zstd"}, {"use_dictionary": False, "compression": "none"}):
        for columns in (
            {"image": [{"bytes": data, "path": str(i)} for i, data in enumerate(images)], "label": ["a", "b"] * 3},
            {"scan": images, "y": [0.0, 1.0] * 3},
            {"text": texts, "label": ["n", "p"] * 3},
        ):
            pq.write_table(pa.table(columns), tmp_path / "up", **options)
            whole.append((tmp_path / "up").read_bytes())
    for number in range(90 if seed == 0 else 1000):
        data = bytearray(whole[number % len(whole)])
        for at in rng.integers(4, len(data), rng.integers(1, 6)):
            data[at] = rng.integers(0, 256)
        (tmp_path / "up").write_bytes(data)
        with contextlib.suppress(DataError):
            holds_texts(tmp_path / "up", local)
            import_set(tmp_path / "up", local, name="x")
