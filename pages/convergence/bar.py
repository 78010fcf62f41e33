"""The analysis bar of the convergence page: data set, networks, training and kernels as four short sentences that open."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs import by_name, default_rate, fixed_width, has_weights, title_of
from ntkcore.specs.convergence import CONVERGENCE_DEPTH, CONVERGENCE_RATE, CONVERGENCE_WIDTHS, ConvergenceSpec, ConvergenceView
from pages.shared import bar, network, words
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_BAR = Fields("convergence.bar")
_MANY = "Each pair of images has a k × k block: the full kernel has (images × classes)² entries. The thesis takes 1,000 images."


def analysis_bar(choice: Choice[ConvergenceSpec, ConvergenceView]) -> ConvergenceSpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, _values(choice.spec), _read, _parts)


def _parts(spec: ConvergenceSpec) -> tuple[bar.Part, ...]:
    return (
        bar.data_part(_BAR, spec, step=20, images=_MANY),
        bar.Part("bar_networks", ":material/hub:", _networks_summary(spec), lambda: _networks(spec)),
        bar.Part("bar_training", ":material/trending_down:", _training_summary(spec), _training),
        bar.Part("bar_kernels", ":material/grid_on:", _kernels_summary(spec), _kernels),
    )


def _networks(spec: ConvergenceSpec) -> None:
    model = spec.models()[0]
    architecture = network.choose(_BAR, model, _usual)
    network.weights_field(_BAR, architecture)
    pretrained = has_weights(architecture) and _BAR["weights"] == "pretrained"
    units = "Units of each hidden layer." if architecture == "fcn" else "Channels of the first convolution."
    fixed = fixed_width(architecture) or pretrained
    st.text_input("Widths", **_BAR.value("widths"), disabled=fixed, help=f"{units} Up to twelve, with commas between.")
    left, right = st.columns(2)
    left.number_input("Seeds of each width", 1, 10, **_BAR.value("seeds"), help="Initialisations; two or more give error bars.")
    if architecture == "fcn":
        right.number_input("Hidden layers", 1, 16, **_BAR.value("depth"))
    if not pretrained and not by_name(architecture):
        network.start_field(_BAR, help="The theorems assume He’s: weights N(0, 2 / fan-in), biases 0.")
    network.seen_fields(_BAR, architecture, model, spec.dataset, spec.dtype)


def _training() -> None:
    st.text_input(
        "Epochs looked at",
        **_BAR.value("looks"),
        help="Up to twelve, with commas between. 0 is the initialisation; training ends with the last.",
    )
    bar.training_fields(_BAR)


def _kernels() -> None:
    st.number_input(
        "Ridge λ of the regressions",
        0.0,
        1e6,
        format="%g",
        **_BAR.value("ridge"),
        help="Added to the kernel’s diagonal; 0 interpolates, as in the thesis.",
    )
    st.number_input(
        words.spoken("Test images"),
        2,
        10_000,
        step=50,
        **_BAR.value("test"),
        help=words.spoken("Held out: drawn after the training images."),
    )
    bar.precision_field(_BAR, help="Of the kernels; all is solved in float64.")


def _values(spec: ConvergenceSpec) -> dict[str, Any]:
    return network.network_values(spec.models()[0]) | {
        "widths": _text(spec.widths),
        "seeds": spec.seeds,
        "depth": spec.depth or CONVERGENCE_DEPTH,
        "looks": _text(spec.looks),
        "ridge": spec.ridge,
        "test": spec.test,
        "dtype": spec.dtype,
    }


def _read(held: ConvergenceSpec) -> ConvergenceSpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    chosen = network.read_network(_BAR, held.models()[0])
    widths, looks = _numbers(_BAR["widths"]), _numbers(_BAR["looks"])
    for name, numbers in (("widths", widths), ("epochs looked at", looks)):
        if isinstance(numbers, str):
            return f"Among the {name}, {words.plain(numbers)} is not a whole number."
        if not numbers:
            return f"Choose at least one of the {name}."
    try:
        return ConvergenceSpec.model_validate(
            {
                "dataset": bar.read_data(_BAR, held.dataset),
                "test": _BAR["test"],
                **{name: value for name, value in chosen.items() if name in ConvergenceSpec.model_fields},
                "widths": (chosen["width"],) if chosen["weights"] == "pretrained" or fixed_width(chosen["architecture"]) else widths,
                "seeds": _BAR["seeds"],
                "looks": looks,
                "training": bar.read_training(_BAR),
                "ridge": _BAR["ridge"],
                "dtype": _BAR["dtype"],
            }
        )
    except ValidationError as error:
        return bar.contradiction(error)


def _numbers(text: str) -> tuple[int, ...] | str:
    """The numbers of a list with commas or spaces, in ascending order, or the first part that is no number."""
    parts = [part for part in re.split(r"[\s,;]+", text) if part]
    wrong = next((part for part in parts if not (part.isdecimal() and len(part) < 7)), None)
    return tuple(sorted({int(part) for part in parts})) if wrong is None else wrong


def _text(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _usual(architecture: str) -> dict[str, Any]:
    """What goes with an architecture here."""
    return {
        "widths": _text(CONVERGENCE_WIDTHS.get(architecture, (1,))),
        "depth": CONVERGENCE_DEPTH,
        "rate": CONVERGENCE_RATE.get(architecture, default_rate(architecture)),
        "initialisation": "pytorch" if by_name(architecture) else "he",
    }


def _networks_summary(spec: ConvergenceSpec) -> str:
    depth = f", depth {spec.depth}" if spec.depth else ""
    widths = f"width {spec.widths[0]}" if len(spec.widths) == 1 else f"widths {spec.widths[0]} to {spec.widths[-1]}"
    named = network.network_summary(spec.models()[0]) if by_name(spec.architecture) else f"{title_of(spec.architecture)}{depth}, {widths}"
    return f"{named}, {spec.seeds} seed{'s' if spec.seeds > 1 else ''}"


def _training_summary(spec: ConvergenceSpec) -> str:
    shown = ", ".join(map(str, spec.looks)) if len(spec.looks) <= 6 else f"{spec.looks[0]} to {spec.looks[-1]} in {len(spec.looks)} looks"
    return f"Epoch{'s' if len(spec.looks) > 1 else ''} {shown}, rate {spec.training.learning_rate:g}"


def _kernels_summary(spec: ConvergenceSpec) -> str:
    return f"λ = {spec.ridge:g}, {spec.test:,} test images"
