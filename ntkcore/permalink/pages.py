"""The addresses: which names each page has, and which defaults they have; and what asks for each analysis.

Here are specifications alone, so that the app and the command line start without the mathematics.
"""

from dataclasses import replace
from typing import Any

from ntkcore.permalink.address import Address
from ntkcore.permalink.forms import Path, names_of
from ntkcore.specs import DatasetSpec, ModelSpec, Spec, TrainingSpec
from ntkcore.specs.active import ActiveSpec, ActiveView
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from ntkcore.specs.influence import InfluenceSpec, InfluenceView
from ntkcore.specs.information import InformationView
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from ntkcore.specs.map import MapSpec, MapView
from ntkcore.specs.reliability import ReliabilityView


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
    "size": ("dataset", "size"),
    "crop": ("dataset", "crop"),
    "interpolation": ("dataset", "interpolation"),
    "part": ("dataset", "part"),
    "without": ("dataset", "without"),
}
_NETWORK_PART: dict[str, Path] = {
    "model": ("model", "architecture"),
    "width": ("model", "width"),
    "depth": ("model", "depth"),
    "weights": ("model", "weights"),
    "start": ("model", "initialisation"),
    "init": ("model", "seed"),
    "sees": ("model", "sees"),
    "head": ("model", "head"),
    "head-size": ("model", "head_size"),
    "batch-norm": ("model", "batch_norm"),
}
_EPOCHS: dict[str, Path] = {"epochs": ("training", "epochs")}
_TRAINING: dict[str, Path] = {
    "rate": ("training", "learning_rate"),
    "batch": ("training", "batch_size"),
    "momentum": ("training", "momentum"),
    "decay": ("training", "weight_decay"),
    "shuffle": ("training", "seed"),
}
_TRAINING_PART = _EPOCHS | _TRAINING
_NETWORK = _NETWORK_PART | _EPOCHS


def _names(view: type[Spec]) -> dict[str, Path]:
    return names_of(view, {ModelSpec: _NETWORK_PART, TrainingSpec: _TRAINING_PART})


LEARNABILITY: Address[LearnabilitySpec, LearnabilityView] = Address(
    page="learnability",
    spec=LearnabilitySpec,
    view=LearnabilityView,
    fields=_DATASET | _NETWORK | _TRAINING | {"at": ("kernel_epoch",), "full": ("full_kernel",), "dtype": ("dtype",)},
    view_fields=_names(LearnabilityView),
    choosing=("dataset", "own", "model"),
    baseline=lambda spec: LearnabilitySpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own),
        model={"architecture": spec.model.architecture},  # its other fields have the architecture's defaults
    ),
    given={"dataset": {}, "model": {}, "training": {}},
)

_FEW = {"n": ConvergenceSpec().dataset.n}  # images: far fewer than elsewhere, as the full kernel has (n k)² entries

CONVERGENCE: Address[ConvergenceSpec, ConvergenceView] = Address(
    page="convergence",
    spec=ConvergenceSpec,
    view=ConvergenceView,
    fields=_DATASET
    | {"test": ("test",), "model": ("architecture",)}
    | _fields("depth", "widths", "seeds")
    | {"start": ("initialisation",), "looks": ("looks",), "weights": ("weights",), "sees": ("sees",), "head": ("head",)}
    | {"head-size": ("head_size",), "batch-norm": ("batch_norm",)}
    | _TRAINING
    | _fields("ridge", "dtype"),
    view_fields=_names(ConvergenceView),
    choosing=("dataset", "own", "model"),
    baseline=lambda spec: ConvergenceSpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own, **_FEW), architecture=spec.architecture
    ),
    given={"dataset": _FEW, "training": {}},
)


INFLUENCE: Address[InfluenceSpec, InfluenceView] = Address(
    page="influence",
    spec=InfluenceSpec,
    view=InfluenceView,
    fields=_DATASET | {"test": ("test",), "kernel": ("kernel",)} | _NETWORK | _TRAINING | _fields("dtype") | {"compress": ("compression",)},
    view_fields=_names(InfluenceView),
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
    page="reliability",
    spec=InfluenceSpec,
    view=ReliabilityView,
    fields=INFLUENCE.fields,
    view_fields=_names(ReliabilityView),
    choosing=INFLUENCE.choosing,
    baseline=INFLUENCE.baseline,
    given=INFLUENCE.given,
)


INFORMATION: Address[InfluenceSpec, InformationView] = Address(
    page="information",
    spec=InfluenceSpec,
    view=InformationView,
    fields=INFLUENCE.fields,
    view_fields=_names(InformationView),
    choosing=INFLUENCE.choosing,
    baseline=INFLUENCE.baseline,
    given=INFLUENCE.given,
)


MAP: Address[MapSpec, MapView] = Address(
    page="map",
    spec=MapSpec,
    view=MapView,
    fields=INFLUENCE.fields,
    view_fields=_names(MapView),
    choosing=INFLUENCE.choosing,
    baseline=lambda spec: MapSpec.model_validate(INFLUENCE.baseline(spec).model_dump()),
    given=INFLUENCE.given,
)


_SIDE = {"kernel": ("kernel",)} | _NETWORK | _TRAINING | _fields("dtype", "size", "crop", "interpolation") | {"compress": ("compression",)}

