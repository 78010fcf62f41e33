"""What an influence result is: how many images, when and where it was computed, and its kernel's doctor; in one line."""

import html

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from pages.shared import frame, media, words
from pages.shared.doctor import show_doctor


def show_about(result: InfluenceResult) -> None:
    """Show the line."""
    facts = [
        f"{len(result.labels):,} training and {len(result.test_labels):,} held-out {media.what(result.pack)}",
        *([f"{result.parameters:,} parameters"] if result.parameters else []),
        f"computed {words.when(result.created)} on {html.escape(words.place(result.device))} in {words.duration(result.seconds)}",
    ]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.html(f'<p class="atlas-quiet">{" · ".join(facts)}&ensp;</p>', width="content")
        show_doctor(result.doctor, key="kernel", pack=result.pack)
        frame.remarks(result.warnings)
