"""One comparison of pseudo-NTK, first-logit and full kernel of a network at an epoch, as it is stored (Thesis ch. 3; SCIENCE §7).

Stored are the numbers, the spectra, and three (n, n) pictures; :mod:`ntkcore.analyses.convergence.making` makes them.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkcore.analyses.convergence.measuring import FORMS, Numbers
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor
from ntkcore.specs import Method, key_of
from ntkcore.specs.convergence import ComparisonSpec
from ntkcore.store import Artifact

KIND = "comparison"
COMPARISON_METHOD = Method("comparison", 1)  # raise when the numbers of a comparison change
USES = (COMPARISON_METHOD, KERNEL_METHOD, TRAINING_METHOD)
PICTURES = ("pseudo", "full_mean", "error")

BY_FORM = (
    *("frobenius", "pair_error", "largest", "smallest", "condition", "rank", "alignment"),
    *("prediction_difference", "agreement", "accuracy", "jitter"),
)


@dataclass(frozen=True, slots=True)
class Comparison(Numbers):
    """One point of the convergence page's charts: its numbers, and what they are of.

    Attributes:
        spec, key: what was compared, and its key.
        width, seed, epoch: of the network.
        n, m, k, parameters: training and held-out images, outputs and parameters.
        class_names: the classes.
        seconds: form ("pseudo", "first", "full") to seconds of computing its kernel of the training images; NaN when it was
            computed in several attempts, or not at all.
        diverged: why training up to this epoch failed, "" when it did not; then all numbers are NaN or absent.
        created, device: when (UTC, ISO 8601) and on what it was computed.
    """

    spec: ComparisonSpec
    key: str
    width: int
    seed: int
    epoch: int
    n: int
    m: int
    k: int
    parameters: int
    class_names: tuple[str, ...]
    seconds: dict[str, float]
    diverged: str
    created: str
    device: str

    @property
    def nbytes(self) -> int:
        """Bytes it takes in memory, roughly."""
        return sum(values.nbytes for values in self.spectra.values()) + 8192


@dataclass(frozen=True, slots=True)
class PointImages:
    """The kernels of one comparison as pictures over pairs of training images, rows and columns in the order of the draw.

    Attributes:
        pseudo: (n, n) the pseudo-NTK.
        full_mean: (n, n) the full kernel's mean over outputs, (1/k) Σ_o Θ_oo.
        error: (n, n) ‖Θ̂ I - Θ‖_F / ‖Θ‖_F of every pair, Θ̂ the pseudo-NTK.
        order: (n,) the images by class, within a class in the order of the draw.
        labels: (n,) classes trained on, positions in ``class_names``.
        class_names: the classes.
        pack: id of the images' thumbnails.
    """

    pseudo: np.ndarray
    full_mean: np.ndarray
    error: np.ndarray
    order: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    pack: str


def comparison_key(spec: ComparisonSpec, ws: Workspace) -> str:
    """Key of one comparison."""
    return key_of(KIND, COMPARISON_METHOD.version, spec, content_of(spec.dataset, spec.model, ws), USES)


def open_comparison(spec: ComparisonSpec, ws: Workspace) -> Comparison | None:
    """The stored comparison, from memory when it is hot; None when it is not computed yet.

    Raises:
        CorruptArtifact: it is damaged; computing again mends it.
    """
    key = comparison_key(spec, ws)
    if ws.store.state(KIND, key) != "ready":
        return None
    artifact = ws.store.open(KIND, key)  # tells the store that it is in use, also when it is hot
    return ws.hot.get((KIND, key, artifact.info["created"]), lambda: _load(spec, artifact), lambda point: point.nbytes)


def _load(spec: ComparisonSpec, artifact: Artifact) -> Comparison:
    numbers: dict[str, Any] = artifact.json("numbers")
    failed = bool(numbers["diverged"])
    doctors = {} if failed else artifact.json("doctor")
    notes = () if failed else artifact.json("notes")

    def by_form(name: str) -> dict[str, float]:
        return {form: number(value) for form, value in numbers.get(name, {}).items()}

    return Comparison(
        spec=spec,
        key=artifact.key,
        width=spec.model.width,
        seed=spec.model.seed,
        epoch=spec.epoch,
        n=spec.dataset.n,
        m=numbers["m"],
        k=numbers["k"],
        parameters=numbers["parameters"],
        class_names=tuple(numbers["class_names"]),
        on=number(numbers.get("on")),
        off=number(numbers.get("off")),
        spectra={} if failed else {form: artifact.read(f"spectrum-{form}") for form in FORMS},
        seconds=by_form("seconds"),
        doctor={form: KernelDoctor.from_json(told) for form, told in doctors.items()},
        diverged=numbers["diverged"],
        notes=(*notes, *artifact.info.get("repaired", ())),
        created=artifact.info["created"],
        device=artifact.info["device"],
        **{name: by_form(name) for name in BY_FORM},
    )


def open_point(spec: ComparisonSpec, ws: Workspace) -> PointImages:
    """The pictures of one comparison, from memory when they are hot.

    Raises:
        StoreError: it is not stored.
        ComputationError: its training diverged, so that there are none.
        CorruptArtifact: a picture is damaged; computing again mends it.
    """
    key = comparison_key(spec, ws)
    artifact = ws.store.open(KIND, key)
    if said := artifact.json("numbers")["diverged"]:
        raise ComputationError(said)
    return ws.hot.get(("pictures", key, artifact.info["created"]), lambda: _load_pictures(artifact))


def _load_pictures(artifact: Artifact) -> PointImages:
    numbers, labels = artifact.json("numbers"), artifact.read("labels")
    pseudo, full_mean, error = (artifact.read(name) for name in PICTURES)
    order = np.argsort(labels, kind="stable")
    return PointImages(pseudo, full_mean, error, order, labels, tuple(numbers["class_names"]), numbers["pack"])


def number(stored: float | str | None) -> float:
    """A number as it was before :func:`ntkcore.analyses.convergence.making.written`; NaN for None."""
    return math.nan if stored is None else float(stored)
