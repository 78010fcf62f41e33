"""The toy of the information page: SGD's distributions of the weights with a point, without it, and with others in its place."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.words import number
from ntkcore.analyses.workspace import Workspace
from ntkcore.information.toy import (
    Descent,
    Points,
    final_weights,
    gaussian_divergence,
    neighbour_divergence,
    new_points,
    predicted_information,
    toy_points,
)
from ntkcore.specs.information_toy import ToyView

KINDS = ("with it", "without it", "others in its place")
"""The three distributions: p(w | S), p(w | S without i), and the mean of p(w | S without i, z') over z'."""
SOURCE = {"information": 1.3, "bound": 3.0}
"""What the paper finds on points that it does not give."""
CELLS = 48
_EDGE = 0.002  # share of the widest distribution's runs that lie outside the picture on each side


@dataclass(frozen=True, slots=True)
class Estimate:
    """A divergence in nats by two estimators: from the distances of nearest neighbours, and of two Gaussians of the same moments."""

    neighbours: float
    gaussian: float


@dataclass(frozen=True, slots=True, eq=False)
class Toy:
    """One point's information, and what it is estimated from.

    Attributes:
        view: what was chosen.
        points: 80 of them; ``predicted`` (80,) their SI by SGD's steady state (Prop. 5.1), in nats.
        weights: (3, runs, 2) the weights at the end of each training, as in KINDS.
        counts: (3, CELLS, CELLS) runs in each cell, by second and first weight; ``edges`` (2, CELLS + 1) of both weights.
        information: I(w; z_i | the others), KL of the first from the third distribution.
        bound: KL of the first from the second.
    """

    view: ToyView
    points: Points
    predicted: np.ndarray
    weights: np.ndarray
    counts: np.ndarray
    edges: np.ndarray
    information: Estimate
    bound: Estimate

    @property
    def above(self) -> bool:
        """Whether this point's information exceeds its bound, which holds on average over points."""
        return self.information.neighbours > self.bound.gaussian


def toy(view: ToyView, ws: Workspace) -> Toy:
    """The toy, from memory when it was asked for before.

    Raises:
        ComputationError: SGD diverges at this learning rate.
    """
    shown = view.model_copy(update={"shown": True})
    return ws.hot.get(("information.toy", shown.canonical()), lambda: _toy(shown, ws), lambda found: 2 * found.weights.nbytes)


def _toy(view: ToyView, ws: Workspace) -> Toy:
    points, descent = toy_points(view.seed, view.apart), _descent(view)
    chance = np.random.default_rng
    whole = view.model_copy(update={"point": 0})  # the first distribution is every point's
    trained = ws.hot.get(
        ("information.toy.whole", whole.canonical()), lambda: final_weights(points, descent, view.runs, chance([view.seed, 1]))
    )
    without = final_weights(points.without(view.point), descent, view.runs, chance([view.seed, 2, view.point]))
    generator = chance([view.seed, 3, view.point])
    others = final_weights(points, descent, view.runs, generator, (view.point, new_points(generator, view.runs, view.apart)))
    weights = np.stack([trained, without, others])
    counts, edges = _histograms(weights)
    return Toy(
        view=view,
        points=points,
        predicted=predicted_information(points, descent),
        weights=weights,
        counts=counts,
        edges=edges,
        information=_estimate(trained, others),
        bound=_estimate(trained, without),
    )


def _descent(view: ToyView) -> Descent:
    return Descent(view.rate, view.batch, view.epochs, view.order == "drawn")


def _estimate(p: np.ndarray, q: np.ndarray) -> Estimate:
    return Estimate(neighbour_divergence(p, q), gaussian_divergence(p, q))


def _histograms(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (3, CELLS, CELLS) of all three over one grid, and its edges (2, CELLS + 1)."""
    low, high = (np.quantile(weights, share, axis=1) for share in (_EDGE, 1 - _EDGE))
    edges = np.linspace(low.min(0), high.max(0), CELLS + 1, axis=1)
    counts = [np.histogram2d(run[:, 1], run[:, 0], bins=[edges[1], edges[0]])[0] for run in weights]
    return np.stack(counts), edges


def answer(found: Toy) -> tuple[str, ...]:
    """What the weights know of the point, and what bounds it."""
    said = (
        f"The weights know {nats(found.information.neighbours)} of point {found.view.point} that no other point tells; how far training "
        f"without it ends from here bounds that by {nats(found.bound.gaussian)}.",
    )
    if not found.above:
        return said
    return (*said, "Here the estimate is above the bound, which holds for the average over points, not for each.")


def nats(value: float) -> str:
    """An information, with its unit."""
    return f"{number(value, 2)} nats"


def points_table(found: Toy) -> pd.DataFrame:
    """The points with their predicted information."""
    return pd.DataFrame(
        {
            "point": np.arange(len(found.points.y)),
            "target": found.points.y,
            "x1": found.points.x[:, 0],
            "x2": found.points.x[:, 1],
            "predicted_information": found.predicted,
        }
    )


def weights_table(found: Toy) -> pd.DataFrame:
    """The weights of every training."""
    parts = [pd.DataFrame({"trained": kind, "w1": run[:, 0], "w2": run[:, 1]}) for kind, run in zip(KINDS, found.weights, strict=True)]
    return pd.concat(parts, ignore_index=True)
