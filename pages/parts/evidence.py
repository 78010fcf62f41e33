"""The evidence for a learnability ranking: distribution, accuracy, order of learning and errors, as linked charts."""

import numpy as np
import streamlit as st

from ntkcore.analyses import learnability_views as views
from ntkcore.analyses.learnability import LearnabilityResult
from ntkcore.analyses.workspace import workspace
from ntkcore.figures import learnability as figures
from ntkcore.specs import LearnabilityView
from pages.parts import frame, links
from pages.parts.charts import chart

_SHOWN, _WAITED = "evidence.shown", "evidence.waited"
_PAUSE = 0.8  # seconds in which a browser has painted the gallery
_HEIGHT = 960  # pixels of the charts, so that nothing jumps when they come


def evidence(result: LearnabilityResult, facts: views.Judged, view: LearnabilityView) -> None:
    """The four charts; on the first view of a result, a moment after the gallery.

    A browser needs over a second to load the chart library, in which it would show no image and take no click.
    """
    st.header("The evidence", anchor=False)
    if st.session_state.get(_SHOWN) != result.key:
        _after_the_gallery(result.key)
        return
    curves = views.group_curves(result, view, workspace())
    mode = frame.mode()
    left, right = st.columns(2, gap="large")
    with left:
        _histogram(result, facts, view, mode)
    with right:
        chart(
            "Accuracy of the three groups while training",
            figures.accuracy_curves(curves, mode),
            key="accuracy",
            table=lambda: views.curve_table(curves),
            note="The paper's Fig. 3: easy images should be learned in fewer epochs.",
        )
    left, right = st.columns(2, gap="large")
    with left:
        _learned(result, facts, view, mode)
    with right:
        _errors(curves, mode)


@st.fragment(run_every=_PAUSE, key="evidence_wait")
def _after_the_gallery(key: str) -> None:
    if st.session_state.get(_WAITED) == key:
        st.session_state[_SHOWN] = key
        st.rerun()
    st.session_state[_WAITED] = key
    st.skeleton(height=_HEIGHT)


def _histogram(result: LearnabilityResult, facts: views.Judged, view: LearnabilityView, mode: str) -> None:
    chosen = views.groups(result, view)
    cuts = (
        float(result.score[chosen.hard].max()) if len(chosen.hard) else np.nan,
        float(result.score[chosen.easy].min()) if len(chosen.easy) else np.nan,
    )
    chart(
        "How k(x,x) is distributed",
        figures.score_histogram(result, cuts, view.image, mode),
        key="histogram",
        table=lambda: views.table(result, facts, np.argsort(result.score)),
        note="Drag across bars to show just those images in the gallery.",
        selection_mode="box",
        on_select=lambda: _brushed(result, facts),
    )


def _brushed(result: LearnabilityResult, facts: views.Judged) -> None:
    boxes = st.session_state["chart.histogram"]["selection"].get("box") or []
    if not boxes:
        links.look(low=0.0, high=100.0, elsewhere=True)
        return
    low, high = sorted(boxes[0]["x"])
    span = views.percentile_span(result, facts, low, high)
    if span is not None:
        links.look(gallery="all", low=span[0], high=span[1], elsewhere=True)


def _learned(result: LearnabilityResult, facts: views.Judged, view: LearnabilityView, mode: str) -> None:
    chart(
        "k(x,x) against the epoch each image is learned",
        figures.learned_scatter(result, facts, views.jitter(result), view.image, mode),
        key="learned",
        table=lambda: views.table(result, facts, np.argsort(result.score)),
        note="Lasso images to show just those in the gallery.",
        selection_mode=("lasso", "box", "points"),
        on_select=lambda: _lassoed(),
    )


def _lassoed() -> None:
    points = st.session_state["chart.learned"]["selection"].get("points") or []
    picked = tuple(sorted({int(p["customdata"]) for p in points if p.get("customdata") is not None}))
    links.look(picked=picked, gallery="all" if picked else links.current().view.gallery, elsewhere=True)


def _errors(curves: views.GroupCurves, mode: str) -> None:
    def controls() -> None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.segmented_control(
                "Groups shown",
                ["all", "hard", "medium", "easy"],
                default="all",
                required=True,
                key="errors.group",
                label_visibility="collapsed",
            )
            st.toggle("log scale", key="errors.log")

    shown = st.session_state.get("errors.group", "all")
    chart(
        "Mean error: measured and predicted",
        figures.error_curves(curves, shown, mode, log=st.session_state.get("errors.log", False)),
        key="errors",
        table=lambda: views.curve_table(curves),
        note="Solid: the real network. Dotted: each image on its own (eq. 16). Dashed: all images coupled (eq. 17). "
        "One group alone also shows the envelope of eq. 15.",
        controls=controls,
    )
