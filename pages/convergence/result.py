"""A convergence result, as far as it is computed: the plain answer, the controls, the charts, the explanation."""

import html
import time

import streamlit as st

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.analysis import CONVERGENCE, ready_points
from ntkcore.analyses.convergence.explain import explainer
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView
from pages.convergence.charts import show_charts
from pages.convergence.choice import LINK
from pages.convergence.point import inspect_point
from pages.shared import frame, words
from pages.shared.controls import Controls
from pages.shared.doctor import show_doctor
from pages.shared.downloads import csv_download
from pages.shared.explain import explain
from pages.shared.standing import standing

_PAUSE = 3.0  # seconds between two drawings of all charts, so that a browser keeps up with quick comparisons
_VIEW = Controls("convergence.view", LINK)
_OVER = {"width": "Over width", "epoch": "Over epochs"}
_KERNELS = {"pseudo": "Pseudo-NTK", "first": "First logit"}
_EXAMINED = _KERNELS | {"full": "Full kernel"}
_HEIGHT = 900  # pixels of what comes, so that little jumps when it does


def show_result(result: ConvergenceResult) -> None:
    """Everything that is there."""
    _explore(result)
    explain(explainer(result))


def show_waiting() -> None:
    """What stands for the charts until the first comparison is there."""
    st.html('<p class="atlas-quiet">The first comparison shows here as soon as it is finished; the others follow one by one.</p>')
    st.skeleton(height=_HEIGHT)


def say_what_is_missing(result: ConvergenceResult) -> None:
    """Say which parts of the address there are not in this analysis, or not yet."""
    view = LINK.current().view
    if problem := views.missing_from(result, view):
        frame.show_absent(problem)
    elif view.point is not None and views.index_of(result, view.point) is None:
        st.info("The comparison this address opens is not computed yet; it opens as soon as it is.", icon=":material/hourglass:")


@st.fragment(key="convergence_explore")
@frame.telling
def _explore(result: ConvergenceResult) -> None:
    say_what_is_missing(result)
    view = LINK.current().view
    _VIEW.seed(result.key, "over", "kernel", "jittered", epoch=views.epoch_of(result, view), width=views.width_of(result, view))
    answer = st.container(gap="xsmall", key="convergence_answer")  # above the controls that decide it
    _controls(result)
    with answer:
        _headline(result, view)
    inspect_point(result)  # before what is below the fold: a link's comparison does not wait for it
    show_charts(result, view)


def _headline(result: ConvergenceResult, view: ConvergenceView) -> None:
    """The answer, what it rests on, and a row of what opens: the reasons, the doctors, the remarks."""
    said = views.answer(result, view)
    facts = f"{len(result.points):,} comparisons"
    if result.complete:
        device = html.escape(words.place(result.device))
        facts += f" · computed {words.when(result.created)} on {device}, the last part in {words.duration(result.seconds)}"
    elif said and result.ready < len(result.points):
        facts, said = html.escape(said[0]).removesuffix("."), said[1:]
    st.html(f'<p class="atlas-fact"><b>{html.escape(words.spoken(said[-1] if said else views.silence(result, view)))}</b></p>')
    if said:
        st.html(f'<p class="atlas-evidence">{html.escape(words.spoken(" · ".join(views.brief(result, view))))}</p>')
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if said:
            with st.popover("Why", icon=":material/notes:", type="tertiary", key="quiet_why"):
                st.html("".join(f"<p>{html.escape(words.spoken(sentence))}</p>" for sentence in said[:-1]))
        if (point := views.examined(result, view)) is not None:
            of = f"width {point.width}, seed {point.seed}"
            for form, key in ((view.kernel, "cheap"), ("full", "whole")):
                name = _EXAMINED[form]
                show_doctor(point.doctor.get(form), key=key, name=name, without=f"{name}: not examined.", of=of)
        frame.remarks(result.warnings)
        st.html(f'<div class="atlas-quiet">{facts}</div>', width="content")


def _controls(result: ConvergenceResult) -> None:
    spec = result.spec
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="stay_controls"):
        for name, label, titles in (("over", "Charts", _OVER), ("kernel", "Cheap kernel", _KERNELS)):
            _VIEW.control(
                name,
                st.segmented_control,
                label,
                options=list(titles),
                format_func=titles.__getitem__,
                required=True,
                width="content",
            )
        for name, label, places, said in (
            ("epoch", "After epoch", spec.looks, "In the answer, the charts over width, and the spectra. 0 is the initialisation."),
            ("width", "Width", spec.widths, "In the spectra, and over epochs wherever one chart holds several kernels."),
        ):
            if len(places) > 1:  # a slider needs two places
                _VIEW.control(name, st.select_slider, label, options=places, help=said, width=190)
        if any(point is not None and any(point.jitter.values()) for point in result.points):
            _VIEW.control(
                "jittered",
                st.toggle,
                "Count jittered",
                help="Some kernels are singular to rounding, so that their regression could be solved only after a jitter on the diagonal. "
                "Such values are drawn open, and left out of means, fits and the answer unless they are counted here.",
            )
        told = "Every number of every comparison"
        csv_download("CSV", lambda: views.table(result), file="convergence", key="convergence_csv", told=told)


def show_states(spec: ConvergenceSpec) -> None:
    """The forecast or the job, with what is finished of the result below."""
    ws = workspace()
    job = ws.jobs.state(CONVERGENCE.key(spec, ws))
    result = CONVERGENCE.open(spec, ws)  # after the job: what ended in between is shown as running, and drawn again at once
    # Two places that are always there: when the job ends and its panel goes, the charts below stay the ones they are.
    above, below = st.container(), st.container()
    with above:
        if not result.ready:
            say_what_is_missing(result)  # else said beside the charts, which can change it
        shown = time.monotonic()

        def moved() -> bool:
            if time.monotonic() - shown < _PAUSE or LINK.current().view.point is not None:
                return False  # a dialog would close for a moment
            return ready_points(spec, ws) != result.ready

        some = f"{result.ready} of {len(result.points)} comparisons are computed." if result.ready else "Not computed yet."
        standing(CONVERGENCE, spec, said=some, moved=moved)
    with below:
        if result.ready:
            show_result(result)
        elif job is not None and job.active:
            show_waiting()
