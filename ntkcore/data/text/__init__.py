"""Sets of texts: read, embedded, kept, and drawn for whatever shows images."""

from ntkcore.data.text.cards import drawings
from ntkcore.data.text.embed import DIMENSIONS, MOST_DIMENSIONS
from ntkcore.data.text.own import holds_texts, import_texts
from ntkcore.data.text.table import Columns

__all__ = ["DIMENSIONS", "MOST_DIMENSIONS", "Columns", "drawings", "holds_texts", "import_texts"]
