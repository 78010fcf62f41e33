"""What other analyses know of a study's images: F-SI, where a kernel of the same images and the same network is stored."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.active.views import Study
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.numbers.known import values
from ntkcore.analyses.numbers.stored import Stored, specs_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import AtlasError
from ntkcore.specs.information import InformationView


@dataclass(frozen=True, slots=True)
class Unique:
    """F-SI of an image among all images of a study, as if all had labels, at the end of training.

    Attributes:
        value: in nats.
        below: share of the images that have less.
        ridge: λ.
    """

    value: float
    below: float
    ridge: float


def unique_information(found: Study, image: int, repeat: int, ws: Workspace) -> Unique | None:
    """F-SI by the pseudo-NTK of a repeat's network before training; None where nobody has computed that kernel for these images."""
    spec, ridge = found.spec, InformationView().ridge
    model = spec.model.model_copy(update={"seed": spec.model.seed + repeat})
    for known in specs_of(INFLUENCE, spec.dataset, ws):
        if (known.kernel, known.model, known.training, known.compression) == ("pseudo", model, None, "none"):
            with suppress(AtlasError):  # damaged, or a λ that is too small: not known
                scores = values("information", Stored(known, None), ridge, ws)
                return Unique(float(scores[image]), float(np.mean(scores < scores[image])), ridge)
    return None
