"""One palette: the figures' colours are the pages' colours."""

import tomllib
from pathlib import Path

from ntkcore.figures import theme

CONFIG = tomllib.loads((Path(__file__).resolve().parent.parent / ".streamlit" / "config.toml").read_text())


def test_figures_use_the_pages_palette():
    assert list(theme.CLASSES) == CONFIG["theme"]["chartCategoricalColors"]


def test_plotly_keeps_palettes_of_ten_alone():
    for name in ("chartCategoricalColors", "chartSequentialColors", "chartDivergingColors"):
        assert len(CONFIG["theme"][name]) == 10


def test_paper_and_ink_are_the_pages():
    for mode in ("light", "dark"):
        layout = theme.layout(mode, height=300)
        assert layout.paper_bgcolor == CONFIG["theme"][mode]["backgroundColor"]
        assert layout.font.color == CONFIG["theme"][mode]["textColor"]
