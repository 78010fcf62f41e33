"""Groups of training images by influence: their complexity (Fig. 5), the images of one of them, and flipped labels among them (Fig. 7)."""

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import complexity, noise
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.influence.views import INFLUENTIAL, SHOWN
from ntkcore.errors import AtlasError
from ntkcore.figures import influence as figures
from pages.influence.choice import LINK, inspect_training
from pages.influence.training import card
from pages.shared import frame, media, words
from pages.shared.charts import chart, clicked
from pages.shared.controls import Controls
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.waiting import waiting

_GROUP = Controls("influence.group", LINK)
_TITLE = "Complexity of ten groups of training images"


def show_groups(subject: Subject) -> None:
    """The groups with their images, and label noise where there is some."""
    result, view = subject.result, subject.view
    st.header(words.spoken("Groups of training images"), anchor=False)
    try:
        with waiting("The mean over all held-out images") as tell:
            groups = complexity.groups_of(subject.look, progress=tell)
    except AtlasError as error:
        st.subheader(_TITLE, anchor=False)
        frame.show_error(error)
        groups = None
    if groups is not None:
        left, right = st.columns(2, gap="large")
        last = len(groups.members) - 1
        shown = last if view.group is None else min(view.group, last)
        with left:
            chart(
                _TITLE,
                figures.complexity_figure(groups.complexity, shown, frame.mode()),
                key="complexity",
                table=lambda: complexity.group_table(groups, result.labels, result.true_labels),
                note="How much of the targets’ norm in the kernel’s space a group asks for (eq. 19); in the paper the ends stand out. "
                "Click a bar to see its images.",
                on_select=_clicked,
                selection_mode="points",
            )
        with right:
            _members(result, groups, shown)
    _show_noise(subject, groups)


def _members(result: InfluenceResult, groups: complexity.Groups, shown: int) -> None:
    last = len(groups.members) - 1
    _GROUP.seed(result.key, group=shown)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(words.spoken("Their images"), anchor=False, width="content")
        _GROUP.control(
            "group",
            st.segmented_control,
            "Group",
            options=list(range(last + 1)),
            format_func=str,
            required=True,
            label_visibility="collapsed",
        )
    members = groups.members[shown] if 2 * shown < last else groups.members[shown][::-1]  # the extreme ones first
    end = ", the most harmful" if shown == 0 else ", the most helpful" if shown == last else ""
    st.html(
        words.spoken(
            f'<p class="atlas-quiet">group {shown}{end}: {len(members):,} images · below each: its influence, mean over all held-out '
            f"images at the end of training{_flipped_words(result, members)}</p>"
        )
    )
    _gallery(result, groups, members, "group_gallery")


def _gallery(result: InfluenceResult, groups: complexity.Groups, members: np.ndarray, key: str) -> None:
    gallery(
        [_card(result, groups, int(image)) for image in members],
        base=media.thumbnail_base(result.pack),
        key=key,
        revision=LINK.current().revision,
        opens=Opens(inspect_training, "look closely"),
        undo=LINK.undo if key == "group_gallery" else None,
        empty="There is no image in this group.",
        height=300,
        cell=92,
    )


def _card(result: InfluenceResult, groups: complexity.Groups, image: int) -> Card:
    value = float(groups.mean[image])
    return card(result, image, value, f"Removing it changes the mean loss over all held-out images by {words.exact(value)}.")


def _clicked() -> None:
    """A bar was clicked; it stays in full strength by the figure itself."""
    if (group := clicked("complexity")) is not None:
        _GROUP.fields.change(group=group)
        LINK.look(group=group)


def _flipped_words(result: InfluenceResult, members: np.ndarray) -> str:
    flipped = result.labels != result.true_labels
    if not flipped.any():
        return ""
    return f" · ⚑ {int(flipped[members].sum())} of these labels are flipped, {100 * flipped.mean():.0f} % of all"


def _show_noise(subject: Subject, groups: complexity.Groups | None) -> None:
    """Flipped labels through training, and the images whose labels to look at first."""
    result = subject.result
    if not (result.labels != result.true_labels).any():
        if groups is not None:
            _suspects(result, groups)
        st.caption("Flip some labels under the data set above, and see here when the network begins to follow them.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        _flipped(subject)
    if groups is not None:
        with right:
            _suspects(result, groups)


def _flipped(subject: Subject) -> None:
    """How flipped labels become influential."""
    with waiting("Flipped labels through training"):
        found = noise.noise_share(subject.look)
    chart(
        "Flipped labels among the most influential images",
        figures.noise_figure(found, subject.view.time, frame.mode()),
        key="noise",
        table=lambda: noise.noise_table(found),
        note=f"Mean over held-out images, of the {INFLUENTIAL} most influential of each (Fig. 7).",
    )


def _suspects(result: InfluenceResult, groups: complexity.Groups) -> None:
    """Training images that harm most on average: the first places to look for a wrong label."""
    ranked = np.concatenate(groups.members)[:SHOWN]
    st.subheader("Labels to look at first", anchor=False)
    st.html(
        words.spoken(
            '<p class="atlas-quiet">the most harmful on average over all held-out images at the end of training'
            f"{_flipped_words(result, ranked)}</p>"
        )
    )
    _gallery(result, groups, ranked, "suspects_gallery")
