"""Does the noise matter? Information in the weights by SGD's own noise beside Langevin's (Unique-info Prop. 5.1, eq. 15)."""

from math import inf

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.analyses.information.believe import noise
from ntkcore.figures.information.believe import IN_WEIGHTS, noise_figure
from ntkcore.figures.information.informative import information_histogram
from ntkcore.specs.information import InformationView
from pages.information.believe.agreement import CONTROLS
from pages.information.choice import inspect_clicked
from pages.information.inspector import inspect_image
from pages.shared import frame, tables, words
from pages.shared.charts import chart


def show_noise(look: Look, page: InformationView) -> None:
    """Both, image by image; needs no job."""
    view = page.believe
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        CONTROLS.control(
            "rate",
            st.number_input,
            "SGD’s rate η",
            1e-9,
            1e3,
            format="%g",
            width=150,
            help="Of eq. 14. Information is proportional to b/η: neither the order of the images nor the two noises’ ratio depends on it.",
        )
        CONTROLS.control("batch", st.number_input, "Images in a step b", 1, 100_000, step=1, width=150)
    with st.spinner("SGD’s covariance …", show_time=False):
        found, loss = noise.noises(look, view.rate, view.batch), views.judged(look).loss
    tables.fact(words.as_html(" ".join(noise.answer(found, loss))))
    result, mode = look.result, frame.mode()
    moment = f"at τ = {words.number(look.time)}" if look.descent is None else f"after {words.number(look.time)} steps"
    said = f"{'at the end of training' if look.time == inf else moment}, λ = {words.number(look.ridge)}"
    if found.sgd is None:
        figure = information_histogram(found.even, result.labels, result.class_names, None, mode, what=f"{IN_WEIGHTS} even noise, nats")
        note = "Langevin’s noise has σ = 1."
    else:
        figure = noise_figure(found.even, found.sgd, result.labels, result.class_names, mode)
        note = (
            f"Langevin’s noise has σ = {words.number(found.sigma)} in every direction, as SGD’s has on average; on the line both say the "
            "same. Click an image to look at it closely."
        )
    chart(
        "Information in the weights",
        figure,
        key="believe_noise",
        table=lambda: noise.noise_table(look, view.rate, view.batch),
        note=f"Nats, ½ (w − w₋ᵢ)ᵀ Σ⁻¹ (w − w₋ᵢ) {said}. {note}",
        on_select=None if found.sgd is None else lambda: inspect_clicked("believe_noise"),
        selection_mode="points",
    )
    inspect_image(look, page)
