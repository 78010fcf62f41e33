"""One palette: the figures' colours are the pages' colours."""

import re
import tomllib
from pathlib import Path

import pytest

from ntkcore.figures import theme

CONFIG = tomllib.loads((Path(__file__).resolve().parent.parent / ".streamlit" / "config.toml").read_text())


def test_figures_use_the_pages_palette():
    assert list(theme.CLASSES) == CONFIG["theme"]["chartCategoricalColors"]
    assert list(theme.SEQUENTIAL) == CONFIG["theme"]["chartSequentialColors"]


def test_plotly_keeps_palettes_of_ten_alone():
    for name in ("chartCategoricalColors", "chartSequentialColors", "chartDivergingColors"):
        assert len(CONFIG["theme"][name]) == 10


def test_paper_and_ink_are_the_pages():
    for mode in ("light", "dark"):
        layout = theme.layout(mode, height=300)
        assert layout.paper_bgcolor == CONFIG["theme"][mode]["backgroundColor"]
        assert layout.font.color == CONFIG["theme"][mode]["textColor"]


def luminance(colour):
    """Relative luminance (WCAG 2) of #rrggbb or rgb(r, g, b)."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)] if colour.startswith("#") else [int(c) for c in re.findall(r"\d+", colour)]
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("count", [1, 2, 4, 12])
def test_widths_are_ordered_by_lightness_and_all_seen(mode, count):
    colours = theme.ordered_colours(count, mode)
    seen = [contrast(colour, theme.paper(mode)) for colour in colours]
    assert len(set(colours)) == count
    assert seen == sorted(seen)  # the widest stands out most, also in grey
    assert seen[0] > 2


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_kernels_are_told_apart_without_colour(mode):
    for forms in (("full", "pseudo", "first", "network"), ("on", "off")):  # these are in one chart
        assert len({(theme.FORM_DASHES[form], theme.FORM_MARKERS[form]) for form in forms}) == len(forms)
    assert all(contrast(colour, theme.paper(mode)) > 3 for colour in theme.FORM_COLOURS[mode].values())
