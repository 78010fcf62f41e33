"""Jobs and cache: what is being computed, by which worker, and what is kept on disk."""

import hashlib
import time
from math import inf
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from ntkcore.analyses import catalogue
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import rounds
from ntkcore.analyses.workspace import workspace
from ntkcore.data import describe
from ntkcore.errors import AtlasError, CorruptArtifact
from ntkcore.jobs import QUEUES, JobState, Lane, WorkerState, ensure_worker
from ntkcore.library import asking, audit
from ntkcore.permalink import ADDRESSES
from ntkcore.roles import Action
from ntkcore.specs import DatasetSpec, title_of
from ntkcore.specs.influence import INFLUENCE_KERNELS
from ntkcore.specs.label import LabelNetworkSpec
from ntkcore.store import Entry
from pages import entry
from pages.shared import choice as links
from pages.shared import frame, job_panel, words
from pages.shared.page import heading

_SHOWN = 5  # jobs shown before the rest is folded away
_STARTED, _STARTS = "jobs.started", 20.0  # when workers were started here, and the seconds for which that is said
_ACTIONS = (
    ("Keep (pin)", "pin", None),
    ("Let go (unpin)", "unpin", None),
    ("Check", "verify", "Reads every tile and compares its checksum."),
    ("Remove", "remove", "It is computed again when asked for."),
)
_NEEDS: dict[str, Action] = {"pin": "keep results", "unpin": "keep results", "verify": "check", "remove": "remove results"}
_STATUS = {
    "queued": "waiting",
    "running": "running",
    "cancelling": "cancelling",
    "done": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
}


def page() -> None:
    """Workers and jobs, refreshed every two seconds; then the store."""
    heading("jobs")
    _jobs()
    _store()


@st.fragment(run_every=2.0, key="jobs")
@frame.telling
def _jobs() -> None:
    ws = workspace()
    workers = [worker for worker in ws.jobs.workers() if worker.alive]
    st.header("Jobs", anchor=False)
    if workers:
        st.caption("Workers: " + ", ".join(map(_worker, workers)))
    if missing := [lane for lane in QUEUES if all(worker.lane != lane for worker in workers)]:
        _start(missing, none=not workers)
    _aside()
    jobs = sorted(ws.jobs.list(50), key=_urgency)
    if not jobs:
        st.caption("No job yet.")
    shown = max(_SHOWN, sum(job.active for job in jobs))
    for job in jobs[:shown]:
        _job(job)
    if earlier := jobs[shown:]:
        with st.expander(f"{len(earlier)} earlier job{'s' if len(earlier) > 1 else ''}"):
            for job in earlier:
                _job(job)


def _urgency(job: JobState) -> tuple[int, float]:
    """What runs first, then what waits, in the order in which it was asked for; then what changed last."""
    moments = [moment.timestamp() for moment in (job.created, job.started, job.finished) if moment is not None] or [0.0]
    return (int(job.status == "queued"), moments[0]) if job.active else (2, -max(moments))


def _worker(worker: WorkerState) -> str:
    takes = ", imports and what takes seconds" if worker.lane == "quick" else ""
    return f"{words.plain(worker.device)} on {words.plain(worker.host)}{takes}" + (" (busy)" if worker.job else "")


