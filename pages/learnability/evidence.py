"""The evidence for a learnability ranking: distribution, accuracy, order of learning and errors, as linked charts."""

import math

import numpy as np
import streamlit as st

from ntkcore.analyses.learnability import views
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.workspace import workspace
from ntkcore.figures import learnability as figures
from pages.learnability.choice import LINK
from pages.shared import choice as links
from pages.shared import frame
from pages.shared.charts import chart, forget_selection, selected
from pages.shared.controls import Controls

_ERRORS = Controls("learnability.errors", LINK)
_SHOWN, _WAITED = "evidence.shown", "evidence.waited"
_PAUSE = 0.8  # seconds in which a browser has painted the gallery
_HEIGHT = 960  # pixels of the charts, so that nothing jumps when they come


def evidence(look: Look) -> None:
    """The four charts; on the first view of a result, a moment after the gallery.

    A browser needs over a second to load the chart library, in which it would show no image and take no click.
    """
    st.header("The evidence", anchor=False)
    if st.session_state.get(_SHOWN) != look.result.key:
        _after_the_gallery(look.result.key)
        return
    curves = views.group_curves(look)
    mode = frame.mode()
    left, right = st.columns(2, gap="large")
    with left:
        _histogram(look, mode)
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
        _learned(look, mode)
    with right:
        _errors(look, curves, mode)


@st.fragment(run_every=_PAUSE, key="evidence_wait")
def _after_the_gallery(key: str) -> None:
    if st.session_state.get(_WAITED) == key:
        st.session_state[_SHOWN] = key
        links.rerun()
    st.session_state[_WAITED] = key
    st.skeleton(height=_HEIGHT)


def clear_selection() -> None:
    """Show all images again that a brush or a lasso left out."""
    forget_selection("histogram", "learned")
    LINK.look(low=0.0, high=100.0, picked=(), elsewhere=True)


def _histogram(look: Look, mode: str) -> None:
    result, view, chosen = look.result, look.view, look.groups
    cuts = (
        float(result.score[chosen.hard].max()) if len(chosen.hard) else np.nan,
        float(result.score[chosen.easy].min()) if len(chosen.easy) else np.nan,
    )
    chart(
        "How k(x,x) is distributed",
        figures.score_histogram(result, cuts, look.marked, mode),
        key="histogram",
        table=lambda: with_texts(views.table(look, np.argsort(result.score)), result.pack, workspace()),
        note="Drag across bars to show just those images in the gallery; a double click clears.",
        selection_mode="box",
        on_select=lambda: _brushed(look),
    )
    if (view.low, view.high) != (0.0, 100.0):
        inside = int(((look.outcome.percentile >= view.low) & (look.outcome.percentile <= view.high)).sum())
        _selected(f"**{inside:,} images** between the percentiles {view.low:g} and {view.high:g} are in the gallery above", "histogram")


def _brushed(look: Look) -> None:
    boxes = selected("histogram").get("box") or []
    if not boxes:
        LINK.look(low=0.0, high=100.0, elsewhere=True)
        return
    low, high = sorted(boxes[0]["x"])
    span = views.percentile_span(look, low, high)
    if span is not None:
        forget_selection("learned")
        LINK.look(gallery="all", low=math.floor(10 * span[0]) / 10, high=math.ceil(10 * span[1]) / 10, picked=(), elsewhere=True)


def _selected(text: str, key: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(text, width="content")
        st.button("Clear", key=f"clear_{key}", on_click=clear_selection, type="tertiary", icon=":material/close:")


def _learned(look: Look, mode: str) -> None:
    result, view = look.result, look.view
    chart(
        "k(x,x) against the epoch each image is learned",
        figures.learned_scatter(result, views.jitter(result), look.marked, mode),
        key="learned",
        table=lambda: with_texts(views.table(look, np.argsort(result.score)), result.pack, workspace()),
        note="Lasso images to show just those in the gallery. Points are shifted a little up or down so that they do not hide each other.",
        selection_mode=("lasso", "box", "points"),
        on_select=_lassoed,
    )
    if view.picked:
        _selected(f"**{len(view.picked):,} images** are selected and in the gallery above", "learned")


def _lassoed() -> None:
    points = selected("learned").get("points") or []
    picked = tuple(sorted({int(p["customdata"]) for p in points if p.get("customdata") is not None}))
    if picked:
        forget_selection("histogram")
        LINK.look(picked=picked, gallery="all", low=0.0, high=100.0, elsewhere=True)
    else:
        LINK.look(picked=(), elsewhere=True)


def _errors(look: Look, curves: views.GroupCurves, mode: str) -> None:
    view = look.view
    _ERRORS.seed(look.result.key, "errors", "log")

    def controls() -> None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _ERRORS.control(
                "errors",
                st.segmented_control,
                "Groups shown",
                options=["all", "hard", "medium", "easy"],
                required=True,
                label_visibility="collapsed",
            )
            _ERRORS.control("log", st.toggle, "log scale")

    chart(
        "Mean error: measured and predicted",
        figures.error_curves(curves, view.errors, mode, log=view.log),
        key="errors",
        table=lambda: views.curve_table(curves),
        note="Solid: the real network. Dotted: each image on its own (eq. 16). Dashed: all images coupled (eq. 17). "
        "One group alone also shows the envelope of eq. 15.",
        controls=controls,
    )
