import unicodedata

import pytest

from ntkcore.data.text.words import pieces, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The film, I DIDN'T like!", ["the", "film", "i", "didn't", "like"]),
        ("It’s the actors' best—2nd try_again", ["it's", "the", "actors", "best", "nd", "try", "again"]),
        ("Ein schöner Übergang; это кино", ["ein", "schöner", "übergang", "это", "кино"]),
        ("हिन्दी में फ़िल्म", ["हिन्दी", "में", "फ़िल्म"]),
        ("தமிழ் சினிமா", ["தமிழ்", "சினிமா"]),
        ("ภาพยนตร์ ที่ดี", ["ภาพยนตร์", "ที่ดี"]),
        ("שָׁלוֹם, عَرَبِيّ", ["שָׁלוֹם", "عَرَبِيّ"]),
        ("İstanbul'da", ["i\u0307stanbul'da"]),
        ("caf\u00e9 cafe\u0301 CAFE\u0301", ["café", "café", "café"]),
        ("می\u200cروم co\u00adoperate", ["میروم", "cooperate"]),
        ("\u0301 a\u0301\u0301", ["á\u0301"]),
        ("𞤀𞥄𞤁𞤂 𑄌𑄋𑄴𑄟𑄳𑄦", ["𞤢𞥄𞤣𞤤", "𑄌𑄋𑄴𑄟𑄳𑄦"]),
        ("  12 3.5 … '' \n\t", []),
        ("", []),
    ],
)
def test_words(text, found):
    assert words(text) == [unicodedata.normalize("NFC", word) for word in found]


@pytest.mark.parametrize(
    ("word", "cut"),
    [("didn't", ("did", "n't")), ("it's", ("it", "'s")), ("they're", ("they", "'re")), ("o'clock", ()), ("film", ()), ("n't", ())],
)
def test_pieces_are_those_of_the_penn_treebank(word, cut):
    assert pieces(word) == cut
