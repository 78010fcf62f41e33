"""Where the bound on the unique information comes from, on a toy: a linear regression that SGD trains many times (Unique-info Fig. 3, A.1).

Two Gaussian classes of 40 points in the plane; f(x) = wᵀx without a bias, targets ±1, from w = 0. SGD's chance makes p(w | S) a
distribution, of which every run is a sample. The source does not give its points; these are drawn from the two Gaussians of its
published code: means (0, 1) and (1, 0), standard deviations (1/4, 1/2) and (1/2, 1/4).
"""

from dataclasses import dataclass
from math import ceil, log

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ntkcore.errors import ComputationError

Float = NDArray[np.float64]

EACH = 40
"""Points of a class."""
_MEANS = np.array([[0.0, 1.0], [1.0, 0.0]])
_SPREADS = np.array([[0.25, 0.5], [0.5, 0.25]])
_FORGOTTEN = 1e-16
"""Of the mean squared distance between two starts: what is left of it when an epoch counts as forgotten."""
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Points:
    """Points x (n, 2) with targets y (n,) of -1 and +1."""

    x: Float
    y: Float

    def without(self, index: int) -> "Points":
        """All but one."""
        return Points(np.delete(self.x, index, 0), np.delete(self.y, index))


@dataclass(frozen=True, slots=True)
class Descent:
    """SGD on the loss ½ (wᵀx - y)² averaged over a batch: learning rate, points of a batch, epochs; batches of an epoch are parts of one
    shuffled order, or are drawn with replacement."""

    rate: float = 0.1
    batch: int = 5
    epochs: int = 200
    replacement: bool = False


def toy_points(seed: int = 0, apart: float = 1.0) -> Points:
    """The 80 points, those of class -1 first; ``apart`` scales the distance of the classes' means, and the same seed the same draw."""
    y = np.repeat([-1.0, 1.0], EACH)
    return Points(_located(np.random.default_rng(seed).standard_normal((2 * EACH, 2)), y, apart), y)


def new_points(generator: np.random.Generator, count: int, apart: float = 1.0) -> Points:
    """Points z' from the same distribution, of either class."""
    y = generator.choice([-1.0, 1.0], count)
    return Points(_located(generator.standard_normal((count, 2)), y, apart), y)


def _located(normal: Float, y: Float, apart: float) -> Float:
    kind = (y > 0).astype(np.intp)
    centre = _MEANS.mean(0)
    return np.asarray(centre + apart * (_MEANS - centre)[kind] + _SPREADS[kind] * normal)


def final_weights(
    points: Points, descent: Descent, runs: int, generator: np.random.Generator, exchanged: tuple[int, Points] | None = None
) -> Float:
    """w (runs, 2) at the end of as many trainings.

    Early epochs whose effect on w has died out are not run: see :func:`remembered`.

    Args:
        points: n of them.
        descent: how each is trained.
        runs: how many, at least 1.
        generator: of the batches.
        exchanged: a place in ``points`` and the point that each run has there (runs,) instead.

    Raises:
        ComputationError: SGD diverges at this rate.
    """
    return followed(points, descent, generator, np.zeros((runs, 2)), min(descent.epochs, remembered(points, descent)), exchanged)


def followed(
    points: Points,
    descent: Descent,
    generator: np.random.Generator,
    start: Float,
    epochs: int,
    exchanged: tuple[int, Points] | None = None,
) -> Float:
    """w (runs, 2) after some epochs from ``start`` (runs, 2); see :func:`final_weights`."""
    n, runs = len(points.y), len(start)
    own = np.broadcast_to(np.arange(n, dtype=np.uint8 if n < 256 else np.intp), (runs, n))
    first, second = start.T.copy()
    for _ in range(epochs):
        order = (generator.integers(0, n, (runs, n)) if descent.replacement else generator.permuted(own, axis=1)).T
        x, z, y = points.x[order, 0], points.x[order, 1], points.y[order]  # (n, runs) each: sums run over whole rows
        if exchanged is not None:
            place, step = np.nonzero(order == exchanged[0])
            x[place, step], z[place, step], y[place, step] = exchanged[1].x[step, 0], exchanged[1].x[step, 1], exchanged[1].y[step]
        for begin in range(0, n, descent.batch):
            here = slice(begin, min(n, begin + descent.batch))
            a, b = x[here], z[here]
            error = (a * first + b * second - y[here]) * (descent.rate / (here.stop - begin))
            first, second = first - (a * error).sum(0), second - (b * error).sum(0)
    return np.stack([first, second], 1)


