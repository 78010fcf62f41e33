"""Verify: real leave-one-out retraining of the most influential images, or of the ticked ones, beside the prediction."""

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.influence.views import INFLUENTIAL, basket_of
from ntkcore.analyses.verification import analysis, answer, views
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.result import Verification
from ntkcore.errors import SpecError
from ntkcore.figures.influence import verification_figure
from ntkcore.specs.influence import InfluenceView, VerificationSpec
from pages.influence.choice import LINK, inspect_clicked
from pages.influence.verify.measured import ANCHOR, how
from pages.influence.verify.widths import show_widths
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.standing import Offer, standing
from pages.shared.tables import columns_table, fact

_VERIFY = Controls("influence.verify", LINK)
_COUNTS = (5, 10, 20, 40, 80)
_WIDTHS = (256, *views.WIDTHS, 8192, 10_000)


def show_verification(subject: Subject) -> None:
    """What retraining said, its progress, or what it would take."""
    st.header("Is it true?", anchor=ANCHOR)
    result, view, target = subject.result, subject.view, subject.target
    basket = basket_of(result, view)
    try:
        leading = analysis.leading(result, view, target, subject.look.ws)
        spec = leading if view.check == "leading" else views.ticked(result, view) if basket else None
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    _controls(leading, len(basket), view)
    if spec is None:
        st.caption(words.spoken("Tick training images above, and each can be left out in a training of its own: one is enough."))
    left, right = (st.container(), None) if leading.width is None else st.columns([3, 2], gap="large")
    with left:
        found = None if spec is None else _verified(spec, target, view)
        if found is not None:
            _show(result, found, target)
    if right is not None:
        with right:
            show_widths(result, spec or leading, target)


def _controls(leading: VerificationSpec, basket: int, view: InfluenceView) -> None:
    """Which images are left out, how many of the most influential, and how wide the network is."""
    count = len(leading.removed)
    _VERIFY.seed((leading.influence, count if view.leading is None else None), "verify", "check", leading=count)
    ticked = "The ticked image" if basket == 1 else f"Each of {basket:,} ticked" if basket else "Ticked images"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _VERIFY.control(
            "check",
            st.segmented_control,
            "Images left out",
            options=["leading", "ticked"],
            format_func={"leading": f"The {count} most influential", "ticked": ticked}.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if view.check == "leading":
            most = leading.influence.dataset.n - 1
            _VERIFY.control(
                "leading",
                st.selectbox,
                "How many of the most influential",
                options=sorted({count, *(number for number in _COUNTS if number < most)}),
                format_func=lambda many: words.spoken(f"{many} images"),
                label_visibility="collapsed",
                width=130,
                help="Each is a training of its own. By themselves as many as ten minutes allow, and 40 at most, as in the paper.",
            )
        if leading.width is not None:
            _VERIFY.control(
                "verify",
                st.selectbox,
                "Width of the network that is retrained",
                options=sorted({*_WIDTHS, leading.width}),
                format_func=lambda width: f"network of {width:,} units",
                label_visibility="collapsed",
                width=220,
                help="The prediction is that of infinite width. The paper’s networks have 10,000 to 80,000 units.",
            )


def _verified(spec: VerificationSpec, target: int, view: InfluenceView) -> Verification | None:
    count = len(spec.removed)
    which = f"The {count} most influential images of held-out image {target}" if spec.target is not None else f"{count} ticked images"
    if count == 1:
        which, button = f"Training image {spec.removed[0]}", f"Retrain without image {spec.removed[0]}"
    else:
        which, button = f"{which}, each", f"Retrain without each of {count} images"
    usual = min(INFLUENTIAL, spec.influence.dataset.n - 1) if spec.target is not None and view.leading is None else None
    said = f"{which}{words.fewer(count, usual)} left out once, trained to τ = {words.number(spec.time)} from the same start"
    return standing(VERIFICATION, spec, name="verify_panel", offer=Offer(button, said, key="verify", again="Go on retraining"))


def _show(result: InfluenceResult, found: Verification, target: int) -> None:
    spec, (predicted, actual) = found.spec, found.pairs(target)
    fact(words.as_html(answer.sentence(found, target, result.class_names), *answer.emphasis(found, target)))
    names = [f"image {i}, {result.class_names[result.labels[i]]}" for i in spec.removed]
    if len(names) < 3:
        rows = [(name, words.change(p), words.change(a)) for name, p, a in zip(names, predicted, actual, strict=True)]
        columns_table(("Left out", "Predicted", "Retrained"), rows, how(found))
        return
    chart(
        "Predicted and real influence",
        verification_figure(predicted, actual, names, frame.mode(), spec.removed),
        key="verification",
        table=lambda: views.change_table(found, target),
        note=how(found),
        on_select=_opened,
        selection_mode="points",
    )


def _opened() -> None:
    """Look closely at the image of the point that was clicked."""
    inspect_clicked("verification")
