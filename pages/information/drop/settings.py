"""The settings of the summarisation study: draws, steps, shares, test images, and a network that is trained on what is kept."""

from typing import Any

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.drop.study import DRAWS, SUMMARY
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import ARCHITECTURES, DEFAULT_DEPTH, ModelSpec, TrainingSpec, default_rate, default_width, fixed_width, title_of
from ntkcore.specs.information import InformationView
from ntkcore.specs.summary import DropView
from pages.information.choice import LINK, Chosen
from pages.shared import bar, words
from pages.shared.fields import Fields
from pages.shared.network import begun, named_networks

VIEW = Fields("information.drop")
_NONE = "none"
_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0)
_SHARES: dict[tuple[int, ...], str] = {
    tuple(range(10, 91, 10)): "every 10 % to 90 %",
    tuple(range(5, 96, 5)): "every 5 % to 95 %",
    (20, 40, 60, 80): "20, 40, 60, 80 %",
    (50,): "50 %",
}
_RETRAINED: dict[tuple[int, ...], str] = {(50, 80): "50 and 80 %", (50,): "50 %", tuple(range(10, 91, 10)): "every 10 % to 90 %"}


def read(result: InfluenceResult, choice: Chosen) -> InformationView:
    """The view as the widgets have it; they begin with the address, and where that says nothing with what fits."""
    view = choice.view
    drop = view.drop
    model = drop.model or ModelSpec()
    usual = _usual(result, view)
    VIEW.seed(
        (result.key, choice.revision, tuple(value for name, value in usual.items() if getattr(drop, name) is None)),
        {"share": drop.share, "show": drop.show, "judge": drop.judge, "step": drop.step, "shares": drop.shares}
        | {name: value if getattr(drop, name) is None else getattr(drop, name) for name, value in usual.items()}
        | {"model": drop.model.architecture if drop.model else _NONE}
        | {"width": model.width, "depth": model.depth or DEFAULT_DEPTH, "epochs": drop.training.epochs, "retrained": drop.retrained}
        | bar.training_values(drop.training),
    )
    said = _said(drop, usual)
    return view if said == drop else LINK.look(drop=said).view


def chosen(view: InformationView) -> bool:
    """Whether somebody chose something of the study, which is more than how it is looked at."""
    looks = {"share", "show", "judge"}
    return view.drop.model_dump(exclude=looks) != DropView().model_dump(exclude=looks)


def _usual(result: InfluenceResult, view: InformationView) -> dict[str, int]:
    """Test images and draws of the study, as they are where nobody says how many."""
    try:
        spec = SUMMARY.asked(result.spec, view, workspace())
    except AtlasError:  # said where the study stands
        return {"test": result.spec.test, "seeds": DRAWS[0]}
    return {"test": spec.test, "seeds": spec.seeds}


def _said(held: DropView, usual: dict[str, int]) -> DropView:
    """What the widgets say; what they do not show stays as it was."""
    model = None
    if (architecture := VIEW["model"]) != _NONE:
        kept = held.model if held.model is not None and held.model.architecture == architecture else None
        fixed = fixed_width(architecture) or (kept is not None and kept.weights == "pretrained")
        values: dict[str, Any] = {} if kept is None else kept.model_dump()
        values |= {} if kept is not None else begun(architecture)
        values |= {"architecture": architecture, "width": default_width(architecture) if fixed else VIEW["width"]}
        model = ModelSpec.model_validate(values | {"depth": VIEW["depth"] if architecture == "fcn" else None})
    training = TrainingSpec.model_validate(bar.read_training(VIEW) | {"epochs": VIEW["epochs"]})
    values = {name: VIEW[name] for name in ("share", "show", "judge", "step", "shares", "retrained")}
    values |= {name: None if getattr(held, name) is None and VIEW[name] == value else VIEW[name] for name, value in usual.items()}
    return held.model_copy(update=values | {"model": model, "training": training})


def show(view: InformationView) -> None:
    """The popover."""
    drop = view.drop
    trained = "" if drop.model is None else f", {title_of(drop.model.architecture)} trained anew"
    draws, test = VIEW["seeds"], VIEW["test"]
    summary = f"{draws} draw{'s' if draws > 1 else ''}, {test:,} test image{'s' if test > 1 else ''}{trained}"
    with st.popover(summary, icon=":material/tune:", key="drop_settings"):
        left, right = st.columns(2)
        left.number_input(
            "Draws", 1, 50, **VIEW.value("seeds"), help=words.spoken("Each of other images: the data set’s seed and the following ones.")
        )
        right.number_input(
            words.spoken("Test images"),
            1,
            10_000,
            step=50,
            **VIEW.value("test"),
            help=words.spoken("They follow the held-out images, which the scores are a mean over."),
        )
        _select(left, "Dropped at a time", "step", _STEPS, lambda step: f"{step:g} %", "Before the scores are computed anew.")
        _select(right, "Measured at", "shares", tuple(_SHARES), _SHARES.get, "Percent of the training images dropped.")
        options = tuple(dict.fromkeys((_NONE, *ARCHITECTURES, *named_networks(), VIEW["model"])))
        st.selectbox(
            "Network trained on what is kept",
            options,
            format_func=lambda name: "none: kernel regression alone" if name == _NONE else title_of(name),
            **VIEW.index("model", options),
            **VIEW.then("model", _other_model),
            help="Another network than the one that gave the scores shows whether the list serves it, too.",
        )
        if (architecture := VIEW["model"]) != _NONE:
            left, right = st.columns(2)
            if not fixed_width(architecture):
                left.number_input("Width", 1, 8192, **VIEW.value("width"))
            if architecture == "fcn":
                right.number_input("Hidden layers", 1, 16, **VIEW.value("depth"))
            left.number_input("Epochs", 1, 2000, **VIEW.value("epochs"))
            _select(right, "Trained at", "retrained", tuple(_RETRAINED), _RETRAINED.get, "And on all images.")
            bar.training_fields(VIEW)


def _select(place: Any, label: str, name: str, options: tuple, words: Any, why: str) -> None:
    choices = list(dict.fromkeys([*options, VIEW[name]]))  # a link may say others

    def said(option: Any) -> str:
        return words(option) or ", ".join(map(str, option)) + " %"

    place.selectbox(label, choices, format_func=said, **VIEW.index(name, choices), help=why)


def _other_model() -> None:
    if (architecture := VIEW["model"]) != _NONE:
        VIEW.change(width=default_width(architecture), depth=DEFAULT_DEPTH, rate=default_rate(architecture))
