"""What other analyses know of a study's images: F-SI, where the Information page has it for the same images and the same network."""

from contextlib import suppress
from dataclasses import dataclass
from math import inf

import numpy as np
from pydantic import ValidationError

from ntkcore.analyses.active.views import Study
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.views import scores
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import AtlasError
from ntkcore.specs.influence import InfluenceSpec
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
    for entry in ws.store.entries(INFLUENCE.kind):
        with suppress(AtlasError, ValidationError):  # of another version, damaged, or a λ that is too small: not known
            known = InfluenceSpec.model_validate(entry.info.get("identity", {}).get("spec", {}))
            same = (known.dataset, known.kernel, known.model, known.training, known.compression)
            if same == (spec.dataset, "pseudo", model, None, "none") and INFLUENCE.ready(known, ws):
                values = scores(Look(INFLUENCE.open(known, ws), ridge, inf, ws))
                return Unique(float(values[image]), float(np.mean(values < values[image])), ridge)
    return None
