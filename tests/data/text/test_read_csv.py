"""CSV files of texts: layouts that are read, and what is refused, by line."""

import dataclasses

import pytest
from reviews import REVIEWS, write_reviews

from ntkcore.data.import_common import Limits
from ntkcore.data.text import read_csv
from ntkcore.data.text.read_csv import texts_in_csv
from ntkcore.data.text.table import Columns
from ntkcore.errors import DataError
from ntkcore.settings import Settings

LIMITS, DEFAULT = Limits.of(Settings()), Columns()


@pytest.fixture
def read(tmp_path):
    def of(data, wanted=DEFAULT, limits=LIMITS):
        (tmp_path / "t.csv").write_bytes(data)
        return texts_in_csv(tmp_path / "t.csv", wanted, limits)

    return of


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_separator_and_quoting(tmp_path, separator):
    rows = [*REVIEWS, ('He said "no";\nI\tagree, too', "good")]
    table = texts_in_csv(write_reviews(tmp_path / "t", rows, delimiter=separator), Columns(), LIMITS)
    assert table.texts == tuple(text for text, _ in rows)
    assert table.class_names == ("bad", "good")
    assert [table.class_names[i] for i in table.labels] == [label for _, label in rows]
    assert table.notes == ("Texts are from the column 'review', labels from 'sentiment'.",)


def test_a_mark_at_the_beginning_line_ends_of_windows_and_blank_lines(read):
    table = read("\ufeffText,Label\r\nschön,1\r\n\r\nnicht,0\r\n".encode())
    assert (table.texts, table.class_names, table.labels.tolist()) == (("schön", "nicht"), ("0", "1"), [1, 0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_in_every_encoding_with_a_mark(read, encoding, end, last):
    rows = ["text,label", '"über, Süß\u2028 \x85\x0b",neg', '"two\rlines",pos', "日本,neg"]
    table = read((end.join(rows) + (end if last else "")).encode(encoding))
    assert table.texts == ("über, Süß\u2028 \x85\x0b", "two\rlines", "日本")
    assert [table.class_names[i] for i in table.labels] == ["neg", "pos", "neg"]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_bytes(read, mark):
    data = "text\tlabel\r\nä\t1\r\nb\t0\r\n".encode("utf-16-le" if mark[0] == 0xFF else "utf-16-be")
    assert read(mark + data).texts == ("ä", "b")


def test_lines_that_end_where_a_piece_of_the_file_does(read, monkeypatch):
    data = b"text,label\r\nab,1\rc,0\nd,1\r\n\r\ne,0"
    for size in range(1, len(data) + 1):
        monkeypatch.setattr(read_csv, "_CHUNK", size)
        assert read(data).texts == ("ab", "c", "d", "e")


@pytest.mark.parametrize("said", ["sep=;\r\n", '"sep=;"\n', "SEP=;\r", "sep=;;\n"])
def test_the_line_that_says_the_separator(read, said):
    assert read(f"{said}text;label;a,b,c,d\nx;1;2\ny;0;3\n".encode()).texts == ("x", "y")
    with pytest.raises(DataError, match="row that ends in line 3 of the CSV file has 1 columns"):
        read(f"{said}text;label\nx\n".encode())


def test_any_separator_that_is_said(read):
    assert read(b"sep=~\ntext~label\nx, y~1\nz~0\n").texts == ("x, y", "z")


def test_blanks_before_quotes(read):
    table = read(b'text, label\n"a, b", "pos"\n"c",  neg\n')
    assert (table.texts, table.class_names) == (("a, b", "c"), ("neg", "pos"))


def test_signs_are_part_of_a_number(read):
    assert read(b"text,label\na,1\nb,-1\nc,-10\nd,+2\n").class_names == ("-10", "-1", "1", "+2")


def test_named_columns_in_any_case(read):
    data = b"id,text,Opinion,Body,label\n1,no,x,first,0\n2,no,y,second,1\n"
    assert read(data).texts == ("no", "no")
    table = read(data, Columns("body", " opinion "))
    assert (table.texts, table.class_names) == (("first", "second"), ("x", "y"))


def test_empty_texts_are_left_for_the_import_to_skip(read):
    assert read(b"text,label\n,a\n \t ,b\nword,b\n").texts == ("", "", "word")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"text,label\ngood,1\nbad \xe9t\xe9,0\n", r"Line 3 of the CSV file is not UTF-8: its byte 5 \(byte 23 of the file\) is 0xE9\."),
        (b"\xef\xbb\xbftext,\xff\n", r"Line 1 of the CSV file is not UTF-8: its byte 9 \(byte 9 of the file\) is 0xFF"),
        ("text,label\nä,1\n".encode("utf-16") + b"\0", "is damaged: it is not UTF-16 throughout"),
        ("text,label\nä,1\n".encode("utf-16")[:2] + b"\0\xd8\0\0", "is damaged: it is not UTF-16 throughout"),
        ("text,label\na,1\n".encode("utf-16-le"), "is UTF-16 without a mark"),
        (b"\x89PNG\r\n\x1a\n", "Line 1 of the CSV file is not UTF-8: its byte 1 "),
        (b"\n", "The first line of the CSV file is empty"),
        (b"text,label\n", "has no rows"),
        (b"id,label\n1,2\n", r"no column of texts that is called text or review or sentence or content \(its columns: 'id', 'label'\)"),
        (b"text,id\n1,2\n", "no column of labels"),
        (b"text,TEXT,label\n1,2,3\n", "has 2 columns text"),
        (b"text,label\ngood,1,2\n", "row that ends in line 2 of the CSV file has 3 columns; the first line names 2"),
        (b"text,label\ngood\n", "ends in line 2 of the CSV file has 1 columns"),
        (b'text,label\n"never closed,1\n', "cannot be read: unexpected end of data"),
        (b'text,label\n"a"b,1\n', "Line 2 of the CSV file cannot be read"),
        (b"text,label\n" + b"x" * 200_000 + b",1\n", "field larger than field limit"),
    ],
)
def test_what_is_refused(read, data, message):
    with pytest.raises(DataError, match=message) as caught:
        read(data)
    assert caught.value.remedy


def test_columns_that_are_not_there_or_one_for_both(read):
    with pytest.raises(DataError, match=r"no column 'Body' \(its columns: 'text', 'label'\)"):
        read(b"text,label\na,1\n", Columns("Body"))
    with pytest.raises(DataError, match="'text' was named for both"):
        read(b"text,label\na,1\n", Columns("text", "text"))


def test_limits(read, monkeypatch):
    data = b"text,label\na,1\nb,2\nc,1\n"
    small = dataclasses.asdict(LIMITS)
    with pytest.raises(DataError, match="more than 2 rows"):
        read(data, limits=Limits(**small | {"files": 2}))
    with pytest.raises(DataError, match="larger than"):
        read(data, limits=Limits(**small | {"text_bytes": 10}))
    monkeypatch.setattr(read_csv, "_LINE", 8)
    with pytest.raises(DataError, match="Line 1 of the CSV file is longer"):
        read(data)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="could not be read"):
        texts_in_csv(tmp_path / "gone", Columns(), LIMITS)
