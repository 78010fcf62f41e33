"""Your images and texts: bring a set of your own, see what was made of it, open it, remove it."""

from collections.abc import Sequence

import streamlit as st

from ntkcore.analyses import defaults, imports
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import workspace
from ntkcore.data import OwnSet, own_sets, training_part
from ntkcore.errors import AtlasError, LibraryError
from ntkcore.library import Saved
from ntkcore.specs import DatasetSpec
from ntkcore.specs.duplicates import DuplicatesSpec
from ntkcore.specs.learnability import LearnabilitySpec
from pages import entry
from pages.data import form as import_form
from pages.data import preview
from pages.shared import frame, job_panel, strip, words
from pages.shared.choice import go_to
from pages.shared.page import heading


def page() -> None:
    """Import on top, the sets below."""
    heading("data")
    _import()
    st.header("On this server", anchor=False)
    sets = own_sets(workspace().settings)
    if not sets:
        st.caption("None yet.")
    for item in sets:
        _row(item, sets)


def _import() -> None:
    with st.container(border=True, key="import"):
        form = import_form.show()
        with st.container(horizontal=True, gap="small"):
            send = st.button("Import", type="primary", disabled=not form.ready, key="import_button")
            looks = st.button("Look inside first", disabled=not form.chosen, key="look_button")
        try:
            if send:
                st.session_state["import.job"] = form.send().id
                st.session_state["import.count"] = st.session_state.get("import.count", 0) + 1
                st.rerun()
            if looks:
                st.session_state["import.look"] = (form.identity, form.look().id)
        except AtlasError as error:
            frame.show_error(error)
        of, look = st.session_state.get("import.look", ((), ""))
        if look and of == form.identity:
            preview.show(look)
    _import_job()


def _import_job() -> None:
    key = st.session_state.get("import.job")
    job = workspace().jobs.state(key) if key else None
    if job is None:
        return
    if job.active:
        job_panel.job_panel(job.id)
    elif job.status == "done":
        st.success("Imported. It is in the list below.", icon=":material/check_circle:")
    else:
        job_panel.ended(job)
        if job.status == "cancelled" and imports.at_hand(job) and st.button("Go on with the import", key="import_again"):
            imports.go_on(job, workspace())
            st.rerun()


def _row(item: OwnSet, sets: Sequence[OwnSet]) -> None:
    with st.container(border=True, key=f"set_{item.content_id[:12]}"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            st.markdown(f"**{words.plain(item.name)}** · {item.n:,} {item.kind}, {len(item.class_names)} classes, {item.shape_text}")
            sound = not item.problem and strip.strip(_first_look(item).dataset, unlabelled=bool(item.unlabelled))
            of_class = zip(item.class_names, item.counts, strict=True)
            counts = ", ".join(f"{words.plain(name)} ({words.counted(count, item.kind)})" for name, count in of_class)
            st.caption(counts if len(counts) < 400 else counts[:400] + " …")
            if item.problem:
                st.error(words.plain(item.problem), icon=":material/warning:")
            if item.before:
                old = next((other for other in sets if other.content_id == item.before), None)
                of = f"“{words.plain(old.name)}” with {old.n:,} {old.kind}" if old else "a set that has been removed"
                st.caption(f"A new version of {of}.")
            for note in item.notes:
                st.caption(words.plain(note))
            if item.skipped_count:
                preview.left_out(item.skipped, item.skipped_count, f"left-{item.content_id[:12]}")
        with right:
            _open(item, sound)
            _copies(item, sound)
            mine = imports.may_remove(item.content_id, workspace())
            with st.popover("Remove", width="stretch", key=f"remove-{item.content_id[:12]}", disabled=not mine):
                st.caption("Deletes the only copy this server has. Analyses of it can then no longer be computed again.")
                _saved_of_it(item)
                if st.button("Delete it", key=f"delete-{item.content_id[:12]}"):
                    try:
                        imports.remove(item.content_id, item.name, workspace())
                    except AtlasError as error:
                        frame.show_error(error)
                    else:
                        st.rerun()


def _saved_of_it(item: OwnSet) -> None:
    """How many saved analyses a removal leaves without their images."""
    try:
        count = Saved(workspace().library).of_source(item.content_id)
    except LibraryError:
        st.caption("Whether saved analyses are of it cannot be told now.")
        return
    if count:
        st.caption(f"{count} saved {'analyses are' if count > 1 else 'analysis is'} of it, and stay as they are.")


def _open(item: OwnSet, sound: bool) -> None:
    """The buttons to the pages that work on it."""
    short = item.content_id[:12]
    if item.unlabelled and st.button("Label", key=f"label-{short}", type="primary", width="stretch", disabled=not sound):
        st.switch_page(entry("label").file, query_params={"set": item.content_id})
    kind = "secondary" if item.unlabelled else "primary"
    if st.button("Explore", key=f"explore-{short}", type=kind, width="stretch", disabled=not _explored(item, sound)):
        with st.spinner("Measuring this machine for the forecast …", show_time=False):
            spec = defaults.affordable(LEARNABILITY, defaults.fewer_images(_first_look(item), workspace()), workspace())
        go_to("learnability", spec)


def _copies(item: OwnSet, sound: bool) -> None:
    """The button that looks through the whole set for copies, before anything is trained."""
    if st.button("Find copies", key=f"copies-{item.content_id[:12]}", width="stretch", disabled=not _explored(item, sound)):
        dataset = DatasetSpec(name="own", own=item.content_id, part=training_part([part for part, _ in item.parts]))
        room = defaults.room_of_choice(dataset, workspace())  # of a divided set the other parts are held out
        if room.held == 1:  # which is fewer than can be: everything is looked through, undivided
            dataset = dataset.model_copy(update={"part": ""})
            room = defaults.room_of_choice(dataset, workspace())
        spec = DuplicatesSpec(dataset=dataset.model_copy(update={"n": room.images}), test=room.held or 0)
        if not DUPLICATES.ready(spec, workspace()):
            DUPLICATES.request(spec, workspace())
        go_to("duplicates", spec)


def _explored(item: OwnSet, sound: bool) -> bool:
    """Whether its labels are enough for the other pages, which see nothing else of it."""
    return sound and (not item.unlabelled or (len(item.counts) > 1 and min(item.counts) > 1))


def _first_look(item: OwnSet) -> LearnabilitySpec:
    spec = LearnabilitySpec.model_validate(
        {
            "dataset": {"name": "own", "own": item.content_id, "part": training_part([part for part, _ in item.parts])},
            "model": {"architecture": "cnn3" if item.kind == "images" else "fcn"},
        }
    )
    return defaults.fitted(spec, (), workspace())


page()
