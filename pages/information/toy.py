"""The toy of the information page: why training without a point bounds what the weights know of it (Unique-info Fig. 3)."""

from typing import Any

import streamlit as st

from ntkcore.analyses.information import toy as analysis
from ntkcore.analyses.information.toy import SOURCE, Estimate, Toy
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import ComputationError
from ntkcore.figures.information.toy import points_figure, weights_figure
from ntkcore.specs.information_toy import TOY_POINTS, ToyView
from pages.information.choice import LINK
from pages.shared import frame, words
from pages.shared.charts import chart, clicked
from pages.shared.fields import Fields

_TOY = Fields("information.toy")
_ORDERS = {"shuffled": "shuffled", "drawn": "drawn with replacement"}


@st.fragment(key="information_toy")
@frame.telling
def show_toy() -> None:
    """The toy, closed until it is wanted."""
    choice = LINK.current()
    view = choice.view.toy
    _TOY.seed(choice.revision, view.model_dump())
    st.toggle(
        "Show the toy: where the bound comes from",
        **_TOY.value("shown"),
        on_change=lambda: _look(shown=_TOY["shown"]),
        help="Two classes of 40 points, a linear regression, and SGD many times over, as in the paper’s Figure 3.",
    )
    if view.shown:
        with st.container(key="toy"):
            _controls(view)
            _show(view)


def _show(view: ToyView) -> None:
    try:
        with st.spinner(f"Training {3 * view.runs:,} times …", show_time=False):
            found = analysis.toy(view, workspace())
    except ComputationError as error:
        st.warning(words.plain(f"{error.message} {error.remedy}"), icon=":material/warning:")
        return
    st.html(f'<p class="atlas-fact">{_said(found)}</p>')
    left, right = st.columns([2, 5], gap="large")
    with left:
        chart(
            "The points",
            points_figure(found, frame.mode()),
            key="toy_points",
            table=lambda: analysis.points_table(found),
            note="Click a point to ask for its information. Larger: more of it, by SGD’s steady state (eq. 14).",
            on_select=_clicked,
            selection_mode="points",
        )
    with right:
        chart(
            "The weights after training with it, without it, and with others in its place",
            weights_figure(found, frame.mode()),
            key="toy_weights",
            table=lambda: analysis.weights_table(found),
            note=f"Each panel: {view.runs:,} trainings. The cross is the first panel’s mean. Information: how well the first is told "
            "from the third. Bound: how well it is told from the second.",
        )
    st.html(_estimates(found))


def _said(found: Toy) -> str:
    number = words.number
    said = (
        f"The weights know <b>{number(found.information.neighbours, 2)} nats</b> of point {found.view.point} that no other point tells; "
        f"how far training without it ends from here bounds that by <b>{number(found.bound.gaussian, 2)} nats</b>."
    )
    if found.above:
        said += " Here the estimate is above the bound, which holds for the average over points, not for each."
    return said


def _estimates(found: Toy) -> str:
    """Both estimates of both numbers, beside the source's."""

    def row(name: str, estimate: Estimate, source: float) -> str:
        cells = (words.number(estimate.neighbours), words.number(estimate.gaussian), f"{source:.1f}")
        return f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    predicted = words.number(float(found.predicted[found.view.point]), 3)
    return (
        '<table class="atlas-facts atlas-columns"><tr><th></th><th>Neighbours</th><th>As Gaussians</th><th>Source</th></tr>'
        f"{row('Information, first from third', found.information, SOURCE['information'])}"
        f"{row('Bound, first from second', found.bound, SOURCE['bound'])}</table>"
        '<p class="atlas-quiet">Nats. Neighbours: from distances between samples, for any densities; too small where two hardly meet. '
        "As Gaussians: exact for two Gaussians of these moments, which the first and the second nearly are; the third is not. The "
        f"source’s points are not given. SGD’s steady state predicts a bound of {predicted} for this point; it assumes small steps of "
        "batches drawn with replacement, and shuffled epochs are less noisy.</p>"
    )


def _controls(view: ToyView) -> None:
    descent = f"Rate {words.number(view.rate)}, batches of {view.batch}, {view.epochs:,} epochs, {_ORDERS[view.order]}"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _number("Point", "point", 0, TOY_POINTS - 1)
        st.slider(
            "Distance of the classes",
            0.0,
            4.0,
            step=0.25,
            **_TOY.value("apart"),
            on_change=_changed,
            args=("apart",),
            width=220,
            help="1: as in the toy data of the paper’s published code.",
        )
        with st.popover(descent, icon=":material/trending_down:", key="toy_descent"):
            st.number_input("Learning rate", 0.001, 2.0, step=0.01, format="%g", **_TOY.value("rate"), on_change=_changed, args=("rate",))
            _number("Points in a batch", "batch", 1, TOY_POINTS - 1, width="stretch")
            _number("Epochs", "epochs", 1, 2000, width="stretch")
            st.segmented_control(
                "Batches are",
                list(_ORDERS),
                format_func=_ORDERS.__getitem__,
                required=True,
                **_TOY.default("order"),
                on_change=_changed,
                args=("order",),
                help="Parts of an epoch that is shuffled anew each time, or drawn with replacement, as the theory of eq. 14 has them.",
            )
        _number("Trainings", "runs", 200, 10_000, step=200)
        _number("Seed", "seed", 0, 2**31 - 1)


def _number(label: str, name: str, low: int, high: int, *, step: int = 1, width: int | str = 120) -> None:
    st.number_input(label, low, high, step=step, **_TOY.value(name), on_change=_changed, args=(name,), width=width)


def _changed(name: str) -> None:
    _look(**{name: _TOY[name]})


def _clicked() -> None:
    point = clicked("toy_points")
    if point is not None:
        _look(elsewhere=True, point=point)


def _look(*, elsewhere: bool = False, **changes: Any) -> None:
    toy = LINK.current().view.toy
    LINK.look(toy=toy.model_dump() | changes, elsewhere=elsewhere)
