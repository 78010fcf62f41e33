"""Images on a chart of points: the one pointed at, those in sight when few are, and rings around those that are marked."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from pages.shared import media

_HERE = Path(__file__).parent
_SAID = 160  # characters of a text where the pointer is
_pictures = st.components.v2.component("ntk_atlas.pictures", js=(_HERE / "pictures.js").read_text())


def pictures(
    chart: str, pack: str, clicked: Callable[[int], None], *, aside: str | None = None, marked: Sequence[int] = (), few: int = 200
) -> None:
    """Lay images over a chart whose points tell their image; plotly itself shows none.

    Args:
        chart: its key.
        pack: id of the thumbnails.
        clicked: called with the image whose point is clicked.
        aside: id of the thumbnails of others, image i of which tells -1 - i and cannot be clicked; None: there are none.
        marked: images to ring.
        few: points in sight up to which each is drawn as its image.
    """
    base = media.thumbnail_base(pack)
    other = media.thumbnail_base(aside) if aside else ""
    texts, others = media.excerpts(base), media.excerpts(other) if aside else None
    key = f"{chart}_pictures"

    def told() -> None:
        if said := st.session_state[key].get("opened"):
            clicked(said["id"])

    _pictures(
        key=key,
        data={
            "chart": f"chart_{chart}",
            "base": base,
            "aside": other,
            "smooth": media.are_photographs(base),
            "marked": list(marked),
            "few": 0 if texts else few,
            "texts": [text[:_SAID] for text in texts or ()],
            "others": [text[:_SAID] for text in others or ()],
        },
        on_opened_change=told,
    )
