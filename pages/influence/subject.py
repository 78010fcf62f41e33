"""Whose influences the page shows: one held-out image's, or the mean over a group; and its answer in sentences."""

import streamlit as st

from ntkcore.analyses.influence import answer, mean
from ntkcore.analyses.influence.subject import Subject
from pages.influence.choice import WHOSE, inspect_held
from pages.influence.verify.measured import measured_line
from pages.shared import media, words
from pages.shared.waiting import waiting


def show_whose(subject: Subject) -> None:
    """The choice between one image and a group's mean, and the way to look closely at the one."""
    view = subject.view
    ticked = len(mean.picked_of(subject.result, view))
    options = {"no": f"One {media.noun(subject.result.test_pack)}", "shown": f"Mean over the {len(subject.shown):,} shown"}
    if ticked or view.mean == "ticked":
        options["ticked"] = f"Mean over {ticked:,} ticked"
    WHOSE.seed(subject.result.key, "mean")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        WHOSE.control(
            "mean",
            st.segmented_control,
            "Influence on",
            options=list(options),
            format_func=options.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if view.mean == "no":
            st.button(
                f"Look closely at {media.noun(subject.result.test_pack)} {subject.target}",
                icon=":material/zoom_in:",
                type="tertiary",
                key="inspect_held",
                on_click=inspect_held,
                args=(subject.target,),
            )


def show_answer(subject: Subject) -> None:
    """The image or group, its prediction, the two training images that mattered most, and how far that is known to be true."""
    if subject.view.mean != "no" and not subject.group:
        st.caption(words.spoken("The group is empty, so there is no mean; this is one image."))
    picture = ""
    if subject.group:
        with waiting(f"The mean over {len(subject.group):,} held-out images") as tell:
            subject.look.mean(subject.group, progress=tell)
    else:
        result = subject.result
        picture = media.picture(result.test_pack, subject.target, result.class_names[result.test_labels[subject.target]])
    said = zip(answer.sentences(subject), answer.emphasis(subject), strict=True)
    told = " ".join(words.as_html(sentence, *([most] if most else [])) for sentence, most in said)
    st.html(f'<div class="atlas-pair">{picture}<p class="atlas-fact">{told}</p></div>')
    if not subject.group and (line := measured_line(subject)):
        st.html(f'<p class="atlas-quiet">{line}</p>')
