"""The width sweep: agreement and error of every verified width beside Table 1, and all widths at once."""

from collections.abc import Sequence
from math import isnan

import streamlit as st

from ntkcore.analyses.defaults import within
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.verification import views
from ntkcore.analyses.verification.analysis import VERIFICATION, measured
from ntkcore.analyses.workspace import workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.specs.influence import VerificationSpec
from pages.shared import job_panel, words
from pages.shared.standing import Offer, offered
from pages.shared.tables import columns_table


def show_widths(result: InfluenceResult, spec: VerificationSpec, target: int) -> None:
    """The table, what is under way, and the button for the widths that are missing.

    Args:
        result: what is verified.
        spec: at the width that is shown beside the table.
        target: the held-out image.
    """
    ws, paper = workspace(), views.paper_of(result.spec)
    found = views.of_all_widths(measured(result.spec, ws), spec)
    alike = spec.target is not None  # the paper's are the most influential images; ticked ones are other images
    st.subheader("Over width, beside the paper" if alike else "Over width", anchor=False)
    rows = []
    for one in found:
        pearson, spearman = one.correlations(target)
        error = one.error(target)
        rows.append((f"{one.spec.width:,} here", _or_none(pearson), _or_none(spearman), _or_none(100 * error, ".1f", " %")))
    own = describe_dataset(result.spec.dataset, ws.settings)
    count = len(spec.removed)
    which = "most influential" if alike else "ticked images" if count > 1 else "ticked image"
    note = f"Here: {own}, {count} {which}."
    if alike:
        rows += [(f"{width:,} in the paper", f"{r:.4f}", f"{rho:.4f}", "") for width, (r, rho) in sorted(paper.figures.items())]
        known = result.spec.dataset.name in views.PAPER
        reference = "" if known else " The paper has no column for these images; that one is for reference."
        note += f" In the paper (Table 1): {paper.data}, 5000 training images, 40 most influential.{reference}"
    head = ("Units", "Pearson", "Spearman", *(["Median error"] if found else []))
    if rows:
        columns_table(head, [row[: len(head)] for row in rows], note)
    _sweep(spec, {one.spec.width for one in found})


def _or_none(value: float, form: str = ".4f", unit: str = "") -> str:
    return "–" if isnan(value) else f"{value:{form}}{unit}"


def _sweep(spec: VerificationSpec, done: set[int | None]) -> None:
    """What is under way of the other widths, or the button for those that are missing."""
    ws = workspace()
    missing = [width for width in views.WIDTHS if width not in done]
    states = {width: ws.jobs.state(VERIFICATION.key(views.at_width(spec, width), ws)) for width in missing}
    active = {width: job for width, job in states.items() if job is not None and job.active}
    others = [width for width in active if width != spec.width]
    if not active:
        if len(missing) > 1 or (missing and spec.width not in missing):
            soon, later = within(VERIFICATION, [views.at_width(spec, width) for width in missing], ws)
            every = (
                f"up to {soon[-1].width:,} units" if later else "all widths" if len(missing) == len(views.WIDTHS) else "the other widths"
            )
            wider = f" (wider ones, chosen above, take {words.duration(later)})" if later else ""
            said = f"{_listed([one.width for one in soon])} units{', one after another' if len(soon) > 1 else ''}{wider}"
            offered([(VERIFICATION, one) for one in soon], Offer(f"Verify {every}", said, key="verify_widths"))
        return
    if spec.width not in active:
        first = min(others, key=lambda width: active[width].status == "queued")
        st.html(f'<p class="atlas-quiet">{first:,} units:</p>')
        job_panel.job_panel(active[first].id, name="widths_panel")
        others.remove(first)
    if others:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<p class="atlas-quiet">Then {_listed(others)} units.</p>', width="content")
            if st.button("Cancel these", key="cancel_widths", type="tertiary"):
                for width in others:
                    ws.jobs.cancel(active[width].id)
                st.rerun()


def _listed(widths: Sequence[int]) -> str:
    """512, 1,024 and 2,048."""
    *some, last = [f"{width:,}" for width in widths]
    return f"{', '.join(some)} and {last}" if some else last
