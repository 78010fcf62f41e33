"""Can I believe the number? Real retraining beside the scores; what other networks, initialisations and times say of the images."""

from math import isnan

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.believe import plan, views
from ntkcore.analyses.information.believe import tables as measured
from ntkcore.analyses.information.believe.agreement import AGREEMENT, SEEDS
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, SpecError
from ntkcore.figures.information.believe import removal_figure
from ntkcore.specs.believe import BelieveView, RetrainingStudySpec
from ntkcore.specs.information import InformationView
from pages.information.believe import agreement
from pages.information.believe.agreement import CONTROLS
from pages.information.believe.noise import show_noise
from pages.information.choice import Chosen
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.standing import Offer, made, standing

_SHOWN = {"retraining": "Against retraining", "agreement": "Across networks", "times": "Over training time", "noise": "By SGD’s noise"}
_REMOVALS = (5, 10, 20, 50, 100, 200)
_RIDGES = (0.0, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
_WHAT = {"weights": "‖w − w₋ᵢ‖²", "outputs": "‖f(X) − f₋ᵢ(X)‖²"}


def show(look: Look, choice: Chosen) -> None:
    """The whole answer."""
    view, result = choice.view, look.result
    begun = _begin(result, view)
    unsaid = tuple(value for name, value in begun.items() if getattr(view.believe, name) is None)
    CONTROLS.seed((result.key, unsaid), *(name for name in BelieveView.model_fields if name not in begun), **begun)
    CONTROLS.control(
        "show",
        st.segmented_control,
        "Check",
        options=list(_SHOWN),
        format_func=_SHOWN.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    if view.believe.show == "retraining":
        _retraining(result, view)
    elif view.believe.show == "agreement":
        agreement.show_networks(result, view)
    elif view.believe.show == "times":
        agreement.show_times(look)
    else:
        show_noise(look, view)


def _begin(result: InfluenceResult, view: InformationView) -> dict[str, int]:
    """How many images are left out, and how many initialisations there are: what is chosen, else what does not take long."""
    held, found = view.believe, {"removals": view.believe.removals or plan.REMOVALS[0], "seeds": view.believe.seeds or SEEDS[0]}
    try:
        if held.show == "retraining":
            found["removals"] = RETRAINING.asked(result.spec, view, workspace()).removals
        elif held.show == "agreement":
            found["seeds"] = AGREEMENT.asked(result.spec, view, workspace()).seeds
    except AtlasError:  # said where the study stands
        pass
    return found


def _retraining(result: InfluenceResult, view: InformationView) -> None:
    """What retraining said, its progress, or what it would take."""
    try:
        spec = RETRAINING.asked(result.spec, view, workspace())
        answer = st.container()
        _controls(len(result.labels))
        usual = min(plan.REMOVALS[0], spec.influence.dataset.n - 1) if view.believe.removals is None else None
        fewer = words.fewer(spec.removals, usual)
        many = f"{spec.removals} random image{'' if spec.removals == 1 else 's'}"
        each = " and ".join(f"λ = {words.number(ridge)}" for ridge in spec.ridges)
        pieces = standing(
            RETRAINING,
            spec,
            offer=Offer(
                button=f"Retrain without each of {many}",
                said=f"One training on all images and one without each of {many}{fewer}, at {each}, to τ = {words.number(spec.time)}, "
                "then influence functions at the trained weights",
                primary=True,
            ),
        )
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    if pieces is None:
        with answer:
            tables.fact(
                "The scores are those of the linearised network. Whether the real network follows it is measured by training it again "
                "without some images."
            )
        return
    with answer:
        for sentence in RETRAINING.answer(pieces, view, workspace()):
            tables.fact(words.as_html(sentence))
    _table(pieces)
    _charts(result, pieces, view)
    _remarks(pieces)
    made(pieces.created, pieces.device, pieces.seconds)


def _controls(n: int) -> None:
    held = CONTROLS.view
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        CONTROLS.control(
            "removals",
            st.selectbox,
            "Images left out",
            options=sorted({CONTROLS["removals"], *(count for count in _REMOVALS if count < n)}),
            width=150,
            help="Drawn at random, each left out in a training of its own. A correlation of few images is uncertain: see its interval.",
        )
        CONTROLS.control(
            "ridge",
            st.selectbox,
            "Second λ",
            options=sorted({held.ridge, *_RIDGES}),
            format_func=lambda ridge: f"λ = {ridge:,.0f}" if ridge else "λ = 0 alone",
            width=150,
            help="The paper trains without regularisation and with λ = 1000, on the summed loss, as here.",
        )
        CONTROLS.control("seed", st.number_input, "Seed of the draw", 0, 2**31 - 1, step=1, width=150)


def _table(pieces: Pieces[RetrainingStudySpec]) -> None:
    """Table 1, ours and the paper's."""
    spec = pieces.spec.influence
    column = views.paper_column(spec)
    head = ("λ", "Change of", "Estimated by", "Pearson", "95 % interval", "Spearman", "Estimate / retrained")
    rows = [
        (
            words.number(row.ridge),
            plan.QUANTITIES[row.quantity],
            plan.METHODS[row.method],
            words.fixed(row.pearson.value),
            "" if isnan(row.pearson.value) else f"{words.fixed(row.pearson.low)} to {words.fixed(row.pearson.high)}",
            words.fixed(row.spearman),
            words.number(row.factor, 2),
            *([] if column is None else [words.fixed(views.paper_figure(spec, row), 3)]),
        )
        for row in measured.agreements(pieces)
    ]
    tables.columns_table((*head, f"{views.PAPER_COLUMNS[column]} in the paper") if column else head, rows, names=3)


def _charts(result: InfluenceResult, pieces: Pieces[RetrainingStudySpec], view: InformationView) -> None:
    spec = pieces.spec
    second = view.believe.plot == "regularised" and len(spec.ridges) > 1
    ridge = spec.ridges[1 if second else 0]
    if len(spec.ridges) > 1:
        titles = {"plain": "λ = 0", "regularised": f"λ = {words.number(spec.ridges[1])}"}
        CONTROLS.control(
            "plot",
            st.segmented_control,
            "λ of the charts",
            options=list(titles),
            format_func=titles.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
    names = [f"image {i}, {result.class_names[result.labels[i]]}" for i in plan.images_of(spec)]
    for place, (quantity, title) in zip(
        st.columns(2, gap="large"), (("outputs", "Predictions without an image"), ("weights", "Weights without an image")), strict=True
    ):
        actual, *estimates = measured.changes(pieces, ridge, quantity)
        with place:
            chart(
                title,
                removal_figure(
                    actual, dict(zip(plan.METHODS, estimates, strict=True)), plan.METHODS, names, frame.mode(), what=_WHAT[quantity]
                ),
                key=f"believe_{quantity}",
                table=lambda: measured.change_table(pieces),
                note=f"Each of {spec.removals} images left out, λ = {words.number(ridge)}. On the line the size is right as well.",
            )


def _remarks(pieces: Pieces[RetrainingStudySpec]) -> None:
    spec = pieces.spec
    n = spec.influence.dataset.n
    said = []
    for ridge in spec.ridges:
        found = measured.whole(pieces, ridge)
        said.append(
            f"λ = {words.number(ridge)}: {found['steps']:,.0f} steps to τ = {words.number(spec.time)}. On held-out images the network is "
            f"{words.number(found['gap'], 2)} from its linearisation (root mean square), which itself moved by "
            f"{words.number(found['travelled'], 2)} from where training began; of the network {words.share(found['accuracy'])} are right, "
            f"of the linearised one {words.share(found['linear_accuracy'])}."
        )
    if any(row.method == "hessian" and isnan(row.pearson.value) for row in measured.agreements(pieces)):
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
