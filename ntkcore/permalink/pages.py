"""The addresses of the pages: which names each has, and which defaults they have."""

from ntkcore.permalink.address import Address, Path
from ntkcore.specs import (
    BelieveView,
    ConvergenceSpec,
    ConvergenceView,
    DatasetSpec,
    GroupsView,
    InfluenceSpec,
    InfluenceView,
    InformationView,
    LabelsView,
    LearnabilitySpec,
    LearnabilityView,
    ReliabilityView,
    ToyView,
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
_NETWORK: dict[str, Path] = {
    "model": ("model", "architecture"),
    "width": ("model", "width"),
    "depth": ("model", "depth"),
    "weights": ("model", "weights"),
    "start": ("model", "initialisation"),
    "init": ("model", "seed"),
    "epochs": ("training", "epochs"),
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
    fields=_DATASET | _NETWORK | _TRAINING | {"at": ("kernel_epoch",), "full": ("full_kernel",), "dtype": ("dtype",)},
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
    fields=_DATASET | {"test": ("test",), "kernel": ("kernel",)} | _NETWORK | _TRAINING | _fields("dtype") | {"compress": ("compression",)},
    view_fields=_fields("ridge", "time", "target", "tests", "only", "mean", "picked", "show", "group", "image", "held")
    | _fields("verify", "check", "basket", "deed", "label"),
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
    view_fields=_fields("ridge", "average", "dimension", "bandwidth", "picked", "light", "target")
    | _fields("verify", "time", "steps", "minibatch", "runs", "scale"),
    choosing=INFLUENCE.choosing,
    baseline=INFLUENCE.baseline,
    given=INFLUENCE.given,
)


_DROP: dict[str, Path] = {
    f"drop-{name}": ("drop", name) for name in ("share", "show", "judge", "step", "seeds", "shares", "test", "retrained")
}
_DROP |= {f"drop-{name}": ("drop", *path) for name, path in (_NETWORK | _TRAINING).items()}

INFORMATION: Address[InfluenceSpec, InformationView] = Address(
    spec=InfluenceSpec,
    view=InformationView,
    fields=INFLUENCE.fields,
    view_fields=_fields("ask", "ridge", "time", "show", "every", "only", "against", "picked", "basket", "image")
    | {f"labels-{name}": ("labels", name) for name in LabelsView.model_fields}
    | _DROP
    | {f"believe-{name}": ("believe", name) for name in BelieveView.model_fields}
    | {f"sources-{name}": ("sources", name) for name in ("others", "n", "test", "repeats", "part")}
    | {f"groups-{name.replace('_', '-')}": ("groups", name) for name in GroupsView.model_fields}
    | {f"toy-{name}": ("toy", name) for name in ToyView.model_fields},
    choosing=INFLUENCE.choosing,
    baseline=INFLUENCE.baseline,
    given=INFLUENCE.given,
)
