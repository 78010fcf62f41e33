"""The analysis bar of the active learning page: images, network, training, labels and strategies as short sentences that open."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs.active import MOST_SEEDS, STRATEGIES, ActiveSpec, ActiveView
from pages.shared import bar, network, words
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_BAR = Fields("active.bar")
_PLAIN = (
    *("warm", "pool", "seeds", "test", "balanced", "ridge", "points", "batches"),
    *("probabilities", "reference", "sequential", "dtype"),
)
_NUMBERS = ("start", "query", "cycles")
_PROBABILITIES = {"simplex": "projection on the simplex", "softmax": "softmax"}
_REFERENCES = {"linear": "the linearised network", "network": "the trained network (eq. 2.13)"}
_IMAGES = "Drawn at random; labelled and unlabelled together. Their labels are known, and shown to a strategy when it asks."


def analysis_bar(choice: Choice[ActiveSpec, ActiveView]) -> ActiveSpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, _values(choice.spec), _read, _parts)


def _parts(spec: ActiveSpec) -> tuple[bar.Part, ...]:
    return (
        bar.data_part(_BAR, spec, images=_IMAGES),
        bar.Part("bar_model", ":material/hub:", _model_summary(spec), lambda: _model(spec)),
        bar.Part("bar_labels", ":material/sell:", _labels_summary(spec), _labels),
        bar.Part("bar_strategies", ":material/flag:", _strategies_summary(spec), lambda: _strategies(spec)),
    )


def _model(spec: ActiveSpec) -> None:
    architecture = network.choose(_BAR, spec.model, network.rate_of)
    network.weights_field(_BAR, architecture)
    network.sizes(_BAR, architecture, "First seed", help="Of the initialisation; each repeat has the next.")
    network.seen_fields(_BAR, architecture, spec.model, spec.dataset, spec.dtype)
    st.number_input("Epochs", 1, 2000, **_BAR.value("epochs"), help=words.spoken("Of each training, on the images labelled by then."))
    st.toggle("Train on from the last network", **_BAR.value("warm"), help="Rather than from a new one with the same initialisation.")
    bar.training_fields(_BAR)


def _labels() -> None:
    left, right = st.columns(2)
    left.number_input("Labelled at first", 2, 100_000, step=10, **_BAR.value("start"))
    right.number_input("Labels a cycle", 1, 20_000, step=5, **_BAR.value("query"))
    left.number_input("Cycles", 1, 200, **_BAR.value("cycles"))
    right.number_input(
        "Candidates", 2, 20_000, step=100, **_BAR.value("pool"), help=words.spoken("Drawn from the unlabelled images in each cycle.")
    )
    left.number_input("Repeats", 1, MOST_SEEDS, **_BAR.value("seeds"), help="Each with another start, draw and initialisation.")
    right.number_input(words.spoken("Held-out images"), 2, 10_000, step=100, **_BAR.value("test"), help="Accuracy is measured on them.")
    st.toggle("As many of each class at first", **_BAR.value("balanced"), help="Rather than drawn at random.")


def _strategies(spec: ActiveSpec) -> None:
    st.multiselect(
        "Strategies",
        list(STRATEGIES),
        format_func=STRATEGIES.__getitem__,
        **_BAR.default("strategies"),
        help="All have the same starts, draws and initialisations. Random is what they are compared with.",
    )
    left, right = st.columns(2)
    left.number_input("λ of looking ahead", 0.0, 1e6, format="%g", **_BAR.value("ridge"), help="Added to the kernel’s diagonal, absolute.")
    said = "Candidates that expected error and one step of SGD sum over."
    right.number_input("Points that are summed over", 1, 20_000, step=100, **_BAR.value("points"), help=said)
    said = "Drawn candidates, each with a training of its own."
    left.number_input("Trainings of naive retraining", 1, 20_000, step=10, **_BAR.value("trainings"), help=said)
    said = "Random batches, each with a training; the best of them, judged with its true labels, is the ceiling that no strategy can know."
    right.number_input("Batches of the oracle", 1, 10_000, step=10, **_BAR.value("batches"), help=said)
    for label, name, titles, said in (
        ("Probabilities", "probabilities", _PROBABILITIES, "The network is trained on squares: its outputs are no probabilities yet."),
        ("Change is measured from", "reference", _REFERENCES, "They differ unless the network fits its labels exactly."),
    ):
        options = list(titles)
        st.selectbox(label, options, format_func=titles.__getitem__, **_BAR.index(name, options), help=said)
    st.toggle(
        "Look-ahead is told each label at once",
        **_BAR.value("sequential"),
        help=words.spoken(
            "The next image is chosen with that label in the kernel, without training (Thesis §2.2); the others choose a cycle’s images "
            "together."
        ),
    )
    bar.precision_field(_BAR, help="Of the kernels; all is solved in float64.")


def _values(spec: ActiveSpec) -> dict[str, Any]:
    held = spec.protocol
    return (
        network.network_values(spec.model)
        | {
            "epochs": spec.training.epochs,
            "start": held.start,
            "query": held.query,
            "cycles": held.cycles,
            "strategies": list(spec.strategies),
            "trainings": spec.drawn,  # "drawn" is the initialisation's widget
        }
        | {name: getattr(spec, name) for name in _PLAIN}
    )


def _read(held: ActiveSpec) -> ActiveSpec | str:
    """The specification the widgets say, or what is contradictory about them."""
    usual = held.protocol
    if not _BAR["strategies"]:
        return "Choose at least one strategy."
    said = {name: _BAR[name] for name in _values(held) if name in ActiveSpec.model_fields and name not in ("model", *_NUMBERS)}
    # a number that nobody chose stays one that fits the images
    said |= {name: None if getattr(held, name) is None and _BAR[name] == getattr(usual, name) else _BAR[name] for name in _NUMBERS}
    try:
        found = ActiveSpec.model_validate(
            said
            | {
                "dataset": bar.read_data(_BAR, held.dataset),
                "model": network.read_network(_BAR, held.model),
                "training": bar.read_training(_BAR) | {"epochs": _BAR["epochs"]},
                "strategies": tuple(name for name in STRATEGIES if name in _BAR["strategies"]),
                "drawn": _BAR["trainings"],
            }
        )
    except ValidationError as error:
        return bar.contradiction(error)
    now = {name: getattr(found.protocol, name) for name in _NUMBERS if getattr(found, name) is None}
    if others := {name: value for name, value in now.items() if _BAR[name] != value}:
        _BAR.change(**others)  # of other images other numbers fit
    return found


def _model_summary(spec: ActiveSpec) -> str:
    return f"{network.network_summary(spec.model)}, {spec.training.epochs} epochs"


def _labels_summary(spec: ActiveSpec) -> str:
    held = spec.protocol
    candidates = min(spec.pool, spec.dataset.n - held.start)
    return f"{held.start:,} labels + {held.query:,} × {held.cycles}, from {candidates:,} candidates"


def _strategies_summary(spec: ActiveSpec) -> str:
    several = len(spec.strategies)
    who = ", ".join(STRATEGIES[name] for name in spec.strategies) if several <= 3 else f"{several} strategies"
    return f"{who}; {spec.seeds} repeat{'s' if spec.seeds > 1 else ''}{', one by one' if spec.sequential else ''}"