def _start(missing: list[Lane], *, none: bool) -> None:
    """What is not computed since no worker takes it, and the button that starts one."""
    if none:
        said = "No worker is running, so nothing is computed."
    elif "quick" in missing:
        said = "No worker is running for imports and for what takes seconds, so these wait."
    else:
        said = "No worker is running for what takes more than seconds, so that waits."
    if time.monotonic() - st.session_state.get(_STARTED, -inf) < _STARTS:  # no toast: a fragment's takes the place of the page's style
        st.caption(f"{said} A worker is starting; it takes a few seconds.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(f"{said} It starts with the app; or run `python -m ntkcore worker`.", icon=":material/warning:")
        st.button("Start a worker", key="start_worker", width="content", on_click=_start_workers, args=(missing,))


def _start_workers(lanes: list[Lane]) -> None:
    asking.require("start workers")
    for lane in lanes:
        ensure_worker(workspace().settings, lane)
    st.session_state[_STARTED] = time.monotonic()


def _aside() -> None:
    """That a damaged list of jobs was moved aside, until somebody removes it."""
    jobs = workspace().jobs
    if found := jobs.set_aside():
        named = ", ".join(f"`{path.name}`" for path in found)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(
                f"The list of jobs was damaged and begins anew; what was computed is kept. Moved aside in the cache folder: {named}."
            )
            st.button("Delete what was moved aside", key="aside", type="tertiary", on_click=_tidy)


def _tidy() -> None:
    asking.require("tidy")
    workspace().jobs.remove_aside()


def _job(job: JobState) -> None:
    with st.container(border=True, key=f"job_{job.id[:12]}"):
        left, middle, right = st.columns([5, 3, 1.2], vertical_alignment="center")
        by = f" by {words.plain(job.owner_name)}" if job.owner_name and asking.has_people() else ""
        left.markdown(f"**{words.plain(job.title)}**  \n:small[{_STATUS[job.status]} · asked {words.when(job.created)}{by}]")
        if job.active:
            middle.progress(min(max(job.fraction, 0.0), 1.0), text=_doing(job))
            fixed = job.status == "cancelling" or not job_panel.may_cancel(job)
            if right.button("Cancel", key=f"cancel-{job.id}", disabled=fixed, width="stretch"):
                workspace().jobs.cancel(job.id)
                st.rerun(scope="fragment")
            return
        if job.status == "failed":
            middle.caption(words.plain(f"{job.message} {job.remedy}"))
        elif job.started and job.finished:
            middle.caption(f"took {words.duration((job.finished - job.started).total_seconds())}")
        analysis, labelling = catalogue.of_job(job), job.kind == networks.KIND
        if (labelling or analysis is not None) and right.button("Open", key=f"open-{job.id}", width="stretch"):
            _open_session(job) if analysis is None else _open(analysis, job)


def _open(analysis: Analysis[Any, Any, Any], job: JobState) -> None:
    """Go to the page that shows what a job computes."""
    try:
        asked = analysis.spec.model_validate(job.payload["spec"])
    except (KeyError, ValidationError):
        st.caption("What was asked for cannot be read: it is damaged, or of another version.")
        return
    spec, view = analysis.shown(asked)
    links.go_to(ADDRESSES[analysis.name].page, spec, view)


def _open_session(job: JobState) -> None:
    """Go to the labelling session that a network was trained for."""
    try:
        session = rounds.session_of(LabelNetworkSpec.model_validate(job.payload["spec"]), workspace())
    except (KeyError, ValidationError):
        session = None
    if session is None:
        st.caption("The session that it was trained for is not in the library.")
    else:
        st.switch_page(entry("label").file, query_params={"session": session})


def _doing(job: JobState) -> str:
    return job_panel.waits_for(job) if job.status == "queued" else job.stage or "starting"


def _store() -> None:
    ws = workspace()
    st.header("Kept on disk", anchor=False)
    if (gone := ws.store.retired()) is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            many = "1 result" if gone.count == 1 else f"{gone.count:,} results"
            st.caption(
                f"{many} of version 0.1.0 ({words.size(gone.bytes)}) did not say which methods made them, and were removed when this "
                "version first started. They are computed anew when asked for; your own sets are as they were."
            )
            st.button("Understood", key="retired", type="tertiary", on_click=ws.store.acknowledge, disabled=not asking.person().may("tidy"))
    entries = sorted(ws.store.entries(), key=lambda entry: (entry.info.get("created", ""), entry.kind, entry.key), reverse=True)
    total = sum(entry.bytes for entry in entries)
    hot = ws.hot.stats()
    one, two, three = st.columns(3)
    one.metric(
        "Stored", words.size(total), help=f"The least recently used goes first when it passes {words.size(ws.settings.disk_budget)}."
    )
    two.metric("Free on this disk", words.size(ws.store.room()))
    three.metric("Held in memory", words.size(hot.bytes), help=f"At most {words.size(ws.settings.device_cache)}, shared by all sessions.")
    if not entries:
        st.caption("Nothing is stored yet.")
        return
    rows = pd.DataFrame(
        {
            "what": [catalogue.word_of(entry.kind) for entry in entries],
            "of": [_about(entry) for entry in entries],
            "size": [entry.bytes for entry in entries],
            "last used": [words.when(entry.last_used) for entry in entries],
            "pinned": [entry.pinned for entry in entries],
            "saved": [entry.saved for entry in entries],
            "key": [entry.key[:12] for entry in entries],
        }
    )
    # A selection is row numbers: another list of artifacts is another table, whose selection starts empty.
    listed = hashlib.sha256(repr([(entry.kind, entry.key) for entry in entries]).encode()).hexdigest()[:12]
    event = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height=min(320, 38 * (len(entries) + 1)),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"store_rows_{listed}",
        column_config={"size": st.column_config.NumberColumn(format="bytes")},
    )
    chosen = [entries[row] for row in event["selection"]["rows"] if row < len(entries)]
    if kept := sum(entry.saved for entry in chosen):
        many = "One of these is" if kept == 1 else f"{kept:,} of these are"
        st.caption(f"{many} shown by saved analyses, which would have to be computed again if it were removed.")
    with st.container(horizontal=True, gap="small"):
        for label, act, said in _ACTIONS:
            if st.button(label, disabled=not chosen or not asking.person().may(_NEEDS[act]), help=said):
                _act(act, chosen)


