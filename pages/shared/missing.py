"""A data set that is not on this machine: why, and the button that downloads it."""

import streamlit as st

from ntkcore.analyses import imports
from ntkcore.analyses.workspace import workspace
from ntkcore.data import catalogue
from ntkcore.errors import DataMissing
from pages.shared import frame, job_panel, words


def offer_download(error: DataMissing, name: str) -> None:
    """Show what is missing and, where it can be had, offer to download it."""
    ws = workspace()
    info = next((info for info in catalogue(ws.settings) if info.name == name), None)
    if info is None or not info.downloadable or info.available:
        frame.show_error(error)
        return
    job = ws.jobs.state(imports.download_key(name))
    if job is not None and job.active:
        job_panel.job_panel(job.id)
        return
    if job is not None:
        job_panel.ended(job)
    st.caption(words.plain(info.reason))
    if st.button(f"Download ({words.size(info.download_bytes)})", icon=":material/download:", key=f"download-{name}"):
        imports.request_download(name, ws)
        st.rerun()