def remembered(points: Points, descent: Descent) -> int:
    """Epochs after which the distance of two runs of the same batches has shrunk to 1e-8 of itself, whatever it was.

    Its mean square is multiplied at each step by at most the spectral radius of ``E[(I - η H_b) ⊗ (I - η H_b)]`` over batches drawn with
    replacement, H_b the mean of a batch's x xᵀ.

    Raises:
        ComputationError: the radius is not below 1.
    """
    outer = points.x[:, :, None] * points.x[:, None, :]
    mean, eye = outer.mean(0), np.eye(2)
    fourth = np.einsum("nij,nkl->ikjl", outer, outer).reshape(4, 4) / len(outer)
    rate, batch = descent.rate, descent.batch
    both = (1 - 1 / batch) * np.kron(mean, mean) + fourth / batch
    step = np.eye(4) - rate * (np.kron(mean, eye) + np.kron(eye, mean)) + rate**2 * both
    radius = float(np.abs(np.linalg.eigvals(step)).max())
    if radius >= 1:
        raise ComputationError(f"SGD diverges here at a learning rate of {rate:g}.", "Choose a smaller rate, or larger batches.")
    steps = ceil(log(_FORGOTTEN) / log(radius)) if radius > 0 else 1
    return ceil(steps / ceil(len(outer) / batch))


def predicted_information(points: Points, descent: Descent) -> Float:
    """SI (n,) of every point by SGD's steady state (Unique-info Prop. 5.1): ``½ (w - w_(without i))ᵀ Σ⁻¹ (w - w_(without i))``.

    ``H Σ + Σ H = (η / b) Λ`` for the averaged loss at its minimum: batches drawn with replacement and a small rate are assumed, and that
    Σ stays the same without i.
    """
    n, x, y = len(points.y), points.x, points.y
    hessian = x.T @ x / n
    factor = scipy.linalg.cho_factor(x.T @ x)
    best = scipy.linalg.cho_solve(factor, x.T @ y)
    errors = x @ best - y
    noise = np.cov((x * errors[:, None]).T, bias=True)
    covariance = scipy.linalg.solve_continuous_lyapunov(hessian, descent.rate / descent.batch * noise)
    solved = scipy.linalg.cho_solve(factor, x.T)  # (2, n)
    leverage = np.einsum("nd,dn->n", x, solved)
    moved = solved * (errors / (1 - leverage))  # w_(without i) - w, the least squares' deletion formula
    return np.asarray(np.einsum("dn,dn->n", moved, np.linalg.solve(covariance, moved)) / 2)


def gaussian_divergence(p: Float, q: Float) -> float:
    """KL(p ‖ q) in nats of two Gaussians with the means and covariances of samples p (r, d) and q (s, d)."""
    own, other = np.cov(p.T), np.cov(q.T)
    shift = p.mean(0) - q.mean(0)
    inverse = np.linalg.inv(other)
    volume = np.linalg.slogdet(other)[1] - np.linalg.slogdet(own)[1]
    return float((np.trace(inverse @ own) + shift @ inverse @ shift - len(shift) + volume) / 2)


def neighbour_divergence(p: Float, q: Float, neighbours: int = NEIGHBOURS) -> float:
    """KL(p ‖ q) in nats from samples p (r, d) and q (s, d) of any densities, by the distances to their k-th nearest neighbours.

    ``(d / r) Σ log(ν_k / ρ_k) + log(s / (r - 1))``, ρ within p and ν from p to q (Wang, Kulkarni & Verdú 2009, eq. 5), after p is scaled
    to unit covariance, which leaves KL as it is. Where q has no samples near p's it is too small: it cannot see a density that is not met.
    """
    white = np.linalg.cholesky(np.linalg.inv(np.cov(p.T)))
    own, other = p @ white, q @ white
    within = cKDTree(own).query(own, [neighbours + 1])[0][:, 0]  # the nearest of all is the sample itself
    across = cKDTree(other).query(own, [neighbours])[0][:, 0]
    return float(p.shape[1] * np.log(across / within).mean() + np.log(len(q) / (len(p) - 1)))
