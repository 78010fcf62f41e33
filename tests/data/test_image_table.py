"""Images named by a table beside them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ntkcore.data import holds_texts, import_images, import_set, own_sets
from ntkcore.data.own_read import open_own, own_columns
from ntkcore.errors import DataError

ROWS = [
    ("a.png", "cat", "train", 1.5, "garden"),
    ("b.png", "cat", "val", None, "yard, back"),
    ("c/d.png", "dog", "train", 3.0, ""),
    ("c/e.png", "dog", "val", 4.0, "street"),
]
COLUMNS = ("path", "label", "split", "height", "place")


def table(kind, rows=ROWS, columns=COLUMNS):
    if kind == "csv":
        quoted = (",".join(f'"{"" if value is None else value}"' for value in row) for row in rows)
        return "\r\n".join([",".join(columns), *quoted]).encode("utf-8-sig")
    if kind == "tsv":
        return "\n".join("\t".join("" if value is None else str(value) for value in row) for row in [columns, *rows]).encode("utf-16")
    if kind == "jsonl":
        return "\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows).encode()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [row[at] for row in rows] for at, name in enumerate(columns)}), sink)
    return sink.getvalue().to_pybytes()


def images(make, names=("a.png", "b.png", "c/d.png", "c/e.png")):
    return {name: make.encoded(seed=i) for i, name in enumerate(names)}


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("where", ["zip", "folder"])
def test_a_table_of_paths_and_labels(make, local, tmp_path, kind, where):
    files = images(make) | {f"metadata.{kind}": table(kind)}
    path = make.zip(tmp_path / "up", files) if where == "zip" else make.folder(tmp_path / "folder", files)
    report = import_images(path, local, name="x")
    assert (report.n, report.class_names, report.counts, report.parts) == (4, ("cat", "dog"), (2, 2), {"train": 2, "val": 2})
    source = open_own(report.content_id, local)
    assert source.ids(np.arange(4)) == ("a.png", "b.png", "c/d.png", "c/e.png") and source.labels.tolist() == [0, 0, 1, 1]
    assert source.parts == ("train", "val", "train", "val")
    columns = own_columns(report.content_id, local)
    assert columns["height"] == [1.5, None, 3.0, 4.0] and columns["place"] == ["garden", "yard, back", "", "street"]
    assert any("Further columns of the table are kept: height, place." in note for note in report.notes)


def test_what_does_not_fit_is_listed(make, local, tmp_path):
    rows = [
        *ROWS,
        ("gone.png", "cat", "train", 1, ""),
        ("../up.png", "cat", "", 1, ""),
        ("a.png", "dog", "", 1, ""),
        ("", "dog", "", 1, ""),
    ]
    files = images(make) | {"extra.png": make.encoded(seed=9), "metadata.csv": table("csv", rows), "other.csv": b"x,y\n1,2\n"}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.n == 4 and open_own(report.content_id, local).labels[0] == 0
    assert sorted(report.skipped) == [
        "../up.png: named in metadata.csv, but not there",
        "a.png: named twice in metadata.csv",
        "extra.png: not named in the table",
        "gone.png: named in metadata.csv, but not there",
        "other.csv: not an image that can be read",
        "row 8 of metadata.csv: names no file",
    ]


def test_a_table_in_each_part(make, local, tmp_path):
    files = {f"set/{part}/{name}": data for part in ("train", "test") for name, data in images(make).items()}
    rows = [row[:2] for row in ROWS]
    files |= {f"set/{part}/metadata.jsonl": table("jsonl", rows, ("file_name", "label")) for part in ("train", "test")}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.n == 8 and report.parts == {"test": 4, "train": 4} and report.counts == (4, 4)


def test_labels_of_numbers_and_without(make, local, tmp_path):
    rows = [("a.png", 10.0), ("b.png", 9), ("c/d.png", None), ("c/e.png", 10)]
    files = images(make) | {"t.jsonl": table("jsonl", rows, ("image", "target"))}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.class_names == ("9", "10") and report.counts == (1, 2)
    assert open_own(report.content_id, local).labels.tolist() == [1, 0, -1, 1]


def test_class_folders_with_a_file_that_is_no_table_of_images(make, local, tmp_path):
    files = make.classes() | {"about.csv": "größe;x\n1;2\n".encode("latin-1"), "numbers.parquet": table("parquet", [(1, 2)], ("a", "b"))}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.n == 4 and report.skipped_count == 2


def test_a_table_on_the_server_is_one_of_the_files_beside_it(make, local, tmp_path):
    folder = make.folder(tmp_path / "folder", images(make) | {"two.csv": table("csv"), "one.csv": table("csv", ROWS[:3] + ROWS[3:])})
    assert not holds_texts(folder / "one.csv", local)
    report = import_set(folder / "one.csv", local, name="x", refer=True)
    assert report.n == 4 and own_sets(local)[0].parts == (("train", 2), ("val", 2))
    (tmp_path / "texts.csv").write_text("path,text,label\na,b,c\n")
    assert holds_texts(tmp_path / "texts.csv", local)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.csv", b"path,label\nnone.png,a\n", "None of the files that 't.csv' names is in the zip"),
        ("t.csv", b"path,label\na.png\n", "line 2 of 't.csv' has 1 columns"),
        ("t.csv", b'path,label\n"a.png,a\n', "cannot be read"),
        ("t.csv", b"path,label\n\xff.png,a\n", "neither UTF-8"),
        ("t.jsonl", b'{"path": "a.png", "label": "x"}\n[1]\n', "Line 2 of 't.jsonl' is no JSON object"),
        ("t.jsonl", b'{"path": "a.png", "label": "x"}\n{"path"\n', "Line 2 of 't.jsonl' is no JSON object"),
    ],
)
def test_a_table_that_cannot_be_read(make, local, tmp_path, name, data, said, nothing_kept):
    with pytest.raises(DataError, match=said) as caught:
        import_images(make.zip(tmp_path / "up", images(make) | {name: data}), local, name="x")
    assert caught.value.remedy


def test_an_uploaded_table_alone_reads_nothing_beside_it(make, local):
    uploads = make.folder(local.cache_dir / "uploads", images(make) | {"t.csv": table("csv")})
    with pytest.raises(DataError, match="neither a zip"):
        import_images(uploads / "t.csv", local, name="x")


def test_a_file_of_one_endless_field_is_no_table(tmp_path, local):
    (tmp_path / "noise").write_bytes(b"PK\3\4" + b"7" * 200_000)  # longer than a field that Python's reader takes
    assert not holds_texts(tmp_path / "noise", local)
