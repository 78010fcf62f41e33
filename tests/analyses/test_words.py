"""Numbers and labels as a person reads them."""

import math

import pytest

from ntkcore.analyses.words import labelled, percent, place, signed


@pytest.mark.parametrize(
    ("rate", "digits", "text"),
    [(0.0, None, "0 %"), (0.0512, None, "5.1 %"), (0.873, None, "87 %"), (0.873, 3, "87.3 %"), (1.0, 3, "100 %"), (12.34, None, "1230 %")],
)
def test_a_share_in_percent(rate, digits, text):
    assert percent(rate, digits) == text


def test_no_share_is_a_dash():
    assert percent(math.nan) == "–"


def test_signed_numbers_have_a_true_minus_and_no_negative_zero():
    assert [signed(value) for value in (0.5, -0.25, -0.001)] == ["+0.50", "−0.25", "+0.00"]
    assert signed(-3.04, 1) == "−3.0"


def test_a_flipped_label_says_what_it_truly_is():
    assert labelled("cat", "cat") == "cat"
    assert labelled("cat", "dog") == "cat (flipped; truly dog)"


def test_where_something_was_computed():
    assert place("cpu") == "the CPU" and place("cuda") == "cuda"
