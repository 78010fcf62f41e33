import numpy as np

from ntkcore.data.text import cards
from ntkcore.data.text.cards import SIDE, drawings


def test_each_text_has_its_own_drawing_whatever_stands_beside_it(monkeypatch):
    texts = ["One film", "Another film", "", "слово\nline two"]
    whole = drawings(texts)
    assert (whole.shape, whole.dtype) == ((4, SIDE, SIDE), np.uint8)
    assert (whole[2] == 255).all()
    assert len({card.tobytes() for card in whole}) == 4
    monkeypatch.setattr(cards, "_BLOCK", 1)
    np.testing.assert_array_equal(drawings(texts), whole)


def test_long_texts_end_in_dots_and_what_follows_is_not_seen():
    begun = "a long review " * 40
    np.testing.assert_array_equal(drawings([begun])[0], drawings([begun + "that goes on"])[0])


def test_letters_that_the_font_lacks_are_question_marks():
    np.testing.assert_array_equal(drawings(["кино"])[0], drawings(["????"])[0])
