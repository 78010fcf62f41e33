"""Can I believe the number? Real retraining beside the scores; what other networks, initialisations and times say of the images."""

import html

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.believe import plan, tables, views
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.study import Parts
from ntkcore.errors import SpecError
from ntkcore.figures.information.believe import removal_figure
from ntkcore.specs.believe import RetrainingStudySpec
from ntkcore.specs.information import InformationView
from pages.information.believe import agreement as information_agreement
from pages.information.choice import LINK
from pages.shared import choice as links
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.standing import Offer, made, standing

_VIEW = Fields("information.believe")
_SHOWN = {"retraining": "Against retraining", "agreement": "Across networks", "times": "Over training time"}
_REMOVALS = (5, 10, 20, 50, 100, 200)
_RIDGES = (0.0, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
_WHAT = {"weights": "‖w − w₋ᵢ‖²", "outputs": "‖f(X) − f₋ᵢ(X)‖²"}


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The whole answer."""
    own = view.believe
    _VIEW.seed((result.key, choice.revision), own.model_dump())
    st.segmented_control(
        "Check",
        list(_SHOWN),
        format_func=_SHOWN.__getitem__,
        required=True,
        **_VIEW.default("show"),
        label_visibility="collapsed",
        on_change=_changed,
        args=("show",),
    )
    if own.show == "retraining":
        _retraining(result, view)
    elif own.show == "agreement":
        information_agreement.show_networks(result, view, _VIEW, _changed)
    else:
        information_agreement.show_times(result, view)


def _changed(name: str) -> None:
    value = _VIEW[name]
    own = LINK.current().view.believe
    LINK.look(believe=own.model_copy(update={name: tuple(value) if isinstance(value, list) else value}))


def _retraining(result: InfluenceResult, view: InformationView) -> None:
    """What retraining said, its progress, or what it would take."""
    try:
        spec = plan.asked(result.spec, view)
        answer = st.container()
        _controls(len(result.labels))
        many = f"{spec.removals} random image{'' if spec.removals == 1 else 's'}"
        each = " and ".join(f"λ = {words.number(ridge)}" for ridge in spec.ridges)
        parts = standing(
            RETRAINING,
            spec,
            offer=Offer(
                button=f"Retrain without each of {many}",
                said=f"One training on all images and one without each of {many}, at {each}, to τ = {words.number(spec.time)}, "
                "then influence functions at the trained weights",
                primary=True,
            ),
        )
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    if parts is None:
        with answer:
            st.html(
                '<p class="atlas-fact">The scores are those of the linearised network. Whether the real network follows it is measured by '
                "training it again without some images.</p>"
            )
        return
    with answer:
        for ridge in spec.ridges:
            st.html(f'<p class="atlas-fact">{html.escape(views.verdict(parts, ridge).said)}</p>')
    _table(parts)
    _charts(result, parts, view)
    _remarks(parts)
    made(parts.created, parts.device, parts.seconds)


def _controls(n: int) -> None:
    removals = sorted({_VIEW["removals"], *(count for count in _REMOVALS if count < n)})
    ridges = sorted({_VIEW["ridge"], *_RIDGES})
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            "Images left out",
            removals,
            **_VIEW.index("removals", removals),
            on_change=_changed,
            args=("removals",),
            width=150,
            help="Drawn at random, each left out in a training of its own. A correlation of few images is uncertain: see its interval.",
        )
        st.selectbox(
            "Second λ",
            ridges,
            format_func=lambda ridge: f"λ = {ridge:,.0f}" if ridge else "λ = 0 alone",
            **_VIEW.index("ridge", ridges),
            on_change=_changed,
            args=("ridge",),
            width=150,
            help="The paper trains without regularisation and with λ = 1000, on the summed loss, as here.",
        )
        st.number_input("Seed of the draw", 0, 2**31 - 1, step=1, **_VIEW.value("seed"), on_change=_changed, args=("seed",), width=150)


def _table(parts: Parts[RetrainingStudySpec]) -> None:
    """Table 1, ours and the paper's."""
    column = views.paper_column(parts.spec.influence)
    head = "<th style='text-align: left'>λ</th><th style='text-align: left'>Change of</th><th style='text-align: left'>Estimated by</th>"
    head += "<th>Pearson</th><th>95 % interval</th><th>Spearman</th><th>Estimate / retrained</th>"
    head += f"<th>{html.escape(views.PAPER_COLUMNS[column])} in the paper</th>" if column else ""
    rows = []
    for row in tables.agreements(parts):
        paper = views.paper_figure(parts.spec.influence, row)
        known = row.pearson.value == row.pearson.value
        cells = [
            _fixed(row.pearson.value),
            f"{_fixed(row.pearson.low)} to {_fixed(row.pearson.high)}" if known else "",
            _fixed(row.spearman),
            words.number(row.factor, 2),
            *([] if column is None else [_fixed(paper, 3)]),
        ]
        named = (
            f"<th>{words.number(row.ridge)}</th><th>{plan.QUANTITIES[row.quantity]}</th><th>{html.escape(plan.METHODS[row.method])}</th>"
        )
        rows.append(f"<tr>{named}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    st.html(f'<table class="atlas-facts atlas-columns"><tr>{head}</tr>{"".join(rows)}</table>')


def _charts(result: InfluenceResult, parts: Parts[RetrainingStudySpec], view: InformationView) -> None:
    spec = parts.spec
    second = view.believe.plot == "regularised" and len(spec.ridges) > 1
    ridge = spec.ridges[1 if second else 0]
    if len(spec.ridges) > 1:
        titles = {"plain": "λ = 0", "regularised": f"λ = {words.number(spec.ridges[1])}"}
        st.segmented_control(
            "λ of the charts",
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            **_VIEW.default("plot"),
            label_visibility="collapsed",
            on_change=_changed,
            args=("plot",),
        )
    names = [f"image {i}, {result.class_names[result.labels[i]]}" for i in plan.images_of(spec)]
    for place, (quantity, title) in zip(
        st.columns(2, gap="large"), (("outputs", "Predictions without an image"), ("weights", "Weights without an image")), strict=True
    ):
        actual, *estimates = tables.changes(parts, ridge, quantity)
        with place:
            chart(
                title,
                removal_figure(
                    actual, dict(zip(plan.METHODS, estimates, strict=True)), plan.METHODS, names, frame.mode(), what=_WHAT[quantity]
                ),
                key=f"believe_{quantity}",
                table=lambda: tables.change_table(parts),
                note=f"Each of {spec.removals} images left out, λ = {words.number(ridge)}. On the line the size is right as well.",
            )


def _remarks(parts: Parts[RetrainingStudySpec]) -> None:
    spec = parts.spec
    n = spec.influence.dataset.n
    said = []
    for ridge in spec.ridges:
        found = tables.whole(parts, ridge)
        said.append(
            f"λ = {words.number(ridge)}: {found['steps']:,.0f} steps to τ = {words.number(spec.time)}. On held-out images the network is "
            f"{words.number(found['gap'], 2)} from its linearisation (root mean square), which itself moved by "
            f"{words.number(found['travelled'], 2)} from where training began; of the network {100 * found['accuracy']:.1f} % are right, "
            f"of the linearised one {100 * found['linear_accuracy']:.1f} %."
        )
    if any(row.method == "hessian" and row.pearson.value != row.pearson.value for row in tables.agreements(parts)):
        said.append(
            "Where the Hessian with what is added to it is not positive definite, its formula has no meaning, and the row is empty: "
            "training ended before a minimum. The Gauss-Newton matrix is never negative."
        )
    said.append(
        "Influence functions are taken at the trained weights, and predictions move to first order in them; at λ = 0 they have the paper’s "
        f"damping of {plan.DAMPING:g} on its averaged loss, {plan.DAMPING * n:g} on the sum here, and LiSSA its {plan.DEPTH:,} "
        f"steps at a scale of {plan.SCALE:,.0f} × {n:,}, in batches of {plan.BATCH}."
    )
    st.html("".join(f'<p class="atlas-quiet">{text}</p>' for text in said))


def _fixed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}".replace("-", "−")
