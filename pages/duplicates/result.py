"""Groups of copies: the answer, how alike copies are, the groups, and leaving out all but one of each."""

import streamlit as st

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.duplicates.explain import explainer
from ntkcore.analyses.duplicates.kernels import known_kernels
from ntkcore.analyses.duplicates.result import DuplicatesResult
from ntkcore.analyses.duplicates.views import Copies, Group
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.duplicates import DuplicatesView
from pages.duplicates.choice import LINK, inspect, marked
from pages.duplicates.inspector import inspect_image
from pages.shared import frame, media, tables, words
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.explain import explain
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.standing import made

_VIEW = Controls("duplicates.view", LINK)
_SHOW = {"all": "All groups", "contradictory": "Contradictory labels", "leaks": "Leaks"}
_GROUPS, _EACH = 40, 24  # groups shown, and images of each


def show_result(result: DuplicatesResult) -> None:
    """The whole result."""
    _explore(result)
    explain(explainer(result))


@st.fragment(key="duplicates")
@frame.telling
def _explore(result: DuplicatesResult) -> None:
    ws, choice = workspace(), LINK.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(words.plain(problem), icon=":material/warning:")
    found = views.copies(result, view, ws)
    inspect_image(found, view)  # before what is below the fold: a link's inspector does not wait for it
    first, *others = DUPLICATES.answer(result, view, ws)
    tables.fact(words.as_html(first), *map(words.as_html, others))
    _controls(result, view, found)
    _leave_out(found)
    groups = views.shown(found, view)
    with st.container(key="duplicates_groups", gap="small"):
        for group in groups[:_GROUPS]:
            _copies(result, group, choice.revision)
    if not groups and found.groups:
        st.caption(f"None of the groups: {_SHOW[view.show].lower()}.")
    if len(groups) > _GROUPS:
        st.caption(f"The first {_GROUPS} of {len(groups):,} groups; the table has all.")
    made(result.created, result.device, result.seconds)


def _controls(result: DuplicatesResult, view: DuplicatesView, found: Copies) -> None:
    known = known_kernels(result.spec, workspace())
    kernel = "" if found.network is None else found.network.key
    _VIEW.seed((result.key, kernel), "show", "network", "cosine", kernel=kernel, alike=views.least_alike(result, view))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="stay_controls"):
        _VIEW.control(
            "show",
            st.segmented_control,
            "Groups",
            options=list(_SHOW),
            format_func=_SHOW.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if len(result.hashes):
            said = "Least correlation of small gray copies of two images of one picture; candidates have nearly the same perceptual hash."
            _VIEW.control("alike", st.slider, "How alike", 0.8, 1.0, step=0.01, width=170, help=said)
        if known:
            _VIEW.control("network", st.toggle, "Ask a network", help="Images whose gradients are parallel are the same to it.")
        if known and view.network:
            titles = {one.key: one.title for one in known}
            if len(known) > 1:
                _VIEW.control("kernel", st.selectbox, "Network", options=list(titles), format_func=titles.__getitem__, width=260)
            said = "Least cosine in its kernel of two images that are the same to it."
            _VIEW.control("cosine", st.slider, "Cosine", 0.9, 1.0, step=0.001, format="%.3f", width=170, help=said)
        csv_download("CSV", lambda: DUPLICATES.table(result, view, workspace()), file="duplicates", key="duplicates_csv")


def _leave_out(found: Copies) -> None:
    """One button: the same choice without all but one of each group."""
    if not found.gone:
        return
    spec = views.left_out(found)
    if spec is None:
        st.caption("Too few images would be left to leave out all but one of each.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        label = words.spoken(f"Leave out all but one of each: {words.counted(len(found.gone), 'images')}")
        if st.button(label, type="primary", icon=":material/filter_alt:", key="duplicates_leave_out"):
            LINK.take(spec)
            st.rerun()
        said = words.spoken("The set stays as it is: the choice, and its link, say which images it goes without.")
        st.html(f'<p class="atlas-quiet">{said}</p>')


def _copies(result: DuplicatesResult, group: Group, revision: int) -> None:
    """A group: what its images have in common, and they."""
    marks = [f"{len(group.images):,} times {views.how_words(group.how, result)}"]
    if group.contradictory:
        marks.append("labels differ: " + ", ".join(result.class_names[label] for label in group.labels))
    if group.leak:
        marks.append("leak: on both sides of the division")
    if len(group.images) > _EACH:
        marks.append(f"the first {_EACH}")
    st.html(f'<p class="atlas-quiet">{words.as_html(" · ".join(marks))}</p>')
    last = marked()
    gallery(
        [_card(result, group, image) for image in group.images[:_EACH]],
        base=media.thumbnail_base(result.pack),
        key=f"copies_{group.images[0]}",
        revision=revision,
        current=last if last in group.images else None,
        opens=Opens(inspect, "look closely"),
        empty="",
        tools=False,
        hint=False,
    )


def _card(result: DuplicatesResult, group: Group, image: int) -> Card:
    label, part = result.class_names[result.labels[image]], "held out" if image >= result.n else ""
    stays = "stays" if image == group.kept else ""
    title = f"{result.ids[image]}: {label}{', held out' if part else ''}{', stays' if stays else ''}"
    return Card(image, label, "", part, stays, False, title)
