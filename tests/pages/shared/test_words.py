"""Sentences of an analysis as a page shows them."""

import pytest

from pages.shared.words import as_html


@pytest.mark.parametrize(
    ("strong", "text"),
    [
        ((), "5 % &lt; 6 %, and 5 % again"),
        (("6 %", "nowhere"), "5 % &lt; <b>6 %</b>, and 5 % again"),
        (("5 %",), "<b>5 %</b> &lt; 6 %, and 5 % again"),
        (("5 %", "5 %"), "<b>5 %</b> &lt; 6 %, and <b>5 %</b> again"),  # two numbers that are written alike
        (("< 6",), "5 % <b>&lt; 6</b> %, and 5 % again"),
    ],
)
def test_a_sentence_with_fragments_in_bold(strong, text):
    assert as_html("5 % < 6 %, and 5 % again", *strong) == text
