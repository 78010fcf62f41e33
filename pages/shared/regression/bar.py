"""The analysis bar of the pages on a kernel: data set, kernel and training as short sentences that open."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs import ModelSpec, Outputs, Spec, title_of
from ntkcore.specs.influence import CHAINS, INFLUENCE_KERNELS, InfluenceSpec
from pages.shared import bar, network, words
from pages.shared.choice import Choice
from pages.shared.fields import Fields
from pages.shared.regression.against import compare_with

S = TypeVar("S", bound=InfluenceSpec)
V = TypeVar("V", bound=Spec)


def analysis_bar(
    choice: Choice[S, V], page: str = "influence", parts: Callable[[InfluenceSpec], Sequence[bar.Part]] | None = None
) -> S | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other.

    Args:
        choice: the page's choice.
        page: whose bar it is; each page on a kernel regression has its own.
        parts: the sentences on a specification; None: the images, the kernel and the training, and the way to compare it.
    """
    fields = Fields(f"{page}.bar")
    then = None if parts else lambda spec: compare_with(spec, getattr(choice.view, "ridge", None))
    return bar.analysis_bar(fields, choice, values_of(choice.spec), partial(_read, fields), parts or partial(_parts, fields), then=then)


def _parts(fields: Fields, spec: InfluenceSpec) -> tuple[bar.Part, ...]:
    return data_part(fields, spec), *kernel_parts(fields, spec)


def data_part(fields: Fields, spec: S) -> bar.Part:
    """The training images as a sentence that opens."""
    return bar.data_part(fields, spec, step=50, images="The training images, drawn at random without replacement.")


def kernel_parts(fields: Fields, spec: InfluenceSpec, *, side: str = "", held: bool = True) -> tuple[bar.Part, ...]:
    """The kernel, and the training before it is taken, as sentences that open.

    Args:
        fields: the bar's widgets.
        spec: as the widgets say it.
        side: what the keys of the parts begin with, where a page has several kernels.
        held: whether it says how many images are held out, too.
    """
    parts = [bar.Part(f"{side}bar_kernel", ":material/grid_on:", _kernel_summary(spec, held), partial(_kernel, fields, spec, held))]
    if spec.kernel in ("pseudo", "full"):
        epochs = spec.training.epochs if spec.training else 0
        summary = f"After {epochs} epoch{'s' if epochs > 1 else ''} of training" if epochs else "At initialisation"
        parts.append(bar.Part(f"{side}bar_training", ":material/trending_down:", summary, partial(_training, fields)))
    return tuple(parts)


def _kernel(fields: Fields, spec: InfluenceSpec, held: bool) -> None:
    kernels = list(INFLUENCE_KERNELS)
    st.selectbox(
        "Kernel",
        kernels,
        format_func=INFLUENCE_KERNELS.__getitem__,
        **fields.index("kernel", kernels),
        help=words.spoken(
            "Closed forms need no network and no training. The full kernel has k × k entries for each pair: choose few images."
        ),
        **fields.then("kernel", partial(_other_kernel, fields)),
    )
    if fields["kernel"] == "two-layer":
        st.caption(words.spoken("The paper’s network, f(x) = m^(−1/2) Σ a_r relu(w_rᵀx), as m grows; images are scaled to length 1."))
    else:
        model = spec.model or ModelSpec()
        architecture = network.choose(fields, model, network.rate_of)
        if fields["kernel"] == "infinite":
            _infinite(fields, architecture)
        else:
            network.weights_field(fields, architecture)
            network.sizes(fields, architecture)
            form: Outputs = "full" if spec.kernel == "full" else "pseudo"
            network.seen_fields(fields, architecture, model, spec.dataset, spec.dtype, form)
            bar.precision_field(fields, help="Of the kernel; all is solved in float64.")
            st.toggle(
                "Compress gradients",
                **fields.value("compress"),
                help="2000 random weights of each parameter tensor stand for all, as in the paper on unique information. For networks of "
                "many weights; the kernel’s doctor tells the error that it makes.",
            )
    if held:
        held_out, after = words.spoken("Held-out images"), words.spoken("Drawn after the training images.")
        st.number_input(held_out, 1, 10_000, step=50, **fields.value("test"), help=after)


def _infinite(fields: Fields, architecture: str) -> None:
    if architecture not in CHAINS:
        st.caption("The infinite width of this network is not known: choose another network or kernel.")
    if architecture == "fcn":
        st.number_input("Hidden layers", 1, 16, **fields.value("depth"))
    network.start_field(fields)


def _training(fields: Fields) -> None:
    st.number_input("Epochs before the kernel is taken", 0, 2000, **fields.value("epochs"), help="0: at initialisation.")
    bar.training_fields(fields)


def values_of(spec: InfluenceSpec) -> dict[str, Any]:
    """The values of the widgets, beside those of the data and the training."""
    return network.network_values(spec.model or ModelSpec()) | {
        "kernel": spec.kernel,
        "test": spec.test,
        "epochs": spec.training.epochs if spec.training else 0,
        "dtype": spec.dtype,
        "compress": spec.compression != "none",
    }


def _read(fields: Fields, held: S) -> S | str:
    """The specification the widgets say, or what is contradictory about them."""
    values = {"dataset": bar.read_data(fields, held.dataset), "test": fields["test"]} | read_kernel(fields, held)
    try:
        return type(held).model_validate(values)
    except ValidationError as error:
        return bar.contradiction(error)


def read_kernel(fields: Fields, held: InfluenceSpec) -> dict[str, Any]:
    """The kernel that the widgets say, as the values of a specification."""
    kernel = fields["kernel"]
    values: dict[str, Any] = {"kernel": kernel}
    if kernel != "two-layer":
        values["model"] = network.read_network(fields, held.model or ModelSpec())
        if kernel == "infinite":  # which is of random weights, all of them
            values["model"] |= {"weights": "random", "sees": None, "head": None, "head_size": None, "batch_norm": None}
    if kernel in ("pseudo", "full"):
        values |= {
            "dtype": fields["dtype"],
            "compression": "subset" if fields["compress"] else "none",
            "training": bar.read_training(fields) | {"epochs": fields["epochs"]} if fields["epochs"] else None,
        }
    return values


def _other_kernel(fields: Fields) -> None:
    """Infinite width has no weights that are pretrained."""
    if fields["kernel"] == "infinite" and fields["weights"] == "pretrained":
        fields.change(weights="random")


def _kernel_summary(spec: InfluenceSpec, of_held: bool) -> str:
    held = f", {spec.test:,} held out" if of_held else ""
    if spec.model is None:
        return f"{INFLUENCE_KERNELS[spec.kernel]}{held}"
    if spec.kernel == "infinite":
        hidden = f", {spec.model.depth} hidden layer{'s' if spec.model.depth > 1 else ''}" if spec.model.depth else ""
        return f"Infinite width: {title_of(spec.model.architecture)}{hidden}{held}"
    name = {"pseudo": "Pseudo-NTK", "full": "Full eNTK"}[spec.kernel]
    compressed = ", compressed" if spec.compression != "none" else ""
    return f"{name}: {network.network_summary(spec.model)}{compressed}{held}"
