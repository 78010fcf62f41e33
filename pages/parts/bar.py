"""The analysis bar: data set, model, training and kernel as four short sentences that open."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.analyses.requests import describe_dataset
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DatasetInfo, OwnSet
from ntkcore.specs import (
    ARCHITECTURES,
    DEFAULT_DEPTH,
    DEFAULT_RATE,
    DEFAULT_WIDTH,
    LARGEST_MOMENTUM,
    PRETRAINED,
    RATE_RANGE,
    TITLES,
    LearnabilitySpec,
)
from pages.parts import frame
from pages.parts.links import Choice

_KEYS = "bar."


def analysis_bar(choice: Choice, infos: Sequence[DatasetInfo], own: Sequence[OwnSet]) -> LearnabilitySpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    _seed(choice)
    read = _read(choice)  # the widgets' values are those of this run already, so the summaries never lag behind them
    spec = choice.spec if isinstance(read, str) else read
    sets = {info.name: info for info in infos}
    mine = {item.content_id: item for item in own}
    with st.container(horizontal=True, gap="small", key="analysis_bar", vertical_alignment="center"):
        with st.popover(frame.plain(describe_dataset(spec.dataset, workspace())), icon=":material/photo_library:", key="bar_data"):
            _data(sets, mine)
        with st.popover(_model_summary(spec), icon=":material/hub:", key="bar_model"):
            _model()
        with st.popover(_training_summary(spec), icon=":material/trending_down:", key="bar_training"):
            _training()
        with st.popover(_kernel_summary(spec), icon=":material/grid_on:", key="bar_kernel"):
            _kernel()
    if isinstance(read, str):
        st.warning(read, icon=":material/warning:")
        return None
    return read


def _data(sets: dict[str, DatasetInfo], mine: dict[str, OwnSet]) -> None:
    options = [name for name in sets if name != "own"] + [f"own:{content_id}" for content_id in mine]
    picked = st.session_state[_KEYS + "data"]
    if picked not in options:
        options.append(picked)  # a link to a set this server does not have: shown as it is, refused below
    titles = {name: _set_title(name, sets, mine) for name in options}
    repeated = Counter(titles.values())  # Streamlit tells options apart by what they are called
    st.selectbox(
        "Images",
        options,
        format_func=lambda name: titles[name] if repeated[titles[name]] == 1 else f"{titles[name]} · {name.removeprefix('own:')[:6]}",
        key=_KEYS + "data",
        on_change=_other_data,
    )
    names = _class_names(picked, sets, mine)
    st.multiselect(
        "Classes",
        list(dict.fromkeys([*names, *st.session_state[_KEYS + "classes"]])),
        key=_KEYS + "classes",
        placeholder="all classes",
        help="None chosen: all classes. Two: a binary problem with targets −1 and +1.",
    )
    left, right = st.columns(2)
    left.number_input("Images drawn", 4, 100_000, step=100, key=_KEYS + "n", help="Drawn at random without replacement.")
    right.number_input("Seed of the draw", 0, 2**31 - 1, key=_KEYS + "seed")
    st.slider(
        "Labels flipped (%)", 0, 90, key=_KEYS + "noise", help="This share of labels moves to another class, uniformly, before training."
    )
    st.page_link("pages/images.py", label="Bring your own images", icon=":material/upload:")


def _model() -> None:
    st.selectbox("Network", ARCHITECTURES, format_func=TITLES.__getitem__, key=_KEYS + "model", on_change=_other_model)
    architecture = st.session_state[_KEYS + "model"]
    if architecture in PRETRAINED:
        st.segmented_control("Weights", ["random", "pretrained"], required=True, key=_KEYS + "weights", on_change=_other_weights)
    left, right = st.columns(2)
    if architecture in ("fcn", "cnn3", "cnn4"):
        pretrained = architecture in PRETRAINED and st.session_state[_KEYS + "weights"] == "pretrained"
        label = "Width (units)" if architecture == "fcn" else "Width (first channels)"
        left.number_input(label, 1, 8192, key=_KEYS + "width", disabled=pretrained)
    if architecture == "fcn":
        right.number_input("Hidden layers", 1, 16, key=_KEYS + "depth")
    st.number_input("Seed of the initialisation", 0, 2**31 - 1, key=_KEYS + "init")


def _training() -> None:
    left, right = st.columns(2)
    left.number_input("Epochs", 0, 2000, key=_KEYS + "epochs")
    right.number_input("Learning rate", *RATE_RANGE, format="%g", key=_KEYS + "rate")
    left.number_input("Batch size", 0, 100_000, key=_KEYS + "batch", help="0: all images in every step (gradient descent).")
    right.number_input("Momentum", 0.0, LARGEST_MOMENTUM, step=0.1, format="%g", key=_KEYS + "momentum")
    st.number_input("Seed of the order", 0, 2**31 - 1, key=_KEYS + "shuffle")
    st.caption("Squared loss, stochastic gradient descent: the dynamics the kernel describes.")


def _kernel() -> None:
    epochs = st.session_state[_KEYS + "epochs"]
    st.number_input("Taken after epoch", 0, max(epochs, st.session_state[_KEYS + "at"]), key=_KEYS + "at", help="0: at initialisation.")
    st.toggle(
        "Also the coupled dynamics", key=_KEYS + "full", help="Computes the whole n × n kernel and solves eq. 17; n² memory, n³ time."
    )
    st.segmented_control("Precision", ["float32", "float64"], required=True, key=_KEYS + "dtype")


def _seed(choice: Choice) -> None:
    """Give the widgets the choice's values, when the choice came from elsewhere or the widgets are new."""
    anew = st.session_state.get(_KEYS + "revision") != choice.revision
    st.session_state[_KEYS + "revision"] = choice.revision
    spec = choice.spec
    values: dict[str, Any] = {
        "data": f"own:{spec.dataset.own}" if spec.dataset.own else spec.dataset.name,
        "classes": list(spec.dataset.classes),
        "n": spec.dataset.n,
        "seed": spec.dataset.seed,
        "noise": round(100 * spec.dataset.label_noise),
        "model": spec.model.architecture,
        "weights": spec.model.weights,
        "width": spec.model.width,
        "depth": spec.model.depth or DEFAULT_DEPTH,
        "init": spec.model.seed,
        "epochs": spec.training.epochs,
        "rate": spec.training.learning_rate,
        "batch": spec.training.batch_size,
        "momentum": spec.training.momentum,
        "shuffle": spec.training.seed,
        "at": spec.kernel_epoch,
        "full": spec.full_kernel,
        "dtype": spec.dtype,
    }
    for name, value in values.items():
        if anew or _KEYS + name not in st.session_state:
            st.session_state[_KEYS + name] = value


