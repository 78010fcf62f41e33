"""The analysis bar of the influence page: data set, kernel and training as short sentences that open."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs import (
    CHAINS,
    DEFAULT_DEPTH,
    DEFAULT_RATE,
    DEFAULT_WIDTH,
    FIXED_WIDTH,
    INFLUENCE_KERNELS,
    PRETRAINED,
    TITLES,
    InfluenceSpec,
    InfluenceView,
    ModelSpec,
)
from pages.parts import bar
from pages.parts.fields import Fields
from pages.parts.links import Choice

_BAR = Fields("influence.bar")


def analysis_bar(choice: Choice[InfluenceSpec, InfluenceView]) -> InfluenceSpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, _values(choice.spec), _read, _parts)


def _parts(spec: InfluenceSpec) -> tuple[bar.Part, ...]:
    parts = [
        bar.data_part(_BAR, spec.dataset, step=50, images="The training images, drawn at random without replacement."),
        bar.Part("bar_kernel", ":material/grid_on:", _kernel_summary(spec), _kernel),
    ]
    if spec.kernel in ("pseudo", "full"):
        epochs = spec.training.epochs if spec.training else 0
        summary = f"After {epochs} epoch{'s' if epochs > 1 else ''} of training" if epochs else "At initialisation"
        parts.append(bar.Part("bar_training", ":material/trending_down:", summary, _training))
    return tuple(parts)


def _kernel() -> None:
    kernels = list(INFLUENCE_KERNELS)
    st.selectbox(
        "Kernel",
        kernels,
        format_func=INFLUENCE_KERNELS.__getitem__,
        **_BAR.index("kernel", kernels),
        help="Closed forms need no network and no training. The full kernel has k × k entries for each pair: choose few images.",
        on_change=_other_model,
    )
    if _BAR["kernel"] == "two-layer":
        st.caption("The paper’s network, f(x) = m^(−1/2) Σ a_r relu(w_rᵀx), as m grows; images are scaled to length 1.")
    else:
        architecture = bar.network_field(_BAR, _other_model)
        if _BAR["kernel"] == "infinite" and architecture not in CHAINS:
            st.caption("The infinite width of this network is not known: choose another network or kernel.")
        if _weighted():
            st.segmented_control("Weights", ["random", "pretrained"], required=True, **_BAR.default("weights"), on_change=_other_weights)
        left, right = st.columns(2)
        if architecture not in FIXED_WIDTH:
            left.number_input("Width", 1, 8192, **_BAR.value("width"), disabled=_pretrained())
        if architecture == "fcn":
            right.number_input("Hidden layers", 1, 16, **_BAR.value("depth"))
        if not _pretrained():
            bar.start_field(_BAR)
        if _BAR["kernel"] != "infinite":
            st.number_input("Seed of the initialisation", 0, 2**31 - 1, **_BAR.value("init"))
            bar.precision_field(_BAR, help="Of the kernel; all is solved in float64.")
    st.number_input("Held-out images", 1, 10_000, step=50, **_BAR.value("test"), help="Drawn after the training images.")


def _training() -> None:
    st.number_input("Epochs before the kernel is taken", 0, 2000, **_BAR.value("epochs"), help="0: at initialisation.")
    bar.training_fields(_BAR)


def _values(spec: InfluenceSpec) -> dict[str, Any]:
    model = spec.model or ModelSpec()
    return {
        "kernel": spec.kernel,
        "test": spec.test,
        "model": model.architecture,
        "weights": model.weights,
        "width": model.width,
        "depth": model.depth or DEFAULT_DEPTH,
        "start": model.initialisation,
        "init": model.seed,
        "epochs": spec.training.epochs if spec.training else 0,
        "dtype": spec.dtype,
    }


def _read(held: InfluenceSpec) -> InfluenceSpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    kernel, architecture = _BAR["kernel"], _BAR["model"]
    values: dict[str, Any] = {"dataset": bar.read_data(_BAR, held.dataset), "test": _BAR["test"], "kernel": kernel}
    if kernel != "two-layer":
        values["model"] = {
            "architecture": architecture,
            "width": DEFAULT_WIDTH[architecture] if _pretrained() or architecture in FIXED_WIDTH else _BAR["width"],
            "depth": _BAR["depth"] if architecture == "fcn" else None,
            "weights": "pretrained" if _pretrained() else "random",
            "initialisation": "pytorch" if _pretrained() else _BAR["start"],
            "seed": 0 if kernel == "infinite" else _BAR["init"],
        }
    if kernel in ("pseudo", "full"):
        values |= {"dtype": _BAR["dtype"], "training": bar.read_training(_BAR) | {"epochs": _BAR["epochs"]} if _BAR["epochs"] else None}
    try:
        return InfluenceSpec.model_validate(values)
    except ValidationError as error:
        return bar.contradiction(error)


def _weighted() -> bool:
    return _BAR["kernel"] in ("pseudo", "full") and _BAR["model"] in PRETRAINED


def _pretrained() -> bool:
    return _weighted() and _BAR["weights"] == "pretrained"


def _other_model() -> None:
    architecture = _BAR["model"]
    _BAR.change(width=DEFAULT_WIDTH[architecture], depth=DEFAULT_DEPTH, rate=DEFAULT_RATE[architecture], weights="random")


def _other_weights() -> None:
    _BAR.change(width=DEFAULT_WIDTH[_BAR["model"]])


def _kernel_summary(spec: InfluenceSpec) -> str:
    held = f"{spec.test:,} held out"
    if spec.model is None:
        return f"{INFLUENCE_KERNELS[spec.kernel]}, {held}"
    depth = f" {spec.model.depth} × {spec.model.width}" if spec.model.depth else f" width {spec.model.width}"
    pretrained = ", pretrained" if spec.model.weights == "pretrained" else ""
    name = {"infinite": "Infinite width", "pseudo": "Pseudo-NTK", "full": "Full eNTK"}[spec.kernel]
    return f"{name}: {TITLES[spec.model.architecture]}{depth}{pretrained}, {held}"
