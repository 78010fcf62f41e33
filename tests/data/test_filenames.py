import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.data.filenames import clean_class_names, escaped, is_hidden, natural_key, safe_parts, shown
from ntkcore.data.selection import require_pairs
from ntkcore.errors import DataError


@pytest.mark.parametrize("name", ["../a", "a/../b", "/a", "\\a", "a\\..\\b", "C:\\a", "c:a", "//host/a"])
def test_paths_that_lead_outside(name):
    with pytest.raises(DataError, match="leads outside"):
        safe_parts(name, where="the zip")


def test_paths_are_split_and_normalised():
    assert safe_parts("a/b.png", where="x") == ("a", "b.png")
    assert safe_parts("a\\.\\b.png", where="x") == ("a", "b.png")
    assert safe_parts("e\u0301/b", where="x") == ("\u00e9", "b")
    assert safe_parts("a..b/c..", where="x") == ("a..b", "c..")


def test_names_that_are_no_text_or_too_long():
    with pytest.raises(DataError, match="not UTF-8"):
        safe_parts("a/\udcff.png", where="x")
    with pytest.raises(DataError, match="has 600 characters"):
        safe_parts("a" * 600, where="x")


@given(st.text())
def test_what_is_shown_prints_and_is_short(name):
    assert escaped(name).replace("\u200c", "").replace("\u200d", "").isprintable()
    assert len(shown(name)) < 130


@pytest.mark.parametrize(
    "name",
    ["👨\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "می\u200cروم", "क्\u200dष"],
)
def test_what_people_write_is_shown_as_they_write_it(name):
    assert escaped(name) == name
    assert clean_class_names((name, "cat")) == (name, "cat")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("c\u200dat", "c\\u200dat"),
        ("\u200d👩", "\\u200d👩"),
        ("a\U000e0067\U000e007f", "a\\U000e0067\\U000e007f"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("bell\x07", "bell\\x07"),
    ],
)
def test_what_does_not_print_is_escaped_once(name, said):
    assert escaped(name) == said
    (kept, _) = clean_class_names((name, "cat"))
    assert kept == said
    with pytest.raises(DataError) as caught:
        require_pairs(np.zeros(1, np.int64), (kept,), "in this set", "Add images.")
    assert f"Class '{said}' has" in caught.value.message


def test_joiners_tell_no_classes_apart():
    with pytest.raises(DataError, match="nearly the same name"):
        clean_class_names(("می\u200cروم", "میروم"))


@pytest.mark.parametrize(
    "path",
    [
        ("__MACOSX", "a", "._1.png"),
        ("a", ".DS_Store"),
        ("a", "Thumbs.db"),
        ("a", "@eaDir", "1.jpg", "SYNOPHOTO_THUMB_M.jpg"),
        ("@Recycle", "1.png"),
        ("a", ".@__thumb", "1.jpg"),
        ("$Recycle.Bin", "S-1-5-21-1004", "$R1.png"),
        ("RECYCLER", "1.png"),
        ("#recycle", "1.png"),
        (".Trash-1000", "files", "1.png"),
        ("lost+found", "#123", "1.png"),
        ("System Volume Information", "1.png"),
        ("FOUND.000", "1.png"),
        ("~snapshot", "a", "1.png"),
        (".thumbnails", "1.png"),
    ],
)
def test_what_systems_leave_behind_is_hidden(path):
    assert is_hidden(path)


@pytest.mark.parametrize("name", ["b.png", "recycled", "#1", "@home", "$100", "~", "found", "lost", "snapshot", "S-1-A", "thumbs"])
def test_classes_with_odd_names_are_not_hidden(name):
    assert not is_hidden((name, "1.png"))


def test_numbers_sort_by_value():
    assert sorted(["10", "9", "b2", "b10", "a", "B1"], key=natural_key) == ["9", "10", "a", "B1", "b2", "b10"]


@given(st.lists(st.text()))
def test_any_names_can_be_sorted(names):
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_class_names_are_tidied():
    assert clean_class_names((" cat ", "big\tdog", "x\x07")) == ("cat", "big dog", "x\\x07")


@pytest.mark.parametrize("pair", [("cat", "Cat"), ("cat", " cat"), ("é", "e\u0301"), ("ﬁsh", "fish")])
def test_names_too_alike(pair):
    with pytest.raises(DataError, match="nearly the same name"):
        clean_class_names(pair)


def test_empty_and_long_names():
    with pytest.raises(DataError, match="empty name"):
        clean_class_names(("a", "  "))
    with pytest.raises(DataError, match="longer than 100"):
        clean_class_names(("a", "b" * 101))
