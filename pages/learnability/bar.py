"""The analysis bar of the learnability page: data set, model, training and kernel as four short sentences that open."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs import DEFAULT_DEPTH, default_rate, default_width, fixed_width, has_weights, title_of
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from pages.shared import bar
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_BAR = Fields("learnability.bar")


def analysis_bar(choice: Choice[LearnabilitySpec, LearnabilityView]) -> LearnabilitySpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, _values(choice.spec), _read, _parts)


def _parts(spec: LearnabilitySpec) -> tuple[bar.Part, ...]:
    return (
        bar.data_part(_BAR, spec),
        bar.Part("bar_model", ":material/hub:", _model_summary(spec), _model),
        bar.Part("bar_training", ":material/trending_down:", _training_summary(spec), _training),
        bar.Part("bar_kernel", ":material/grid_on:", _kernel_summary(spec), _kernel),
    )


def _model() -> None:
    architecture = bar.network_field(_BAR, _other_model)
    if has_weights(architecture):
        others = _BAR.then("weights", _other_weights)
        st.segmented_control("Weights", ["random", "pretrained"], required=True, **_BAR.default("weights"), **others)
    pretrained = _pretrained()
    left, right = st.columns(2)
    if not fixed_width(architecture):
        label = "Width (units)" if architecture == "fcn" else "Width (first channels)"
        left.number_input(label, 1, 8192, **_BAR.value("width"), disabled=pretrained)
    if architecture == "fcn":
        right.number_input("Hidden layers", 1, 16, **_BAR.value("depth"))
    if not pretrained:
        bar.start_field(_BAR)
    st.number_input("Seed of the initialisation", 0, 2**31 - 1, **_BAR.value("init"))


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
    return {
        "model": spec.model.architecture,
        "weights": spec.model.weights,
        "width": spec.model.width,
        "depth": spec.model.depth or DEFAULT_DEPTH,
        "start": spec.model.initialisation,
        "init": spec.model.seed,
        "epochs": spec.training.epochs,
        "at": spec.kernel_epoch,
        "full": spec.full_kernel,
        "dtype": spec.dtype,
    }


def _read(held: LearnabilitySpec) -> LearnabilitySpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    architecture = _BAR["model"]
    pretrained = _pretrained()
    try:
        return LearnabilitySpec.model_validate(
            {
                "dataset": bar.read_data(_BAR, held.dataset),
                "model": {
                    "architecture": architecture,
                    "width": default_width(architecture) if pretrained or fixed_width(architecture) else _BAR["width"],
                    "depth": _BAR["depth"] if architecture == "fcn" else None,
                    "weights": "pretrained" if pretrained else "random",
                    "initialisation": "pytorch" if pretrained else _BAR["start"],
                    "seed": _BAR["init"],
                },
                "training": bar.read_training(_BAR) | {"epochs": _BAR["epochs"]},
                "kernel_epoch": _BAR["at"],
                "full_kernel": _BAR["full"],
                "dtype": _BAR["dtype"],
            }
        )
    except ValidationError as error:
        return bar.contradiction(error)


def _pretrained() -> bool:
    return has_weights(_BAR["model"]) and _BAR["weights"] == "pretrained"


def _other_model() -> None:
    architecture = _BAR["model"]
    _BAR.change(width=default_width(architecture), depth=DEFAULT_DEPTH, rate=default_rate(architecture), weights="random")


def _other_weights() -> None:
    _BAR.change(width=default_width(_BAR["model"]))


def _model_summary(spec: LearnabilitySpec) -> str:
    model = spec.model
    details = f" {model.depth} × {model.width}" if model.architecture == "fcn" else ""
    if model.architecture != "fcn" and model.width != default_width(model.architecture):
        details = f" width {model.width}"
    return f"{title_of(model.architecture)}{details}{', pretrained' if model.weights == 'pretrained' else ''}"


def _training_summary(spec: LearnabilitySpec) -> str:
    return f"{spec.training.epochs} epochs, rate {spec.training.learning_rate:g}"


def _kernel_summary(spec: LearnabilitySpec) -> str:
    return "Kernel at initialisation" if spec.kernel_epoch == 0 else f"Kernel after epoch {spec.kernel_epoch}"