def _read(choice: Choice) -> LearnabilitySpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    said: dict[str, Any] = {name: st.session_state.get(_KEYS + name) for name in (
        "data", "classes", "n", "seed", "noise", "model", "weights", "width", "depth", "init",
        "epochs", "rate", "batch", "momentum", "shuffle", "at", "full", "dtype",
    )}  # fmt: skip
    name, _, own = said["data"].partition(":")
    architecture = said["model"]
    pretrained = architecture in PRETRAINED and said["weights"] == "pretrained"
    free_width = architecture in ("fcn", "cnn3", "cnn4") and not pretrained
    noise = said["noise"] / 100
    if round(100 * choice.spec.dataset.label_noise) == said["noise"]:
        noise = choice.spec.dataset.label_noise  # a link may say 12.5 %, which the slider cannot
    try:
        return LearnabilitySpec.model_validate(
            {
                "dataset": {
                    "name": name,
                    "own": own or None,
                    "classes": tuple(said["classes"]),
                    "n": said["n"],
                    "seed": said["seed"],
                    "label_noise": noise,
                },
                "model": {
                    "architecture": architecture,
                    "width": said["width"] if free_width else DEFAULT_WIDTH[architecture],
                    "depth": said["depth"] if architecture == "fcn" else None,
                    "weights": "pretrained" if pretrained else "random",
                    "seed": said["init"],
                },
                "training": {
                    "epochs": said["epochs"],
                    "learning_rate": said["rate"],
                    "batch_size": said["batch"],
                    "momentum": said["momentum"],
                    "seed": said["shuffle"],
                },
                "kernel_epoch": said["at"],
                "full_kernel": said["full"],
                "dtype": said["dtype"],
            }
        )
    except ValidationError as error:
        return "  \n".join(frame.plain(item["msg"].removeprefix("Value error, ")) for item in error.errors())


def _other_data() -> None:
    st.session_state[_KEYS + "classes"] = []


def _other_model() -> None:
    architecture = st.session_state[_KEYS + "model"]
    st.session_state[_KEYS + "width"] = DEFAULT_WIDTH[architecture]
    st.session_state[_KEYS + "depth"] = DEFAULT_DEPTH
    st.session_state[_KEYS + "rate"] = DEFAULT_RATE[architecture]
    st.session_state[_KEYS + "weights"] = "random"


def _other_weights() -> None:
    st.session_state[_KEYS + "width"] = DEFAULT_WIDTH[st.session_state[_KEYS + "model"]]


def _class_names(picked: str, sets: dict[str, DatasetInfo], mine: dict[str, OwnSet]) -> tuple[str, ...]:
    if picked.startswith("own:"):
        item = mine.get(picked.removeprefix("own:"))
        return item.class_names if item else ()
    return sets[picked].class_names if picked in sets else ()


def _set_title(name: str, sets: dict[str, DatasetInfo], mine: dict[str, OwnSet]) -> str:
    if name.startswith("own:"):
        item = mine.get(name.removeprefix("own:"))
        return item.name if item else "a set this server does not have"
    info = sets[name]
    return info.title if info.available else f"{info.title} (not on this machine)"


def _model_summary(spec: LearnabilitySpec) -> str:
    model = spec.model
    details = f" {model.depth} × {model.width}" if model.architecture == "fcn" else ""
    if model.architecture in ("cnn3", "cnn4") and model.width != DEFAULT_WIDTH[model.architecture]:
        details = f" width {model.width}"
    return f"{TITLES[model.architecture]}{details}{', pretrained' if model.weights == 'pretrained' else ''}"


def _training_summary(spec: LearnabilitySpec) -> str:
    return f"{spec.training.epochs} epochs, rate {spec.training.learning_rate:g}"


def _kernel_summary(spec: LearnabilitySpec) -> str:
    return "Kernel at initialisation" if spec.kernel_epoch == 0 else f"Kernel after epoch {spec.kernel_epoch}"
