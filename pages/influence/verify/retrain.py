"""Real retraining as a page shows it: stored, under way, or offered with what it will take."""

from collections.abc import Sequence

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.verification.analysis import Verification, is_begun, is_verified, open_verification, verification_key
from ntkcore.analyses.verification.forecast import forecast_verification
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import CorruptArtifact
from ntkcore.specs import VerificationSpec
from pages.shared import job_panel, words


def retrained(spec: VerificationSpec, *, name: str, button: str, said: str) -> Verification | None:
    """The stored verification; where there is none, its job is shown, or the button that starts it.

    Args:
        spec: what is verified.
        name: of this part of the page; names its widgets.
        button: what the button says.
        said: what retraining would be, a sentence that the forecast's seconds end.
    """
    ws = workspace()
    job = ws.jobs.state(verification_key(spec, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id, name=f"{name}_panel")
        return None
    if is_verified(spec, ws):
        try:
            return open_verification(spec, ws)
        except CorruptArtifact as damage:
            st.warning(words.plain(f"{damage.message} {damage.remedy}"), icon=":material/warning:")
            job_panel.job_panel(requests.repair(damage, spec, ws).id, name=f"{name}_panel")
            return None
    if job is not None:
        job_panel.ended(job)
    begun = is_begun(spec, ws)
    forecast_and_start([spec], name=name, button="Go on retraining" if begun else button, said=said, whole=begun)
    return None


def forecast_and_start(specs: Sequence[VerificationSpec], *, name: str, button: str, said: str, whole: bool = False) -> None:
    """A button that starts some verifications one after another, beside what they will take on this machine.

    Args:
        specs: what is verified.
        name: of the button.
        button, said: its words, and the sentence beside it.
        whole: whether the forecast is that of all of it, though a part is done.
    """
    ws = workspace()
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        forecasts = [forecast_verification(spec, ws) for spec in specs]
    refusal = next((found.refusal for found in forecasts if found.refusal), "")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(button, key=name, disabled=bool(refusal)):
            for spec in specs:
                requests.request_verification(spec, ws)
            st.rerun()
        if not refusal:
            took = f"about **{words.duration(sum(found.seconds for found in forecasts))}** on this machine"
            st.markdown(f"{said}: {took}{', less what is done' if whole else ''}.", width="stretch")
    if refusal:
        st.error(words.plain(refusal), icon=":material/warning:")


def change(value: float) -> str:
    """A signed change of a loss."""
    return ("+" if value > 0 else "") + words.number(float(value), 3)
