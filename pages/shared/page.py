"""What every analysis page is: the choice, from the address and the bar, then the state that the analysis is in."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing
from ntkcore.specs import ConvergenceSpec, InfluenceSpec, LearnabilitySpec, Spec
from pages.shared import frame, job_panel, missing
from pages.shared.choice import Choice, Link
from pages.shared.forecast import forecast_card

S = TypeVar("S", LearnabilitySpec, ConvergenceSpec, InfluenceSpec)
V = TypeVar("V", bound=Spec)


def analysis_page(
    title: str, lead: str, link: Link[S, V], analysis_bar: Callable[[Choice[S, V]], S | None], show: Callable[[S], None]
) -> None:
    """Show the page; here are its states in which there is nothing to show: bad address, contradictory choice, damage, missing data.

    Args:
        title, lead: its heading.
        link: its choice.
        analysis_bar: shows the bar and returns what it says; None when that is contradictory, and said.
        show: shows the analysis: its forecast, its job, its result.
    """
    frame.heading(title, lead)
    try:
        choice = link.opened()
    except AtlasError as error:
        frame.show_error(error)
        st.button("Start from the defaults", on_click=link.forget, type="primary")
        return
    spec = analysis_bar(choice)
    if spec is None:
        return
    link.choose(spec)
    try:
        _show_or_repair(spec, show)
    except DataMissing as error:
        missing.offer_download(error, spec.dataset.name)
    except AtlasError as error:
        frame.show_error(error)


def show_or_compute(
    key: str,
    *,
    ready: Callable[[], bool],
    result: Callable[[], None],
    forecast: Callable[[], Forecast],
    request: Callable[[], object],
) -> None:
    """Show an analysis that is one job: the job while it runs, its result, or what it would cost.

    Args:
        key: of the job.
        ready: whether the result is stored; asked after the job, so that what ends in between is shown as running, and drawn again.
        result: shows it.
        forecast, request: as for :func:`~pages.shared.forecast.forecast_card`.
    """
    job = workspace().jobs.state(key)
    if job is not None and job.active:
        job_panel.job_panel(job.id)
    elif ready():
        result()
    else:
        if job is not None:
            job_panel.ended(job)
        forecast_card(forecast, request)


def _show_or_repair(spec: S, show: Callable[[S], None]) -> None:
    try:
        show(spec)
    except CorruptArtifact as damage:
        job = requests.repair(damage, spec, workspace())
        st.warning(f"{damage.message} {damage.remedy}", icon=":material/warning:")
        job_panel.job_panel(job.id)
