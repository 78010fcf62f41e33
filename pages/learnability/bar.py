"""The analysis bar of the learnability page: data set, model, training and kernel as four short sentences that open."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from pages.shared import bar, network
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_BAR = Fields("learnability.bar")


def analysis_bar(choice: Choice[LearnabilitySpec, LearnabilityView]) -> LearnabilitySpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, _values(choice.spec), _read, _parts)


def _parts(spec: LearnabilitySpec) -> tuple[bar.Part, ...]:
    return (
        bar.data_part(_BAR, spec),
        bar.Part("bar_model", ":material/hub:", network.network_summary(spec.model), lambda: _model(spec)),
        bar.Part("bar_training", ":material/trending_down:", _training_summary(spec), _training),
        bar.Part("bar_kernel", ":material/grid_on:", _kernel_summary(spec), _kernel),
    )


def _model(spec: LearnabilitySpec) -> None:
    architecture = network.choose(_BAR, spec.model, network.rate_of)
    network.weights_field(_BAR, architecture)
    network.sizes(_BAR, architecture)
    network.seen_fields(_BAR, architecture, spec.model, spec.dataset, spec.dtype)


def _training() -> None:
    st.number_input("Epochs", 0, 2000, **_BAR.value("epochs"))
    bar.training_fields(_BAR)


def _kernel() -> None:
    epochs = _BAR["epochs"]
    st.number_input("Taken after epoch", 0, max(epochs, _BAR["at"]), **_BAR.value("at"), help="0: at initialisation.")
    st.toggle(
        "Also the coupled dynamics", **_BAR.value("full"), help="Computes the whole n × n kernel and solves eq. 17; n² memory, n³ time."
    )
    bar.precision_field(_BAR)


def _values(spec: LearnabilitySpec) -> dict[str, Any]:
    return network.network_values(spec.model) | {
        "epochs": spec.training.epochs,
        "at": spec.kernel_epoch,
        "full": spec.full_kernel,
        "dtype": spec.dtype,
    }


def _read(held: LearnabilitySpec) -> LearnabilitySpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    try:
        return LearnabilitySpec.model_validate(
            {
                "dataset": bar.read_data(_BAR, held.dataset),
                "model": network.read_network(_BAR, held.model),
                "training": bar.read_training(_BAR) | {"epochs": _BAR["epochs"]},
                "kernel_epoch": _BAR["at"],
                "full_kernel": _BAR["full"],
                "dtype": _BAR["dtype"],
            }
        )
    except ValidationError as error:
        return bar.contradiction(error)


def _training_summary(spec: LearnabilitySpec) -> str:
    return f"{spec.training.epochs} epochs, rate {spec.training.learning_rate:g}"


def _kernel_summary(spec: LearnabilitySpec) -> str:
    return "Kernel at initialisation" if spec.kernel_epoch == 0 else f"Kernel after epoch {spec.kernel_epoch}"
