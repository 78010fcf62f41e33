"""A job as the page shows it: progress with rate and time left, cancel, and what became of it."""

from collections.abc import Callable

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.jobs import JobState
from ntkcore.library import asking
from pages.shared import choice as links
from pages.shared import frame, words


def job_panel(key: str, moved: Callable[[], bool] | None = None, *, name: str = "job_panel") -> None:
    """Show an active job, refreshed every second; the whole page runs again when it ends.

    Args:
        key: the job's id.
        moved: whether there is more to show than the page shows; the whole page runs again when there is.
        name: of the panel, where a page shows several.
    """

    @st.fragment(run_every=1.0, key=f"panel-{key[:12]}")
    @frame.telling
    def panel() -> None:
        job = workspace().jobs.state(key)
        if job is None or not job.active or (moved is not None and moved()):
            links.rerun()
            return
        _show(job, name)

    panel()


def _show(job: JobState, name: str) -> None:
    with st.container(border=True, key=name):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{_doing(job)}**", width="content")
            fixed = job.status == "cancelling" or not may_cancel(job)
            if st.button("Cancel", key=f"cancel-{job.id[:12]}", disabled=fixed):
                workspace().jobs.cancel(job.id)
                st.rerun(scope="fragment")
        st.progress(min(max(job.fraction, 0.0), 1.0))
        st.html(f'<div class="atlas-quiet">{_details(job)}</div>')
        for text in job.warnings:
            st.caption(f":material/warning: {words.plain(text)}")


def may_cancel(job: JobState) -> bool:
    """Whether whoever asks may stop it."""
    asks = asking.person()
    return asks.may("cancel others") or (asks.may("cancel") and asks.id == job.owner)


def _doing(job: JobState) -> str:
    if job.status == "cancelling":
        return "Cancelling …"
    return f"{waits_for(job)} …" if job.status == "queued" else f"{job.stage or 'Starting'} …"


def waits_for(job: JobState) -> str:
    """What a queued job waits for and about how long, as Markdown without a full stop."""
    waiting = workspace().jobs.waiting(job)
    if not waiting.served:
        return "Waiting: no worker is running yet"
    if not waiting.ahead:
        return "Waiting for a worker"
    first, *more = waiting.ahead
    others = f" and {len(more)} more" if more else ""
    about = f", about {words.duration(waiting.seconds)}" if waiting.seconds is not None else ""
    return f"Waiting for {words.plain(first)}{others}{about}"


def _details(job: JobState) -> str:
    if job.status != "running":
        return "You can close this page; the job goes on, and the result will be here."
    parts = [f"{100 * job.fraction:.0f} %"]
    if job.stage_total:
        parts.append(f"{job.stage_done:,.0f} of {job.stage_total:,.0f} {job.rate_unit}")
    if job.rate:
        parts.append(f"{job.rate:,.0f} {job.rate_unit}/s" if job.rate >= 1 else f"{job.rate:.2g} {job.rate_unit}/s")
    if job.eta_seconds is not None:
        parts.append(f"about {words.duration(job.eta_seconds)} left")
    if job.deaths:
        parts.append(f"resumed {job.deaths}× after its worker died")
    return " · ".join(parts) + " · you can close this page, the job goes on"


def ended(job: JobState) -> None:
    """Say what became of a job that ended without a result."""
    if job.status == "failed":
        st.error(f"**{words.plain(job.message)}**  \n{words.plain(job.remedy)}", icon=":material/warning:")
    elif job.status == "cancelled":
        st.info(
            "This computation was cancelled. What was finished is kept: computing again goes on from there.", icon=":material/pause_circle:"
        )
