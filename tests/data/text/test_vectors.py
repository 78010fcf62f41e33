"""Files of word vectors: what is kept of them, and every way in which they are not what they should be."""

import numpy as np
import pytest

from ntkcore.data.text import vectors as module
from ntkcore.data.text.vectors import read_vectors
from ntkcore.errors import DataError

GLOVE = b"the 0.25 -1.5 1e-2\nfilm 1 2 3\n'n 0 0 1\nfilm 9 9 9\n"


@pytest.fixture
def file(tmp_path):
    def write(data):
        (tmp_path / "v.txt").write_bytes(data)
        return tmp_path / "v.txt"

    return write


def test_only_needed_words_are_kept_the_first_of_two_lines(file):
    known = read_vectors(file(GLOVE), {"film", "the", "absent"})
    assert set(known.place) == {"film", "the"}
    np.testing.assert_array_equal(known.vectors[known.place["the"]], np.float32([0.25, -1.5, 1e-2]))
    np.testing.assert_array_equal(known.vectors[known.place["film"]], [1, 2, 3])
    assert (known.vectors.dtype, known.lines) == (np.float32, 4)


def test_the_first_line_of_word2vec_and_spaces_at_the_ends(file):
    known = read_vectors(file(b"2 3\nfilm 1 2 3 \r\nthe 4 5 6\n\n"), {"film", "the"})
    np.testing.assert_array_equal(known.vectors[known.place["film"]], [1, 2, 3])
    assert known.lines == 2


def test_both_spellings_of_an_accent_are_one_word(file):
    data = "cafe\u0301 1 2\nna\u00efve 3 4\n".encode() + b"\xff 5 6\n"
    known = read_vectors(file(data), {"caf\u00e9", "na\u00efve"})
    np.testing.assert_array_equal([known.vectors[known.place[word]] for word in ("caf\u00e9", "na\u00efve")], [[1, 2], [3, 4]])


def test_words_with_spaces_are_told_from_too_many_numbers(file):
    known = read_vectors(file(b"film 1 2 3\n. . . 4 5 6\nat me@here 1 1 1\n"), {"film"})
    assert known.lines == 3
    with pytest.raises(DataError, match=r"Line 2 of the word vectors has 4 numbers; those before it have 3\."):
        read_vectors(file(b"film 1 2 3\nthe 4 5 6 7\n"), {"film"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"film\nthe\n", "The first line of the word vectors has no numbers after the word"),
        (b"film 1 2 3\nthe 4 5\n", r"Line 2 of the word vectors has 2 numbers; those before it have 3"),
        (b"2 4\nfilm 1 2 3\n", r"Line 2 of the word vectors has 3 numbers; those before it have 4"),
        (b"film 1 2 3\nthe 4 x 6\n", "Line 2 of the word vectors has 'x' where a number is expected"),
        (b"this is no such file\n", "Line 1 of the word vectors has 'is' where"),
        (b"film 1 2 3\nthe 4  6\n", "Line 2 of the word vectors has '' where"),
        (b"film 1 2 3\nthe nan 1 1\n", r"Line 2 of the word vectors has a number that is not finite"),
        (b"film 1 2 3\nthe 1e39 1 1\n", r"Line 2 of the word vectors has a number that is not finite"),
        (b"unknown 1 2 3\n", "None of the 2 different words of the texts is among the 1 of the word vectors"),
        (b"film " + b"1 " * 5000, "5,000 numbers; at most 4,096"),
    ],
)
def test_bad_files_are_refused_by_their_line(file, data, message):
    with pytest.raises(DataError, match=message) as caught:
        read_vectors(file(data), {"film", "the"})
    assert caught.value.remedy


def test_a_word_that_is_not_needed_may_be_any_bytes(file):
    assert read_vectors(file(b"\xff\xfe 1 2\nfilm 3 4\n"), {"film"}).lines == 2


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="could not be read: No such file"):
        read_vectors(tmp_path / "gone", {"film"})


def test_a_line_without_end_is_not_read_whole(file, monkeypatch):
    monkeypatch.setattr(module, "_LINE", 1000)
    with pytest.raises(DataError, match="Line 1 of the word vectors is longer than 0 KiB"):
        read_vectors(file(b"x" * 5000), {"film"})


def test_the_share_read_is_told(file, monkeypatch):
    monkeypatch.setattr(module, "_TOLD", 2)
    seen = []
    read_vectors(file(GLOVE), {"film"}, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