def _act(act: str, chosen: list[Entry]) -> None:
    """Do it to each; one that somebody else has removed meanwhile says so."""
    store = workspace().store
    try:
        asks = asking.require(_NEEDS[act])
        if act == "verify":
            _check([damage for entry in chosen for damage in store.verify(entry.kind, entry.key)], len(chosen))
            return
        for entry in chosen:
            getattr(store, act)(entry.kind, entry.key)
            if act == "remove":
                audit.write(workspace().library, asks, "deleted", f"{catalogue.word_of(entry.kind)} {entry.key[:12]}")
    except AtlasError as error:
        frame.show_error(error)
        return
    st.rerun()


def _check(damaged: list[CorruptArtifact], count: int) -> None:
    if not damaged:
        st.success(f"All tiles of {count} artifact{'s' if count > 1 else ''} are sound.", icon=":material/check_circle:")
    for damage in damaged:
        st.error(f"{damage.message} It is computed again when it is next opened.", icon=":material/warning:")


def _about(entry: Entry) -> str:
    """What an artifact is of: its images and network, or, of one that hangs on others, its analysis's title."""
    spec = entry.spec
    if "dataset" not in spec:
        analysis = next((one for one in catalogue.ANALYSES if one.kind == entry.kind), None)
        if analysis is None:  # seconds are of a network, on whatever images
            named = title_of(spec.get("architecture") or "")
            return f"{named} · width {spec['width']:,}" if named else ""
        try:
            return analysis.title(analysis.spec.model_validate(spec), workspace())
        except (AtlasError, ValidationError):  # of a set that is gone, or of another version
            return ""
    dataset = DatasetSpec.model_validate(spec["dataset"])
    model = spec.get("model") or {}
    architecture = spec.get("architecture") or model.get("architecture")
    parts = [describe.describe_dataset(dataset, workspace().settings), title_of(architecture or "")]
    if "kernel" in spec:
        parts.append(INFLUENCE_KERNELS[spec["kernel"]])
    elif "test" in spec and model:  # one of many comparisons: which
        training = spec.get("training") or {"epochs": 0}
        parts.append(f"width {model['width']}, seed {model['seed']}, epoch {training['epochs']}")
    return " · ".join(filter(None, parts))


page()
