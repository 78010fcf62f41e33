"""A table of detectors: every score with its three metrics and their intervals."""

from collections.abc import Mapping
from math import isnan

import streamlit as st

from ntkcore.analyses.information.labels.views import METRICS, Estimate
from ntkcore.figures.information.labels import SHORT
from ntkcore.specs.detection import Suspicion


def metrics_table(rows: Mapping[Suspicion, Mapping[str, Estimate]], note: str) -> None:
    """Show the table.

    Args:
        rows: score to metric to its estimate; an interval that is NaN is left out.
        note: what the intervals are of, below it.
    """
    head = "".join(f"<th>{title[0].upper()}{title[1:]}</th>" for title in METRICS.values())
    body = "".join(
        f"<tr><th>{SHORT[score]}</th>{''.join(_cell(metrics[name]) for name in METRICS)}</tr>" for score, metrics in rows.items()
    )
    st.html(
        f'<table class="atlas-facts atlas-columns"><tr><th></th>{head}</tr>{body}</table><p class="atlas-quiet">{note}</p>',
    )


def _cell(one: Estimate) -> str:
    interval = "" if isnan(one.low) else f'<br><span class="atlas-quiet">{one.low:.3f}–{one.high:.3f}</span>'
    return f'<td style="white-space: nowrap">{one.value:.3f}{interval}</td>'
