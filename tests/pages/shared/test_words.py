"""Sentences of an analysis as a page shows them."""

import pytest

from pages.shared import words
from pages.shared.words import as_html, spoken


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


@pytest.mark.parametrize(
    ("said", "of_texts"),
    [
        ("Held-out images", "Held-out texts"),
        ("Much of an image is not seen. An image, images.", "Much of a text is not seen. A text, texts."),
        ("this image’s loss", "this text’s loss"),
        ("from its mirror image", "from its mirror image"),
        ('<img src="/x/image.png" class="atlas-image"> imagery', '<img src="/x/image.png" class="atlas-image"> imagery'),
    ],
)
def test_a_sentence_about_images_said_of_texts(monkeypatch, said, of_texts):
    assert spoken(said) == said
    monkeypatch.setattr(words.st, "session_state", {words._KIND: "texts"})
    assert spoken(said) == of_texts
