"""What the retraining study leaves out and how it estimates: its settings, and what the information page's choice asks for."""

import numpy as np
from pydantic import ValidationError

from ntkcore.analyses.study import unasked
from ntkcore.specs.believe import RetrainingStudySpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

METHODS: dict[str, str] = {
    "linear": "Linearisation",
    "gauss-newton": "Influence functions, Gauss-Newton",
    "hessian": "Influence functions, Hessian",
    "lissa": "Influence functions, LiSSA",
}
"""What is held against retraining."""
QUANTITIES: dict[str, str] = {"weights": "weights", "outputs": "predictions"}
"""Of what the squared change is taken."""
REMOVALS = (20, 10, 5)
"""Images left out, where nobody says how many: the usual number, and fewer where those take long."""
CHUNK = 5
"""Images left out in a piece of the study: what an interruption costs at most is their trainings."""
DAMPING, SCALE = 0.01, 1000.0
"""Of the paper's influence functions, on a loss averaged over the images."""
DEPTH, BATCH = 1000, 32
"""Steps of the paper's LiSSA, and our images of a step."""
TOLERANCE, MOST_ITERATIONS = 1e-3, 500
"""Relative residual at which conjugate gradients stop, and the most products."""
FEWEST = 1000
"""Steps of a training at least, which are those of the paper's CNN: far from its linearisation a network's curvature grows in training, and
the rate that was stable where it began no longer is; what removing an image changes would be the step's doing."""
_PAPER_TIMES = {("cnn4", "random"): 10.0, ("cnn4", "pretrained"): 2.0}


def asked(spec: InfluenceSpec, view: InformationView, removals: int) -> RetrainingStudySpec:
    """The study that the information page's choice asks for: τ is the view's, or the paper's at the end of training.

    Args:
        removals: images left out.

    Raises:
        SpecError: this kernel has no network to retrain, or there are too few images.
    """
    wanted = view.believe
    time = paper_time(spec) if view.flow_time is None else view.flow_time
    ridges = (0.0,) if wanted.ridge == 0 else (0.0, wanted.ridge)
    try:
        return RetrainingStudySpec(influence=spec, time=time, removals=removals, seed=wanted.seed, ridges=ridges)
    except ValidationError as error:
        raise unasked(error, "Choose a network's own kernel at initialisation.", "This cannot be retrained: {}.") from error


def paper_time(spec: InfluenceSpec) -> float:
    """τ of the paper's training (Table 2): its steps times its rate, on a loss averaged over the n images.

    2000 steps of 0.001 for the MLP, and for networks that the paper does not have; 1000 of 0.01 and of 0.002 for its CNN.
    """
    model = spec.model
    key = ("", "") if model is None else (model.architecture, model.weights)
    return _PAPER_TIMES.get(key, 2.0) / spec.dataset.n


def images_of(spec: RetrainingStudySpec) -> np.ndarray:
    """(r,) the training images left out, drawn at random, in their order."""
    return np.sort(np.random.default_rng(spec.seed).permutation(spec.influence.dataset.n)[: spec.removals])


def damping(spec: RetrainingStudySpec, ridge: float) -> float:
    """What is added to the curvature by influence functions: λ, or the paper's damping where that is 0; of the summed loss."""
    return ridge or DAMPING * spec.influence.dataset.n


def plan(spec: RetrainingStudySpec) -> list[tuple[float, tuple[int, ...]]]:
    """λ and images of each piece."""
    images = [int(i) for i in images_of(spec)]
    chunks = [tuple(images[first : first + CHUNK]) for first in range(0, len(images), CHUNK)]
    return [(ridge, chunk) for ridge in spec.ridges for chunk in chunks]
