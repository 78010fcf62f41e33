"""The addresses of the pages: which names each has, and which defaults they have."""

from collections.abc import Mapping, Sequence

from ntkcore.permalink.address import Address, Path, Query
from ntkcore.specs import (
    ConvergenceSpec,
    ConvergenceView,
    DatasetSpec,
    InfluenceSpec,
    InfluenceView,
    LearnabilitySpec,
    LearnabilityView,
    ReliabilityView,
)


def _fields(*names: str) -> dict[str, Path]:
    """Fields whose name in the query is their own."""
    return {name: (name,) for name in names}


_DATASET: dict[str, Path] = {
    "dataset": ("dataset", "name"),
    "own": ("dataset", "own"),
    "classes": ("dataset", "classes"),
    "n": ("dataset", "n"),
    "seed": ("dataset", "seed"),
    "noise": ("dataset", "label_noise"),
}
_TRAINING: dict[str, Path] = {
    "rate": ("training", "learning_rate"),
    "batch": ("training", "batch_size"),
    "momentum": ("training", "momentum"),
    "decay": ("training", "weight_decay"),
    "shuffle": ("training", "seed"),
}

LEARNABILITY: Address[LearnabilitySpec, LearnabilityView] = Address(
    spec=LearnabilitySpec,
    view=LearnabilityView,
    fields=_DATASET
    | {
        "model": ("model", "architecture"),
        "width": ("model", "width"),
        "depth": ("model", "depth"),
        "weights": ("model", "weights"),
        "start": ("model", "initialisation"),
        "init": ("model", "seed"),
        "epochs": ("training", "epochs"),
    }
    | _TRAINING
    | {"at": ("kernel_epoch",), "full": ("full_kernel",), "dtype": ("dtype",)},
    view_fields=_fields("hard", "easy")
    | {"show": ("gallery",)}
    | _fields("order", "only", "judged", "low", "high", "picked", "basket", "image", "marked", "errors", "log", "page"),
    choosing=("dataset", "own", "model"),
    baseline=lambda spec: LearnabilitySpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own),
        model={"architecture": spec.model.architecture},  # its other fields have the architecture's defaults
    ),
    given={"dataset": {}, "model": {}, "training": {}},
)

_FEW = {"n": ConvergenceSpec().dataset.n}  # images: far fewer than elsewhere, as the full kernel has (n k)² entries

CONVERGENCE: Address[ConvergenceSpec, ConvergenceView] = Address(
    spec=ConvergenceSpec,
    view=ConvergenceView,
    fields=_DATASET
    | {"test": ("test",), "model": ("architecture",)}
    | _fields("depth", "widths", "seeds")
    | {"start": ("initialisation",), "looks": ("looks",)}
    | _TRAINING
    | _fields("ridge", "dtype"),
    view_fields=_fields("epoch", "width", "kernel", "over", "point", "heat"),
    choosing=("dataset", "own", "model"),
    baseline=lambda spec: ConvergenceSpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own, **_FEW), architecture=spec.architecture
    ),
    given={"dataset": _FEW, "training": {}},
)


INFLUENCE: Address[InfluenceSpec, InfluenceView] = Address(
    spec=InfluenceSpec,
    view=InfluenceView,
    fields=_DATASET
    | {"test": ("test",), "kernel": ("kernel",)}
    | {
        "model": ("model", "architecture"),
        "width": ("model", "width"),
        "depth": ("model", "depth"),
        "weights": ("model", "weights"),
        "start": ("model", "initialisation"),
        "init": ("model", "seed"),
        "epochs": ("training", "epochs"),
    }
    | _TRAINING
    | _fields("dtype"),
    view_fields=_fields("ridge", "time", "target", "tests", "show", "verify", "basket", "deed", "label"),
    choosing=("dataset", "own", "kernel", "model", "epochs"),
    baseline=lambda spec: InfluenceSpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own, n=InfluenceSpec().dataset.n),
        kernel=spec.kernel,
        model=None if spec.model is None else {"architecture": spec.model.architecture},
        training=None if spec.training is None else {"epochs": 1},
    ),
    given={"dataset": {"n": InfluenceSpec().dataset.n}, "model": {}, "training": {}},
)


RELIABILITY: Address[InfluenceSpec, ReliabilityView] = Address(
    spec=InfluenceSpec,
    view=ReliabilityView,
    fields=INFLUENCE.fields,
    view_fields=_fields("ridge", "average", "dimension", "bandwidth", "picked", "light", "target", "scale"),
    choosing=INFLUENCE.choosing,
    baseline=INFLUENCE.baseline,
    given=INFLUENCE.given,
)


def reliability_query(spec: InfluenceSpec, view: ReliabilityView | None = None) -> Query:
    """The query of a reliability page: the inverse of :func:`read_reliability_query`."""
    return RELIABILITY.write(spec, view)


def read_reliability_query(query: Mapping[str, str | Sequence[str]]) -> tuple[InfluenceSpec, ReliabilityView]:
    """Read what a link to the reliability page chose (:meth:`Address.read`)."""
    return RELIABILITY.read(query)


def influence_query(spec: InfluenceSpec, view: InfluenceView | None = None) -> Query:
    """The query of an influence page: the inverse of :func:`read_influence_query`."""
    return INFLUENCE.write(spec, view)


def read_influence_query(query: Mapping[str, str | Sequence[str]]) -> tuple[InfluenceSpec, InfluenceView]:
    """Read what a link to the influence page chose (:meth:`Address.read`)."""
    return INFLUENCE.read(query)


def learnability_query(spec: LearnabilitySpec, view: LearnabilityView | None = None) -> Query:
    """The query of a learnability page: the inverse of :func:`read_learnability_query`."""
    return LEARNABILITY.write(spec, view)


def read_learnability_query(query: Mapping[str, str | Sequence[str]]) -> tuple[LearnabilitySpec, LearnabilityView]:
    """Read what a link to the learnability page chose (:meth:`Address.read`)."""
    return LEARNABILITY.read(query)


def convergence_query(spec: ConvergenceSpec, view: ConvergenceView | None = None) -> Query:
    """The query of a convergence page: the inverse of :func:`read_convergence_query`."""
    return CONVERGENCE.write(spec, view)


def read_convergence_query(query: Mapping[str, str | Sequence[str]]) -> tuple[ConvergenceSpec, ConvergenceView]:
    """Read what a link to the convergence page chose (:meth:`Address.read`)."""
    return CONVERGENCE.read(query)
