"""A data set or weights that are not on this machine: why, and the button that downloads them."""

import streamlit as st

from ntkcore.analyses import imports
from ntkcore.analyses.materials.about import downloadable
from ntkcore.analyses.workspace import workspace
from ntkcore.data import catalogue
from ntkcore.errors import DataMissing, WeightsMissing
from pages.shared import frame, job_panel, words


def offer_weights(error: WeightsMissing) -> None:
    """Show which weights are missing and, where they are published, offer to download them."""
    ws, architecture = workspace(), error.architecture
    frame.show_error(error)
    if not downloadable(architecture):
        return
    job = ws.jobs.state(imports.download_key(architecture))
    if job is not None and job.active:
        job_panel.job_panel(job.id)
        return
    if job is not None:
        job_panel.ended(job)
    if st.button("Download the weights", icon=":material/download:", key=f"download-{architecture}"):
        imports.request_weights(architecture, ws)
        st.rerun()


def offer_download(error: DataMissing, name: str) -> None:
    """Show what is missing and, where it can be had, offer to download it."""
    if isinstance(error, WeightsMissing):
        offer_weights(error)
        return
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
