"""One comparison opened from a chart: its kernels as pictures ordered by class, their numbers side by side, their doctors."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ntkcore.analyses.convergence.comparison import Comparison, open_point
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.convergence.views import QUANTITIES, index_of
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.convergence.pairs import common_span, heatmap
from ntkcore.figures.theme import raised
from pages.convergence.choice import LINK
from pages.shared import frame, words
from pages.shared.charts import config
from pages.shared.controls import Controls
from pages.shared.doctor import show_doctor
from pages.shared.notes import point_notes
from pages.shared.tables import columns_table

_POINT = Controls("convergence.point", LINK)
_HEATS = {"pseudo": "Pseudo-NTK", "full": "Full, mean over outputs", "error": "Error of each pair"}
_NOTES = {
    "pseudo": "Θ̂(x, x′) of every pair of training images, ordered by class.",
    "full": "(1/k) Σ Θ_oo(x, x′) of every pair, on the same colours as the pseudo-NTK.",
    "error": "‖Θ̂ ⊗ I − Θ‖ / ‖Θ‖ of every pair: the ratio of eq. 3.3. Pairs whose block is small in itself are often the worst.",
}
_TITLES = {"full": "Full", "pseudo": "Pseudo", "first": "First logit", "network": "Network"}


def find(result: ConvergenceResult, point: tuple[int, int, int] | None) -> Comparison | None:
    """The comparison of a width, seed and epoch, when it is there."""
    index = index_of(result, point)
    return None if index is None else result.points[index]


def inspect_point(result: ConvergenceResult) -> None:
    """Open the view's point in a dialog, when it is there."""
    if find(result, LINK.current().view.point) is None:
        return

    @st.dialog("One comparison", width="large", on_dismiss=_close)
    def dialog() -> None:
        point = find(result, LINK.current().view.point)
        if point is None:
            st.rerun()
        _show(result, point)

    dialog()


def _close() -> None:
    LINK.look(point=None)


def _show(result: ConvergenceResult, point: Comparison) -> None:
    epoch = f"after epoch {point.epoch}" if point.epoch else "at initialisation"
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(f"Width {point.width}, seed {point.seed}, {epoch}", anchor=False, width="content")
        _steps(result, point)
    point_notes(LINK)
    if point.diverged:
        st.warning(words.plain(point.diverged), icon=":material/warning:")
        return
    left, right = st.columns([6, 5], gap="large")
    with left:
        _picture(point)
    with right:
        _numbers(point)
        for form, name in (("pseudo", "Pseudo-NTK"), ("first", "First logit"), ("full", "Full kernel")):
            show_doctor(point.doctor.get(form), key=form, name=name, without=f"{name}: not examined.")


def _steps(result: ConvergenceResult, point: Comparison) -> None:
    spec = result.spec
    ways: tuple[tuple[str, str, Sequence[int], int, str | None], ...] = (
        ("Earlier", "epoch", spec.looks, -1, "Left"),
        ("Later", "epoch", spec.looks, 1, "Right"),
        ("Narrower", "width", spec.widths, -1, None),
        ("Wider", "width", spec.widths, 1, None),
    )
    with st.container(horizontal=True, gap="xsmall", width="content"):
        for label, name, places, step, shortcut in ways:
            at = places.index(getattr(point, name)) + step
            place = places[at] if 0 <= at < len(places) else None
            target = None if place is None else (point.width, point.seed, place) if name == "epoch" else (place, point.seed, point.epoch)
            st.button(
                label,
                key=f"point_{label.lower()}",
                shortcut=shortcut,
                disabled=find(result, target) is None,
                on_click=LINK.look,
                kwargs={"point": target},
            )


def _picture(point: Comparison) -> None:
    _POINT.seed(None, "heat")
    heat = _POINT.control(
        "heat",
        st.segmented_control,
        "Picture",
        options=list(_HEATS),
        format_func=_HEATS.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    try:
        images = open_point(point.spec, workspace())
    except AtlasError as error:
        frame.show_error(error)
        return
    values = {"pseudo": images.pseudo, "full": images.full_mean, "error": images.error}[heat]
    span = common_span(images.error) if heat == "error" else common_span(images.pseudo, images.full_mean)
    title = "relative error" if heat == "error" else "kernel"
    figure = heatmap(values, images.order, images.labels, images.class_names, frame.mode(), span=span, title=title)
    st.plotly_chart(figure, theme=None, key="point_heatmap", config=config(f"kernel-{point.width}-{point.seed}-{point.epoch}-{heat}"))
    st.html(f'<div class="atlas-quiet">{raised(_NOTES[heat])}</div>')


def _numbers(point: Comparison) -> None:
    """The numbers of the kernels side by side."""
    number, percent = words.number, partial(words.percent, digits=3)
    rows = (
        ("Relative difference ‖Θ̂ ⊗ I − Θ‖ / ‖Θ‖", point.frobenius, number),
        ("Mean of it over pairs", point.pair_error, number),
        ("λ_max", point.largest, number),
        ("λ_min", point.smallest, number),
        ("Condition number", point.condition, number),
        ("Effective rank, of n k", _ranks(point), number),
        ("Alignment with the labels", point.alignment, number),
        ("Regression: difference of outputs", point.prediction_difference, number),
        ("Regression: same class as the full kernel", point.agreement, percent),
        ("Right on held-out images", point.accuracy, percent),
        ("Jitter that they rest on", {form: size for form, size in point.jitter.items() if size > 0}, number),
        ("Seconds for the kernel", point.seconds, number),
    )
    cells = [(what, *(said(values[name]) if name in values else "" for name in _TITLES)) for what, values, said in rows]
    columns_table(("", *_TITLES.values()), cells, ours=True)
    st.html(
        words.spoken(
            f'<div class="atlas-quiet">{point.n:,} training and {point.m:,} held-out images · {point.k} outputs · '
            f"{point.parameters:,} parameters · "
            f"{raised('Σ|Θ_oo|')} {number(point.on)} and {raised('Σ|Θ_op|')} {number(point.off)} a pair</div>"
        )
    )
    for note in point.notes:
        st.caption(f":material/info: {words.plain(note)}")


def _ranks(point: Comparison) -> dict[str, float]:
    """The effective ranks as in the chart: of the cheap kernels as Θ̂ ⊗ I."""
    measured = QUANTITIES["rank"].values
    return {**measured(point, "pseudo"), **measured(point, "first")}