COMPARE: Address[CompareSpec, CompareView] = Address(
    page="compare",
    spec=CompareSpec,
    view=CompareView,
    fields={**INFLUENCE.fields} | {f"b-{name}": ("other", *path) for name, path in _SIDE.items()},
    view_fields=_names(CompareView),
    choosing=(*INFLUENCE.choosing, "b-kernel", "b-model", "b-epochs"),
    baseline=lambda spec: CompareSpec.model_validate(
        INFLUENCE.baseline(spec).model_dump()
        | {
            "other": {
                "kernel": spec.other.kernel,
                "model": None if spec.other.model is None else {"architecture": spec.other.model.architecture},
                "training": None if spec.other.training is None else {"epochs": 1},
            }
        }
    ),
    given={**INFLUENCE.given, "other": {"training": {}}},
)


ACTIVE: Address[ActiveSpec, ActiveView] = Address(
    page="active",
    spec=ActiveSpec,
    view=ActiveView,
    fields=_DATASET
    | {"test": ("test",)}
    | _NETWORK
    | _TRAINING
    | {"labelled": ("start",)}
    | _fields("balanced", "query", "cycles", "pool", "strategies", "seeds", "warm", "sequential", "ridge", "reference")
    | _fields("probabilities", "points", "drawn", "batches", "dtype"),
    view_fields=_names(ActiveView),
    choosing=("dataset", "own", "model"),
    baseline=lambda spec: ActiveSpec(
        dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own),
        model={"architecture": spec.model.architecture},
    ),
    given={"dataset": {}, "model": {}, "training": {}},
)


DUPLICATES: Address[DuplicatesSpec, DuplicatesView] = Address(
    page="duplicates",
    spec=DuplicatesSpec,
    view=DuplicatesView,
    fields=_DATASET | {"test": ("test",)},
    view_fields=_names(DuplicatesView),
    choosing=("dataset", "own"),
    baseline=lambda spec: DuplicatesSpec(dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own)),
    given={"dataset": {}},
)


def _asking(page: Address[Any, Any], lead: str, *asks: str) -> Address[Any, Any]:
    """The same address, for an analysis that these of the view's names ask for."""
    return replace(page, lead=lead, asks=asks)


def _part(*beginnings: str) -> tuple[str, ...]:
    """λ, τ and every setting of these parts of the information page."""
    return ("ridge", "time", *(name for name in INFORMATION.view_fields if name.split("-")[0] in beginnings))


_ASKED = ("ridge", "time", "score", "descent", "averaged", "ask", "believe-show", "believe-rate", "believe-batch")

ADDRESSES: dict[str, Address[Any, Any]] = {
    "learnability": _asking(LEARNABILITY, "rank images by k(x,x) and test the ranking against training"),
    "convergence": _asking(CONVERGENCE, "compare pseudo-NTK and full kernel over width and training", "epoch", "kernel", "jittered"),
    "influence": _asking(INFLUENCE, "which training images helped or harmed a prediction", "ridge", "time", "target"),
    "reliability": _asking(RELIABILITY, "how far the IHVP method is off, over λ", "ridge"),
    "information": _asking(INFORMATION, "how much each image tells the network that no other does", *_ASKED),
    "verification": _asking(
        INFLUENCE,
        "retrain without each of the most influential images, or of a basket's, or with some added (minutes)",
        *("ridge", "time", "target", "verify", "check", "leading", "basket", "deed", "picked"),
    ),
    "addition": _asking(INFLUENCE, "what learning some held-out images, too, would do to the others", "ridge", "picked"),
    "network-ihvp": _asking(
        RELIABILITY,
        "hold LiSSA on a real network against retraining (minutes)",
        *("ridge", "time", "target", "verify", "leading", "steps", "minibatch", "runs"),
    ),
    "detection": _asking(
        INFORMATION,
        "how well each score finds flipped labels, over several draws (minutes)",
        "ridge",
        "time",
        "labels-share",
        "labels-seeds",
    ),
    "summary": _asking(INFORMATION, "what dropping images costs, over several draws (minutes)", *_part("drop")),
    "sources": _asking(INFORMATION, "which source of one task is worth more (minutes)", *_part("sources")),
    "subclass": _asking(INFORMATION, "whether a sub-class is under-sampled (minutes)", *_part("groups")),
    "adversarial": _asking(INFORMATION, "whether F-SI tells adversarial examples (minutes)", *_part("groups")),
    "retraining": _asking(INFORMATION, "random images left out by retraining, beside its estimates (minutes)", *_part("believe")),
    "agreement": _asking(INFORMATION, "whether other networks and initialisations say the same (minutes)", *_part("believe")),
    "map": _asking(MAP, "lay the images on the plane of the network's kernel", "plane", "x", "y", "colour", "ridge"),
    "compare": _asking(COMPARE, "hold two kernels against each other on the same images", "ridge", "b-ridge", "score"),
    "active": _asking(ACTIVE, "which images to label next: strategies compete with known labels (minutes)", "level", "cycle", "repeat"),
    "duplicates": _asking(DUPLICATES, "which images are there more than once, with which labels", "alike", "network", "kernel", "cosine"),
}
"""By the name of an analysis, the address of the page that shows it."""
