"""Verify: real leave-one-out retraining of the most influential images, or of the ticked ones, beside the prediction."""

import html

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import basket_of
from ntkcore.analyses.verification import views
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import SpecError
from ntkcore.figures.influence import verification_figure
from ntkcore.specs.influence import InfluenceView, VerificationSpec
from pages.influence.choice import LINK, inspect_clicked
from pages.influence.verify.measured import ANCHOR, agreement
from pages.influence.verify.widths import show_widths
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.standing import Offer, standing

_VERIFY = Fields("influence.verify")
_WIDTHS = (256, *views.WIDTHS, 8192, 10_000)


def show_verification(result: InfluenceResult, view: InfluenceView, target: int) -> None:
    """What retraining said, its progress, or what it would take."""
    st.header("Is it true?", anchor=ANCHOR)
    basket = basket_of(result, view)
    try:
        leading = views.leading(result, view, target, workspace())
        spec = leading if view.check == "leading" else views.ticked(result, view) if basket else None
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    _controls(result, view, len(leading.removed), len(basket))
    if spec is None:
        st.caption("Tick training images above, and each can be left out in a training of its own: one is enough.")
    left, right = (st.container(), None) if leading.width is None else st.columns([3, 2], gap="large")
    with left:
        found = None if spec is None else _verified(spec, target)
        if found is not None:
            _show(result, found, target)
    if right is not None:
        with right:
            show_widths(result, spec or leading, target)


def _controls(result: InfluenceResult, view: InfluenceView, leading: int, basket: int) -> None:
    """Which images are left out, and how wide the network is."""
    choice = LINK.current()
    widths = sorted({*_WIDTHS, view.verify})
    _VERIFY.seed((result.key, choice.revision), {"width": view.verify, "check": view.check})
    ticked = "The ticked image" if basket == 1 else f"Each of {basket:,} ticked" if basket else "Ticked images"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Images left out",
            ["leading", "ticked"],
            format_func={"leading": f"The {leading} most influential", "ticked": ticked}.__getitem__,
            required=True,
            **_VERIFY.default("check"),
            label_visibility="collapsed",
            on_change=lambda: LINK.look(check=_VERIFY["check"]),
        )
        if result.spec.kernel == "two-layer":
            st.selectbox(
                "Width of the network that is retrained",
                widths,
                format_func=lambda width: f"network of {width:,} units",
                **_VERIFY.index("width", widths),
                label_visibility="collapsed",
                on_change=lambda: LINK.look(verify=_VERIFY["width"]),
                width=220,
                help="The prediction is that of infinite width. The paper’s networks have 10,000 to 80,000 units.",
            )


def _verified(spec: VerificationSpec, target: int) -> Verification | None:
    count = len(spec.removed)
    which = f"The {count} most influential images of held-out image {target}" if spec.target is not None else f"{count} ticked images"
    if count == 1:
        which, button = f"Training image {spec.removed[0]}", f"Retrain without image {spec.removed[0]}"
    else:
        which, button = f"{which}, each", f"Retrain without each of {count} images"
    said = f"{which} left out once, trained to τ = {words.number(spec.time)} from the same start"
    return standing(VERIFICATION, spec, name="verify_panel", offer=Offer(button, said, key="verify", again="Go on retraining"))


def _show(result: InfluenceResult, found: Verification, target: int) -> None:
    predicted, actual = found.pairs(target)
    spec = found.spec
    gap = abs(found.outputs[target] - found.expected[target]).max()
    own = f"with every image its own prediction is {words.number(gap, 2)} from the kernel’s."
    if len(spec.removed) == 1:
        said = (
            f"Without image {spec.removed[0]} the loss of held-out image {target} really changes by <b>{words.change(actual[0])}</b>; "
            f"the kernel said <b>{words.change(predicted[0])}</b>; {own}"
        )
    elif found.correlations(target)[0] != found.correlations(target)[0]:
        said = f"Too few influences that vary, so there is nothing to correlate; {own}"
    else:
        said = f"Predicted and real influence of {len(spec.removed)} images: <b>{agreement(found, target)}</b>; {own}"
    st.html(f'<p class="atlas-fact">{said}</p>')
    how = (
        f"λ = {words.number(spec.ridge)}, τ = {words.number(spec.time)}: {found.steps:,} steps of {words.number(found.rate)}, "
        f"in {words.duration(found.seconds)}, {words.when(found.created)}."
    )
    names = [f"image {i}, {result.class_names[result.labels[i]]}" for i in spec.removed]
    if len(names) < 3:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{words.change(p)}</td><td>{words.change(a)}</td></tr>"
            for name, p, a in zip(names, predicted, actual, strict=True)
        )
        head = "<tr><th style='text-align: left'>Left out</th><th>Predicted</th><th>Retrained</th></tr>"
        st.html(f'<table class="atlas-facts atlas-columns">{head}{rows}</table><p class="atlas-quiet">{how}</p>')
        return
    chart(
        "Predicted and real influence",
        verification_figure(predicted, actual, names, frame.mode(), spec.removed),
        key="verification",
        table=lambda: views.change_table(found, target),
        note=how,
        on_select=_opened,
        selection_mode="points",
    )


def _opened() -> None:
    """Look closely at the image of the point that was clicked."""
    inspect_clicked("verification")
