"""The widgets of a network: which, how wide, from which weights, what the kernel sees of it and how its head starts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from ntkcore.analyses.materials.about import About, about, own_networks, search
from ntkcore.analyses.prepared import preparation_for
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import (
    ARCHITECTURES,
    DEFAULT_DEPTH,
    HEAD_SIZE,
    SUGGESTED,
    DatasetSpec,
    ModelSpec,
    Outputs,
    by_name,
    default_rate,
    default_width,
    fixed_width,
    has_weights,
    title_of,
)
from pages.shared import words
from pages.shared.fields import Fields

START_TITLES = {"pytorch": "PyTorch’s default", "he": "He"}
_OTHER = "another network by name"
_SHOWN = 30  # networks that a search shows
SEES = {"all": "all parameters", "last": "the last stage and the head", "head": "the head alone", "layers": "layers by name"}
HEADS = {
    "drawn": "as the network draws it",
    "kept": "kept from the weights",
    "zero": "zero",
    "random": "random, by seed and size",
    "ridge": "ridge regression on the features",
}
_STARTS = {
    "zero": "A head of zeros passes no gradient on: at the start every other layer’s part of the kernel is zero, and the kernel is the "
    "head’s, the products of the features. It is the same for every seed.",
    "random": "The larger a random head, the more the other layers’ gradients drown the head’s: flipped labels of ants and bees were found "
    "with ROC-AUC 0.95 at a deviation of 0.01, and 0.83 at 0.03.",
    "ridge": "The head starts where it would end if it were trained alone, on the labels as they are; λ has the least squared "
    "leave-one-out error.",
    "kept": "The weights’ own last layer, for as many classes as it was trained for.",
}
_STATISTICS = {"frozen": "stay as they are", "batch": "each batch’s"}


def network_values(model: ModelSpec) -> dict[str, Any]:
    """The values of the widgets."""
    named = model.seen not in SEES
    return {
        "model": model.architecture,
        "weights": model.weights,
        "width": model.width,
        "depth": model.depth or DEFAULT_DEPTH,
        "initialisation": model.initialisation,
        "init": model.seed,
        "sees": "layers" if named else model.seen,
        "layers": model.seen if named else "",
        "head": model.head_start,
        "head_size": model.head_size or HEAD_SIZE,
        "batch_norm": model.statistics,
        "search": "",
        "found": None,
        "described": False,
    }


def named_networks() -> tuple[str, ...]:
    """Networks by name that are offered before one is searched for: some of the libraries', and the server's own."""
    return (*SUGGESTED, *own_networks())


def begun(architecture: str) -> dict[str, Any]:
    """A network as it is taken when nothing else is said of it: a library's with its pretrained weights."""
    pretrained = by_name(architecture) and not architecture.startswith("mine:")
    return {"architecture": architecture, "weights": "pretrained" if pretrained else "random"}


def architecture_of(fields: Fields, held: str) -> str:
    """The network that the widgets say; while one is looked for by name, that of before."""
    return held if fields["model"] == _OTHER else fields["model"]


def read_network(fields: Fields, held: ModelSpec) -> dict[str, Any]:
    """The network that the widgets say, as the values of a specification; ``held``: that of before."""
    architecture = architecture_of(fields, held.architecture)
    pretrained = has_weights(architecture) and fields["weights"] == "pretrained"
    fixed = pretrained or fixed_width(architecture)
    return {
        "architecture": architecture,
        "width": default_width(architecture) if fixed else fields["width"],
        "depth": fields["depth"] if architecture == "fcn" else None,
        "weights": "pretrained" if pretrained else "random",
        "initialisation": "pytorch" if (fixed and architecture != "resnet20") or pretrained else fields["initialisation"],
        "seed": fields["init"],
        "sees": (fields["layers"].replace(" ", "") or None) if fields["sees"] == "layers" else fields["sees"],
        "head": fields["head"],
        "head_size": fields["head_size"] if fields["head"] == "random" else None,
        "batch_norm": fields["batch_norm"],
    }


