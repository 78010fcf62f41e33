import pytest

from ntkcore.data.text.words import pieces, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The film, I DIDN'T like!", ["the", "film", "i", "didn't", "like"]),
        ("It’s the actors' best—2nd try_again", ["it's", "the", "actors", "best", "nd", "try", "again"]),
        ("Ein schöner Übergang; это кино", ["ein", "schöner", "übergang", "это", "кино"]),
        ("  12 3.5 … '' \n\t", []),
        ("", []),
    ],
)
def test_words(text, found):
    assert words(text) == found


@pytest.mark.parametrize(
    ("word", "cut"),
    [("didn't", ("did", "n't")), ("it's", ("it", "'s")), ("they're", ("they", "'re")), ("o'clock", ()), ("film", ()), ("n't", ())],
)
def test_pieces_are_those_of_the_penn_treebank(word, cut):
    assert pieces(word) == cut
