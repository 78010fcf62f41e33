"""The toy of the information page: why training without a point bounds what the weights know of it (Unique-info Fig. 3)."""

import streamlit as st

from ntkcore.analyses.information import toy as analysis
from ntkcore.analyses.information.toy import SOURCE, Toy, nats
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import ComputationError
from ntkcore.figures.information.toy import points_figure, weights_figure
from ntkcore.specs.information_toy import TOY_POINTS, ToyView
from pages.information.choice import LINK
from pages.shared import frame, tables, words
from pages.shared.charts import chart, clicked
from pages.shared.controls import Controls

_TOY = Controls("information.toy", LINK, within="toy")
_ORDERS = {"shuffled": "shuffled", "drawn": "drawn with replacement"}


@st.fragment(key="information_toy")
@frame.telling
def show_toy() -> None:
    """The toy, closed until it is wanted."""
    view = LINK.current().view.toy
    _TOY.seed("toy", *ToyView.model_fields)
    _TOY.control(
        "shown",
        st.toggle,
        "Show the toy: where the bound comes from",
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
    tables.fact(words.as_html(" ".join(analysis.answer(found)), nats(found.information.neighbours), nats(found.bound.gaussian)))
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
    _estimates(found)


def _estimates(found: Toy) -> None:
    """Both estimates of both numbers, beside the source's."""
    predicted = words.number(float(found.predicted[found.view.point]), 3)
    rows = [
        (name, words.number(estimate.neighbours), words.number(estimate.gaussian), f"{source:.1f}")
        for name, estimate, source in (
            ("Information, first from third", found.information, SOURCE["information"]),
            ("Bound, first from second", found.bound, SOURCE["bound"]),
        )
    ]
    tables.columns_table(
        ("", "Neighbours", "As Gaussians", "Source"),
        rows,
        "Nats. Neighbours: from distances between samples, for any densities; too small where two hardly meet. As Gaussians: exact for two "
        "Gaussians of these moments, which the first and the second nearly are; the third is not. The source’s points are not given. "
        f"SGD’s steady state predicts a bound of {predicted} for this point; it assumes small steps of batches drawn with replacement, and "
        "shuffled epochs are less noisy.",
    )


def _controls(view: ToyView) -> None:
    descent = f"Rate {words.number(view.rate)}, batches of {view.batch}, {view.epochs:,} epochs, {_ORDERS[view.order]}"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _number("Point", "point", 0, TOY_POINTS - 1)
        _TOY.control(
            "apart",
            st.slider,
            "Distance of the classes",
            0.0,
            4.0,
            step=0.25,
            width=220,
            help="1: as in the toy data of the paper’s published code.",
        )
        with st.popover(descent, icon=":material/trending_down:", key="toy_descent"):
            _TOY.control("rate", st.number_input, "Learning rate", 0.001, 2.0, step=0.01, format="%g")
            _number("Points in a batch", "batch", 1, TOY_POINTS - 1, width="stretch")
            _number("Epochs", "epochs", 1, 2000, width="stretch")
            _TOY.control(
                "order",
                st.segmented_control,
                "Batches are",
                options=list(_ORDERS),
                format_func=_ORDERS.__getitem__,
                required=True,
                help="Parts of an epoch that is shuffled anew each time, or drawn with replacement, as the theory of eq. 14 has them.",
            )
        _number("Trainings", "runs", 200, 10_000, step=200)
        _number("Seed", "seed", 0, 2**31 - 1)


def _number(label: str, name: str, low: int, high: int, *, step: int = 1, width: int | str = 120) -> None:
    _TOY.control(name, st.number_input, label, low, high, step=step, width=width)


def _clicked() -> None:
    point = clicked("toy_points")
    if point is not None:
        _TOY.set(elsewhere=True, point=point)
