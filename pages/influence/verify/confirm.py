"""The prediction confirmed: the network retrained as it is, and without the basket, with its new label, or with what is added."""

import streamlit as st

from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.verification import answer, views
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.result import Verification
from ntkcore.errors import SpecError
from ntkcore.figures.influence import verification_figure
from pages.influence.choice import inspect_held
from pages.influence.verify.measured import how, measured_line
from pages.shared import frame, words
from pages.shared.charts import chart, clicked
from pages.shared.standing import Offer, standing
from pages.shared.tables import columns_table, fact


def show_confirmation(subject: Subject) -> None:
    """What retraining said of the basket, its progress, or what it would take; how far single influences are known to be true."""
    try:
        spec = views.whole_basket(subject.result, subject.view)
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    deed = answer.deed(spec, [words.plain(name) for name in subject.result.class_names])
    network = answer.network_words(spec.width)
    said = f"Two trainings of {network} to τ = {words.number(spec.time)} from the same start, {deed} or not"
    offer = Offer("Confirm by retraining", said, key="confirm", again="Go on retraining")
    found = standing(VERIFICATION, spec, name="confirm_panel", offer=offer)
    if found is not None:
        _show(subject, found)
    elif line := measured_line(subject):
        st.html(f'<p class="atlas-quiet">{line}</p>')


def _show(subject: Subject, found: Verification) -> None:
    result, (predicted, actual) = subject.result, found.pairs(None)
    fact(words.as_html(answer.sentence(found, None, result.class_names), *answer.emphasis(found, None)))
    left, right = st.columns([3, 2], gap="large")
    with left:
        judged = found.judged.tolist()
        names = [f"held-out image {i}, {result.class_names[result.test_labels[i]]}" for i in judged]
        chart(
            "Predicted and real change of each held-out image’s loss",
            verification_figure(predicted, actual, names, frame.mode(), judged, what="change of loss", point="a held-out image"),
            key="confirmation",
            table=lambda: with_texts(views.held_out_table(result, found), result.test_pack, subject.look.ws),
            note=how(found),
            on_select=_opened,
            selection_mode="points",
        )
    with right:
        st.subheader("Predicted beside real", anchor=False)
        (before, after), (real_before, real_after) = found.accuracies()
        rows = (
            ("Right, with all images as they are", f"{100 * before:.1f} %", f"{100 * real_before:.1f} %"),
            ("Right, with the change", f"{100 * after:.1f} %", f"{100 * real_after:.1f} %"),
            ("Mean loss changes by", words.change(predicted.mean()), words.change(actual.mean())),
        )
        width = found.spec.width
        network = "the network itself" if width is None else f"{answer.network_words(width)}, where the kernel is of infinite width"
        whose = "The other held-out images" if found.spec.added else "Held-out images"
        columns_table((whose, "Predicted", "Retrained"), rows, f"Predicted by the kernel at the same τ; retrained: {network}.")


def _opened() -> None:
    """Look closely at the held-out image of the point that was clicked."""
    if (image := clicked("confirmation")) is not None:
        inspect_held(image)
