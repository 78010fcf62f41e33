"""Parquet files of texts, as dataset hubs lay them out."""

import dataclasses
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reviews import REVIEWS

from ntkcore.data.import_common import Limits
from ntkcore.data.text.read_parquet import texts_in_parquet
from ntkcore.data.text.table import MAX_TEXT, Columns
from ntkcore.errors import DataError
from ntkcore.settings import Settings

LIMITS, DEFAULT = Limits.of(Settings()), Columns()
TEXTS = tuple(text for text, _ in REVIEWS)


@pytest.fixture
def read(tmp_path):
    def of(columns, wanted=DEFAULT, limits=LIMITS, metadata=None):
        pq.write_table(pa.table(columns).replace_schema_metadata(metadata), tmp_path / "t")
        return texts_in_parquet(tmp_path / "t", wanted, limits)

    return of


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_every_type_and_named_labels(read, kind):
    values = pa.array([t.encode() for t in TEXTS], kind) if kind == pa.binary() else pa.array(TEXTS, pa.string()).cast(kind)
    features = {"info": {"features": {"label": {"names": ["neg", "pos"]}}}}
    labels = [int(label == "good") for _, label in REVIEWS]
    table = read({"text": values, "label": labels}, metadata={"huggingface": json.dumps(features)})
    assert table.texts == TEXTS
    assert (table.class_names, table.labels.tolist()) == (("neg", "pos"), labels)


def test_missing_and_blank_texts_are_empty(read):
    assert read({"sentence": ["a", None, " \n"], "category": ["x", "y", "x"]}).texts == ("a", "", "")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": [], "label": []}, "has no rows"),
        ({"image": ["a"], "label": [1]}, "no column of texts"),
        ({"text": [1, 2], "label": [0, 1]}, "The column 'text' of the Parquet file holds int64, not text"),
        ({"text": ["a", "b"], "label": [0.0, 0.5]}, "whole numbers or text are needed"),
        ({"text": [b"fine", b"caf\xe9"], "label": [0, 1]}, "Row 1 of the Parquet file is not UTF-8: its byte 4 is 0xE9"),
        ({"text": ["a", "x" * (MAX_TEXT + 1)], "label": [0, 1]}, "Row 1 of the Parquet file has a text of 131,073 characters"),
    ],
)
def test_what_is_refused(read, columns, message):
    with pytest.raises(DataError, match=message) as caught:
        read(columns)
    assert caught.value.remedy


def test_limits(read):
    small = dataclasses.asdict(LIMITS)
    columns = {"text": list(TEXTS), "label": [label for _, label in REVIEWS]}
    with pytest.raises(DataError, match="more than 10 rows"):
        read(columns, limits=Limits(**small | {"files": 10}))
    with pytest.raises(DataError, match="larger than"):
        read(columns, limits=Limits(**small | {"text_bytes": 100}))
    with pytest.raises(DataError, match="unpacks to more than"):
        read(columns, limits=Limits(**small | {"total_bytes": 100}))


def test_a_damaged_file(tmp_path):
    (tmp_path / "t").write_bytes(b"PAR1 and nothing more PAR1")
    with pytest.raises(DataError, match="damaged"):
        texts_in_parquet(tmp_path / "t", Columns(), LIMITS)
