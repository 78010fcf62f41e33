"""A strip of a few images: what a set looks like before anything is computed."""

import streamlit as st

from ntkcore.analyses.learnability_views import sample_thumbnails
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import DatasetSpec
from pages.parts import frame, media

_SHOWN = 9


def strip(spec: DatasetSpec) -> None:
    """Show the first images of a draw; a set that cannot be drawn from says why."""
    try:
        pack = sample_thumbnails(spec, _SHOWN, workspace())
    except AtlasError as error:
        frame.show_error(error)
        return
    images = "".join(f'<img src="{media.thumbnail_base(pack.id)}{i}.png" alt="">' for i in range(len(pack)))
    st.html(f'<div class="atlas-strip">{images}</div>')