def choose(fields: Fields, held: ModelSpec, follow: Callable[[str], dict[str, Any]] = lambda _: {}) -> str:
    """The widget of the architecture, with a search for another by name; returns the one chosen.

    Args:
        fields: the bar's widgets.
        held: the network of before.
        follow: other widgets' values that go with an architecture, beside the network's own.
    """
    options = list(dict.fromkeys([*ARCHITECTURES, *named_networks(), held.architecture, fields["model"], _OTHER]))
    st.selectbox(
        "Network",
        options,
        format_func=lambda name: title_of(name) or "Another network by name …",
        **fields.index("model", options),
        **fields.then("model", partial(_other, fields, follow)),
    )
    if fields["model"] == _OTHER:
        _search(fields, follow)
    return architecture_of(fields, held.architecture)


def weights_field(fields: Fields, architecture: str) -> None:
    """The widget of the weights, where there can be some."""
    if has_weights(architecture):
        others = fields.then("weights", partial(_begin, fields, architecture))
        st.segmented_control("Weights", ["random", "pretrained"], required=True, **fields.default("weights"), **others)


def sizes(fields: Fields, architecture: str, seed: str = "Seed of the initialisation", **told: Any) -> None:
    """The widgets of width, depth, initialisation and seed, as far as the network has them."""
    pretrained = has_weights(architecture) and fields["weights"] == "pretrained"
    left, right = st.columns(2)
    if not fixed_width(architecture):
        label = "Width (units)" if architecture == "fcn" else "Width (first channels)"
        left.number_input(label, 1, 8192, **fields.value("width"), disabled=pretrained)
    if architecture == "fcn":
        right.number_input("Hidden layers", 1, 16, **fields.value("depth"))
    if not pretrained and not by_name(architecture):
        start_field(fields)
    st.number_input(seed, 0, 2**31 - 1, **fields.value("init"), **told)


def start_field(fields: Fields, **told: Any) -> None:
    """The widget of the initialisation."""
    titles = START_TITLES
    st.segmented_control(
        "Initialisation", list(titles), format_func=titles.__getitem__, required=True, **fields.default("initialisation"), **told
    )


def seen_fields(
    fields: Fields, architecture: str, spec: ModelSpec, dataset: DatasetSpec, dtype: str = "float32", form: Outputs = "mean"
) -> None:
    """The widgets of what the kernel sees and how the head starts, and what that comes to for these images; folded for our own networks.

    Args:
        fields: the bar's widgets.
        architecture: the network chosen.
        spec, dataset, dtype, form: the choice as it stands: network, images, precision and which kernel.
    """
    with st.expander("What the kernel sees, and the head’s start", expanded=by_name(architecture), icon=":material/visibility:"):
        options = list(SEES)
        st.selectbox(
            "The kernel sees",
            options,
            format_func=SEES.__getitem__,
            **fields.index("sees", options),
            help="The kernel, and every number that comes from it, is taken over these parameters; training moves them alone. "
            "Whether two choices rank alike is on the page Compare.",
        )
        if fields["sees"] == "layers":
            st.text_input("Layers", **fields.value("layers"), help="Names with commas between, as the list of layers has them.")
        heads = [name for name in HEADS if name != "kept" or (by_name(architecture) and fields["weights"] == "pretrained")]
        if fields["head"] not in heads:
            heads.append(fields["head"])
        st.selectbox("The head starts", heads, format_func=HEADS.__getitem__, **fields.index("head", heads))
        if fields["head"] == "random":
            st.number_input("Deviation of its weights", 1e-6, 10.0, format="%g", **fields.value("head_size"))
        if said := _STARTS.get(fields["head"]):
            st.caption(said)
        titles = _STATISTICS
        st.segmented_control(
            "Statistics of batch normalisation in training",
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            **fields.default("batch_norm"),
        )

        if st.toggle("Describe this network", **fields.value("described"), help="Its parameters, and what the kernel engine can factor."):
            _tell(spec, dataset, form, dtype)


