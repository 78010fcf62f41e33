import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ntkcore.data.parquet import decode_rows, label_names, names_in, read_labels
from ntkcore.errors import DataError


@pytest.fixture
def file(make, tmp_path):
    rows = [{"bytes": make.encoded((4, 5, 3), seed), "path": None} for seed in range(6)]
    features = {"info": {"features": {"label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": rows, "label": pa.array([0, 1] * 3, pa.int64())}).replace_schema_metadata(
        {"huggingface": json.dumps(features)}
    )
    pq.write_table(table, tmp_path / "train.parquet", row_group_size=2)
    return tmp_path / "train.parquet"


def test_names_labels_and_only_the_drawn_rows(file, make):
    assert label_names(file) == ("a", "b")
    np.testing.assert_array_equal(read_labels(file, ("a", "b")), [0, 1] * 3)
    images = decode_rows(file, np.array([5, 0]), pixels=100)
    np.testing.assert_array_equal(images, [make.pixels((4, 5, 3), 5), make.pixels((4, 5, 3), 0)])


def test_plain_binary_images(make, tmp_path):
    table = pa.table({"image": [make.encoded((4, 4), seed) for seed in range(3)], "label": [0, 1, 0]})
    pq.write_table(table, tmp_path / "a")
    np.testing.assert_array_equal(decode_rows(tmp_path / "a", np.array([2]), pixels=100)[0], make.pixels((4, 4), 2))
    assert label_names(tmp_path / "a") is None


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, {b"huggingface": b'{"info": {"features": {"label": {"names": [1]}}}}'}],
)
def test_metadata_without_names(metadata):
    assert names_in(metadata) is None


def test_damaged(file, tmp_path, make):
    with pytest.raises(DataError):
        read_labels(file, ("a",))
    whole = file.read_bytes()
    for data in (b"", b"PAR1", whole[:-10], whole[:4] + b"\0" * 200 + whole[204:]):
        bad = tmp_path / "bad"
        bad.write_bytes(data)
        with pytest.raises(DataError, match="bad is damaged"):
            label_names(bad)
            decode_rows(bad, np.array([0]), pixels=100)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other")
    with pytest.raises(DataError):
        read_labels(tmp_path / "other", ("a", "b"))
    pq.write_table(pa.table({"image": [make.encoded((4, 4)), make.encoded((4, 5)), None], "label": [0, 1, 0]}), tmp_path / "mixed")
    for rows in ([0, 1], [0, 2]):
        with pytest.raises(DataError):
            decode_rows(tmp_path / "mixed", np.array(rows), pixels=100)
