"""Strips of a few images: what a set looks like before anything is computed, or some images with a few words below each."""

import html
from collections.abc import Sequence

import streamlit as st

from ntkcore.analyses.materials.thumbnails import sample_thumbnails
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import DatasetSpec
from pages.shared import frame, media, words

_SHOWN = 9


def strip(spec: DatasetSpec, *, unlabelled: bool = False) -> bool:
    """Show the first images of a draw; a set that cannot be drawn from says why. Whether it could be.

    Args:
        unlabelled: whether those that have no label yet are drawn, too.
    """
    try:
        pack = sample_thumbnails(spec, _SHOWN, workspace(), unlabelled=unlabelled)
    except AtlasError as error:
        frame.show_error(error)
        return False
    images = "".join(media.picture(pack.id, i, "") for i in range(len(pack)))
    st.html(f'<div class="atlas-strip">{images}</div>')
    return True


def pictures(pack: str, images: Sequence[int], texts: Sequence[str] = (), titles: Sequence[str] = (), *, head: str = "") -> None:
    """Show some images of a pack in a row, in their order.

    Args:
        head: what they are, above them.
        pack: id of the thumbnails.
        images: their places in it.
        texts: a few words below each; () for none.
        titles: said when pointed at; () for their numbers.
    """
    below = texts or [""] * len(images)
    named = titles or [words.spoken(f"image {image}") for image in images]
    cells = "".join(
        f"<figure>{media.picture(pack, image, name, name)}<figcaption>{html.escape(text)}</figcaption></figure>"
        for image, text, name in zip(images, below, named, strict=True)
    )
    above = f'<p class="atlas-quiet">{html.escape(words.spoken(head))}{"" if len(images) else ": none"}</p>' if head else ""
    st.html(f'{above}<div class="atlas-strip atlas-captions">{cells}</div>')