def network_summary(model: ModelSpec) -> str:
    """A network in a few words, as the bar says it."""
    details = f" {model.depth} × {model.width}" if model.architecture == "fcn" else ""
    if model.architecture != "fcn" and model.width != default_width(model.architecture):
        details = f" width {model.width}"
    pretrained = ", pretrained" if model.weights == "pretrained" else ""
    sees = {"all": "", "last": ", last stage seen", "head": ", head seen"}.get(model.seen, ", some layers seen")
    return f"{words.plain(title_of(model.architecture))}{details}{pretrained}{sees}"


def _search(fields: Fields, follow: Callable[[str], dict[str, Any]]) -> None:
    st.text_input("Part of its name", **fields.value("search"), placeholder="efficientnet, vit small, timm resnet …")
    asked = fields["search"].lower().split()
    if not asked:
        st.caption("Image classifiers of timm and torchvision; the server’s own are in the list above.")
        return
    found = search(asked)
    if not found:
        st.caption("There is none of this name.")
        return
    shown = found[:_SHOWN]
    options = list(dict.fromkeys([None, *shown, fields["found"]]))
    st.selectbox(
        f"{len(found):,} found" + (f", the {len(shown)} shortest names shown" if len(found) > len(shown) else ""),
        options,
        format_func=lambda name: title_of(name) if name else "Choose one",
        **fields.index("found", options),
        **fields.then("found", partial(_found, fields, follow)),
    )


def _found(fields: Fields, follow: Callable[[str], dict[str, Any]]) -> None:
    if fields["found"] is not None:
        _take(fields, fields["found"], follow)


def _other(fields: Fields, follow: Callable[[str], dict[str, Any]]) -> None:
    if fields["model"] != _OTHER:
        _take(fields, fields["model"], follow)


def _take(fields: Fields, architecture: str, follow: Callable[[str], dict[str, Any]]) -> None:
    """Another architecture, with what is usual of it."""
    spec = ModelSpec.model_validate(begun(architecture))
    usual = network_values(spec) | {"init": fields["init"]} | follow(architecture) | _prepared(fields, spec)
    fields.change(**_shown(fields, usual))


def _begin(fields: Fields, architecture: str) -> None:
    """Other weights, with what is usual of them."""
    spec = ModelSpec(architecture=architecture, weights=fields["weights"])
    usual = {name: network_values(spec)[name] for name in ("width", "sees", "layers", "head", "head_size", "batch_norm")}
    fields.change(**_shown(fields, usual | _prepared(fields, spec)))


def _prepared(fields: Fields, spec: ModelSpec) -> dict[str, Any]:
    """Size, crop and interpolation that a library's pretrained weights want, for photographs whose originals are there."""
    if not fields.has("size"):
        return {}
    return preparation_for(spec.architecture, spec.weights, fields["data"].removeprefix("own:"), workspace())


def _shown(fields: Fields, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if fields.has(name)}


def rate_of(architecture: str) -> dict[str, Any]:
    """The learning rate that goes with an architecture."""
    return {"rate": default_rate(architecture)}


def _tell(spec: ModelSpec, dataset: DatasetSpec, form: Outputs, dtype: str) -> None:
    """What a network is, for these images."""
    try:
        with st.spinner("Looking at it …", show_time=False):
            found = about(spec, dataset, form, dtype, workspace())
    except AtlasError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}".strip()))
        return
    _about(found)


def _about(found: About) -> None:
    if found.doc:
        st.caption(f"*{words.plain(found.doc)}*")
    seen = f", of which {found.seen:,} are seen" if found.seen != found.parameters else ""
    st.caption(words.plain(f"{found.parameters:,} parameters{seen}. {' '.join(found.notes)}"))
    st.caption(words.plain(_plan(found.factored, found.formed)))


def _plan(factored: int, formed: Sequence[tuple[str, str]]) -> str:
    if not formed:
        return f"The kernel engine factors all {factored:,} parameter tensors that are seen."
    listed = "; ".join(f"{name} ({reason})" for name, reason in formed[:3])
    more = f"; and {len(formed) - 3:,} more" if len(formed) > 3 else ""
    return f"The kernel engine factors {factored:,} parameter tensors; sample by sample, slower, it forms {listed}{more}."
