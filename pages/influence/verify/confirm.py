"""The basket's prediction confirmed: the network retrained with everything, and without the basket or with its new label."""

import html
from collections.abc import Callable

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.verification import views
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.result import Verification
from ntkcore.errors import SpecError
from ntkcore.figures.influence import verification_figure
from ntkcore.specs.influence import InfluenceView, VerificationSpec
from pages.influence.choice import inspect_held
from pages.influence.verify.measured import agreement, measured_line
from pages.shared import frame, words
from pages.shared.charts import chart, clicked
from pages.shared.standing import Offer, standing


def show_confirmation(result: InfluenceResult, view: InfluenceView) -> None:
    """What retraining said of the basket, its progress, or what it would take; how far single influences are known to be true."""
    try:
        spec = views.whole_basket(result, view)
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    network = "the network" if spec.width is None else f"a network of {spec.width:,} units"
    said = f"Two trainings of {network} to τ = {words.number(spec.time)} from the same start, {_deed(result, spec, words.plain)} or not"
    offer = Offer("Confirm by retraining", said, key="confirm", again="Go on retraining")
    found = standing(VERIFICATION, spec, name="confirm_panel", offer=offer)
    if found is not None:
        _show(result, found)
    elif line := measured_line(result, view):
        st.html(f'<p class="atlas-quiet">{line}</p>')


def _deed(result: InfluenceResult, spec: VerificationSpec, literal: Callable[[str], str]) -> str:
    """What was done to the basket; ``literal`` makes a class's name harmless where it is said."""
    images = f"{len(spec.removed):,} image{'' if len(spec.removed) == 1 else 's'}"
    return f"without {images}" if spec.label is None else f"with {images} called {literal(result.class_names[spec.label])}"


def _show(result: InfluenceResult, found: Verification) -> None:
    spec, (predicted, actual) = found.spec, found.pairs(None)
    agrees = "nothing moved that could be compared" if np.isnan(found.correlations(None)[0]) else f"<b>{agreement(found, None)}</b>"
    done = _deed(result, spec, html.escape)
    st.html(f'<p class="atlas-fact">Retrained {done}: predicted and real change of {len(actual):,} held-out images’ loss: {agrees}.</p>')
    left, right = st.columns([3, 2], gap="large")
    with left:
        names = [f"held-out image {i}, {result.class_names[label]}" for i, label in enumerate(result.test_labels)]
        chart(
            "Predicted and real change of each held-out image’s loss",
            verification_figure(
                predicted, actual, names, frame.mode(), range(len(actual)), what="change of loss", point="a held-out image"
            ),
            key="confirmation",
            table=lambda: views.held_out_table(result, found),
            note=f"λ = {words.number(spec.ridge)}, τ = {words.number(spec.time)}: {found.steps:,} steps of {words.number(found.rate)}, "
            f"in {words.duration(found.seconds)}, {words.when(found.created)}.",
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
        head = '<tr><th style="text-align: left">Held-out images</th><th>Predicted</th><th>Retrained</th></tr>'
        cells = "".join(f"<tr><th>{row[0]}</th><td>{row[1]}</td><td>{row[2]}</td></tr>" for row in rows)
        network = (
            "the network itself" if spec.width is None else f"a network of {spec.width:,} units, where the kernel is of infinite width"
        )
        st.html(
            f'<table class="atlas-facts atlas-columns">{head}{cells}</table>'
            f'<p class="atlas-quiet">Predicted by the kernel at the same τ; retrained: {network}.</p>'
        )


def _opened() -> None:
    """Look closely at the held-out image of the point that was clicked."""
    if (image := clicked("confirmation")) is not None:
        inspect_held(image)
