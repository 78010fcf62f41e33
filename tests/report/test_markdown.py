"""Explaining texts as HTML: what is ours becomes markup, what is not stays text."""

import re

import pytest

from ntkcore.report.exhibits import EXHIBITS
from ntkcore.report.markdown import as_html


def test_paragraphs_lists_emphasis_and_code():
    said = as_html("One **two** *three* `a < b`.\n\n- first\n  goes on\n- second")
    assert said == "<p>One <b>two</b> <i>three</i> <code>a &lt; b</code>.</p><ul><li>first\n  goes on</li><li>second</li></ul>"


def test_markup_in_a_text_is_text():
    assert as_html("<script>alert(1)</script> & <img src=x>") == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img src=x&gt;</p>"


def test_formulas_are_mathml_in_the_line_and_on_their_own():
    said = as_html("Of $k(x,x)$:\n\n$$\\tfrac12\\bigl\\|f\\bigr\\|^2,\\quad\\text{if $K$ were 0}$$")
    assert said.count("<math") == 2 and 'display="block"' in said and "<mfrac>" in said
    assert "$" not in said and "\\" not in said


@pytest.mark.parametrize("name", EXHIBITS)
def test_no_formula_of_an_explainer_keeps_its_source(name):
    """What the converter does not know it would leave as it stands."""
    module = __import__(f"ntkcore.analyses.{name}.explain", fromlist=["_WHAT"])
    for text in (module._WHAT, module._READ, module._NOT):
        assert not re.findall(r"\\\w*|\$", as_html(text))
