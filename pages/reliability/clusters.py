"""Theorem 4 on simulated clusters (Fig. 12)."""

import streamlit as st

from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.controls import Controls

_VIEW = Controls("reliability.clusters", LINK)
_SCALES = (5, 10, 25, 50)


def show_clusters(view: ReliabilityView) -> None:
    """The control of the size, the chart, and what was found."""
    st.header("The upper bound, on simulated clusters", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _VIEW.seed(None, "scale")
        scales = sorted({*_SCALES, view.scale})
        with st.spinner(f"Simulating {124 * view.scale:,} samples …", show_time=False):
            found = views.clusters(view.scale, workspace())

        def controls() -> None:
            _VIEW.control(
                "scale",
                st.segmented_control,
                "Training samples",
                options=scales,
                format_func=lambda scale: f"{124 * scale:,}",
                required=True,
                help="Clusters of s·2, s·4, … s·32 samples in each class. The paper has s = 50: 6,200 samples, half a minute or more.",
            )

        chart(
            "Error of each cluster, and Theorem 4’s bound",
            figures.cluster_figure(found, frame.mode()),
            key="clusters",
            table=lambda: tables.cluster_table(found),
            note="Mean over a cluster’s training samples and 200 held-out ones. The rarer a cluster, the larger the error and the bound.",
            controls=controls,
        )
    with right:
        held = "every one" if found.held == found.pairs else f"{found.held:,}"
        st.html(
            words.spoken(
                f'<p class="atlas-fact">The bound held for <b>{held} of {found.pairs:,} pairs</b>.</p>'
                '<p class="atlas-quiet">Points in tight groups: each class has five clusters on the unit sphere of R<sup>100</sup>, of '
                f"radius r = {found.radius:g}, the k-th of {view.scale} · 2<sup>k</sup> samples, k = 1 … 5; the kernel is the two-layer "
                "closed form. "
                f"λ = {words.number(found.ridge)} is 1 % above the least that the theorem allows, {words.number(found.least_ridge)}, which "
                f"follows from λ<sub>max</sub> = {words.number(found.largest_eigenvalue)}; the smallest γ that these samples satisfy is "
                f"{words.number(found.gamma)}. Nothing here depends on the images chosen above.</p>"
            )
        )
