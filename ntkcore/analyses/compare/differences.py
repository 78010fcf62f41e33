"""In what two sides of a comparison differ, field by field, and what one side could be compared with."""

from contextlib import suppress
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.numbers.stored import specs_on
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs import ModelSpec, TrainingSpec, by_name, title_of
from ntkcore.specs.base import SizingSpec
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import CHAINS, INFLUENCE_KERNELS, InfluenceSpec

_EPOCHS = 20
_STORED = 12  # results that are offered
_SEEN = {"head": "The head alone seen", "last": "The last stage and the head seen", "all": "All parameters seen"}


class Difference(NamedTuple):
    """A field that differs: of which part of a choice (``kernel``, ``training``, ``size``, ``ridge``), its title, and both values."""

    part: str
    title: str
    one: str
    two: str


def differences(spec: CompareSpec, view: CompareView) -> list[Difference]:
    """The fields in which A and B differ, and λ."""
    sides = [_fields(side) for side in (spec.one, spec.two)]
    one, two = (fields | {("ridge", "λ"): f"{ridge:g}"} for fields, ridge in zip(sides, view.ridges, strict=True))
    other = [field for field in {**one, **two} if one.get(field) != two.get(field)]
    told = [field for field in other if field[0] != "training" or (field in one and field in two)]  # both are trained
    return [Difference(*field, one.get(field, "–"), two.get(field, "–")) for field in told]


def difference_table(spec: CompareSpec, view: CompareView) -> pd.DataFrame:
    """A row for each field that differs."""
    return pd.DataFrame([found[1:] for found in differences(spec, view)], columns=["field", "a", "b"])


def _fields(spec: InfluenceSpec) -> dict[tuple[str, str], str]:
    """Part and title of every field of a side to its value in words, as it is where nobody said it."""
    found: dict[tuple[str, str], Any] = {("kernel", "kernel"): INFLUENCE_KERNELS[spec.kernel]}
    if (model := spec.model) is not None:
        found |= {("kernel", title): value for title, value in _network(model).items()}
    finite = spec.kernel in ("pseudo", "full")
    found[("training", "epochs before the kernel is taken")] = (0 if spec.training is None else spec.training.epochs) if finite else "–"
    if finite:
        found |= {("kernel", "precision"): spec.dtype, ("kernel", "gradients"): "compressed" if spec.compression != "none" else "whole"}
        if spec.training is not None:
            found |= {("training", title): value for title, value in _training(spec.training).items()}
    names = SizingSpec.model_fields if spec.dataset.size is not None else ("size",)
    sized = {"size": spec.dataset.size or "as imported", "crop": f"{spec.dataset.crop:g}", "interpolation": spec.dataset.interpolation}
    titles = {"size": "size of the images", "crop": "share that the square keeps", "interpolation": "scaled"}
    found |= {("size", titles[name]): sized[name] for name in names}
    return {field: str(value) for field, value in found.items()}


def _network(model: ModelSpec) -> dict[str, Any]:
    return {
        "network": title_of(model.architecture),
        "width": "its own" if by_name(model.architecture) else model.width,
        "hidden layers": "–" if model.depth is None else model.depth,
        "weights": model.weights,
        "initialisation": model.initialisation,
        "seed": model.seed,
        "parameters seen": model.seen,
        "start of the head": model.head_start if model.head_size is None else f"{model.head_start}, {model.head_size:g}",
        "statistics of batch normalisation": model.statistics,
    }


def _training(training: TrainingSpec) -> dict[str, Any]:
    return {
        "learning rate": f"{training.learning_rate:g}",
        "batch size": training.batch_size or "all",
        "momentum": f"{training.momentum:g}",
        "weight decay": f"{training.weight_decay:g}",
        "seed of the order": training.seed,
    }


def partners(one: InfluenceSpec, ws: Workspace) -> dict[str, InfluenceSpec]:
    """What a side could be compared with, in a few words: what is stored of the same images, each by what is other about it."""
    found: dict[str, InfluenceSpec] = {}

    def same(dataset: Any) -> bool:
        return bool(dataset.model_copy(update={name: getattr(one.dataset, name) for name in SizingSpec.model_fields}) == one.dataset)

    for stored in specs_on(INFLUENCE, same, ws):
        if stored.test == one.test and stored != one and len(found) < _STORED:
            told = differences(CompareSpec.of(one, stored), CompareView())
            found.setdefault(", ".join(f"{item.title}: {item.two}" for item in told[:3]) + (" …" if len(told) > 3 else ""), stored)
    return found


def suggestions(one: InfluenceSpec) -> dict[str, InfluenceSpec]:
    """What a side is often compared with, in a few words: each differs from it in one thing."""
    model = one.model
    if model is None:
        return _valid(one, {"A finite network’s pseudo-NTK": {"kernel": "pseudo", "model": {}}})
    held = model.model_dump()
    plain = {"sees": None, "head": None, "head_size": None, "batch_norm": None}
    wished: dict[str, dict[str, Any]] = {}
    if one.kernel == "infinite":
        return _valid(one, {"The same network of finite width": {"kernel": "pseudo"}})
    if model.weights == "random":
        wished["Another seed"] = {"model": held | {"seed": model.seed + 1}}
        wished["Pretrained weights"] = {"model": held | plain | {"weights": "pretrained"}}
    else:
        wished["Random weights"] = {"model": held | plain | {"weights": "random"}}
    for seen, title in _SEEN.items():
        if model.seen != seen and (seen != "last" or by_name(model.architecture)):
            start = {"head": "random"} if seen != "head" and model.head_start == "zero" else {}  # a zero head passes no gradient on
            wished[title] = {"model": held | {"sees": seen} | start}
    if one.training is None:
        wished[f"After {_EPOCHS} epochs of training"] = {"training": {"epochs": _EPOCHS}}
    else:
        wished["At initialisation"] = {"training": None}
    if model.architecture in CHAINS and one.training is None:
        wished["Infinite width"] = {"kernel": "infinite", "dtype": "float32", "compression": "none"}
    return _valid(one, wished)


def _valid(one: InfluenceSpec, wished: dict[str, dict[str, Any]]) -> dict[str, InfluenceSpec]:
    found = {}
    for title, changes in wished.items():
        with suppress(ValidationError):  # this network has no such weights, or no such layers
            found[title] = InfluenceSpec.model_validate(one.model_dump() | changes)
    return found
