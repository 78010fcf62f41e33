"""When IHVP can be trusted, answered from an influence result at any λ (IF-NTK Theorems 3 and 4, Figs. 2, 3, 12; SCIENCE §4).

Everything is at the end of training. What takes more than a product is kept in memory and shared by all sessions.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.kernel import prepared
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import INFLUENTIAL
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_dataset
from ntkcore.errors import ComputationError, DataError
from ntkcore.influence.clusters import ClusterErrors, cluster_errors, mixture
from ntkcore.influence.density import Density, Rule, kde_density
from ntkcore.influence.projection import principal_coordinates
from ntkcore.influence.sweep import IhvpSweep
from ntkcore.influence.trust import LIGHTS, RULE, Trust, centre, most_influential, trust
from ntkcore.learnability.correlation import Correlation, spearman_interval
from ntkcore.learnability.pearson import Pearson, pearson_interval
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView

SWEEP = tuple(2.0**power for power in range(-4, 5))
"""The λ of the paper's Fig. 2."""
THRESHOLDS = RULE
"""Of the lights."""
DIMENSIONS = (2, 5, 10, 20, 50)
RULES: dict[Rule, str] = {"scott": "Scott", "silverman": "Silverman", "cv": "cross-validated"}
"""Bandwidths of the density estimate."""
_SWEEP_OPERATIONS = 2e10  # of the sweep's products: about a second on two cores
TABLE_IMAGES = 1000
"""Training images of the table over all settings: eighty kernel sums over their pairs, in two or three seconds."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The IHVP method at one λ, over all pairs of training and held-out images.

    Attributes:
        ridge, least: λ and λ_min; ``bound`` is Theorem 3's λ_min / (λ_min + λ).
        mean, median: of |I - Î| / |I| over the pairs; ``zero`` of the ``pairs`` are left out because I is 0.
        held: pairs that satisfy Theorem 3's exact inequality.
        rates: (n,) of each training image over the held-out ones, by name of the average.
        leverage: (n,) A_i.
        trust: the judgement of each held-out image.
    """

    ridge: float
    least: float
    bound: float
    mean: float
    median: float
    pairs: int
    zero: int
    held: int
    rates: dict[str, np.ndarray]
    leverage: np.ndarray
    trust: Trust


@dataclass(frozen=True, slots=True)
class Sweep:
    """The error rate over λ: ridges (L,), mean, median and Theorem 3's bound (L,), pairs that satisfy it and all pairs (L,).

    ``tests`` held-out images were used; a λ that is too small for the kernel is left out.
    """

    ridges: np.ndarray
    mean: np.ndarray
    median: np.ndarray
    bound: np.ndarray
    held: np.ndarray
    pairs: int
    tests: int


@dataclass(frozen=True, slots=True)
class Association:
    """How log density and log error rate go together: Pearson's r of the two, and Spearman's ρ, over ``used`` images (n,) bool."""

    pearson: Pearson
    spearman: Correlation
    used: np.ndarray


@dataclass(frozen=True, slots=True)
class Evidence:
    """One held-out image's most influential training images: their indices, I, Î and error rate, all (t,), the largest |I| first."""

    images: np.ndarray
    exact: np.ndarray
    estimate: np.ndarray
    rate: np.ndarray


def require_one_kernel(spec: InfluenceSpec) -> None:
    """Refuse, before anything is computed, a kernel for which the theorems are not stated.

    Raises:
        DataError: a full kernel.
    """
    if spec.kernel == "full":
        raise DataError(
            "The theorems on IHVP’s error are stated for one kernel for all outputs.", "Choose the pseudo-NTK or an infinite width."
        )


@memoised("result", size=lambda sweep: sweep.nbytes)
def projected(look: Look, tests: int) -> IhvpSweep:
    """The first ``tests`` held-out images on the kernel's eigenvectors.

    Raises:
        DataError: a full kernel, for which the theorems are not stated.
    """
    result, few = look.result, slice(0, tests)
    y = targets_of(result.test_labels[few], result.regression.k)
    return IhvpSweep(result.regression, result.k_test[few], y, result.f_test[few])


@memoised("ridge", size=lambda found: 32 * len(found.leverage))
def summary(look: Look) -> Summary:
    """The IHVP method at one λ.

    Raises:
        ComputationError: λ is too small for this kernel; says which would do.
        DataError: a full kernel.
    """
    error = projected(look, len(look.result.test_labels)).error(look.ridge)
    rate = error.rate()
    return Summary(
        ridge=look.ridge,
        least=error.least_eigenvalue,
        bound=error.lower_bound,
        mean=float(centre(rate, "mean")),
        median=float(centre(rate, "median")),
        pairs=rate.size,
        zero=int(np.isnan(rate).sum()),
        held=int(error.satisfied().sum()),
        rates={average: centre(rate, average, axis=1) for average in ("mean", "median")},
        leverage=error.leverage,
        trust=trust(error, INFLUENTIAL),
    )


def sweep_tests(result: InfluenceResult) -> int:
    """Held-out images whose sweep over λ takes about a second."""
    n = len(result.labels)
    return min(len(result.test_labels), max(20, int(_SWEEP_OPERATIONS / (len(SWEEP) * 2 * n * n))))


@memoised("result", size=lambda _: 1000)
def sweep(look: Look) -> Sweep:
    """The error rate at the paper's λ (Fig. 2), on as many held-out images as a second allows."""
    tests = sweep_tests(look.result)
    over = projected(look, tests)
    rows = []
    for ridge in SWEEP:
        try:
            error = over.error(ridge)
        except ComputationError:
            continue
        rate = error.rate()
        rows.append((ridge, float(centre(rate, "mean")), float(centre(rate, "median")), error.lower_bound, int(error.satisfied().sum())))
    ridges, mean, median, bound, held = np.asarray(rows, dtype=np.float64).reshape(-1, 5).T
    return Sweep(ridges, mean, median, bound, held.astype(np.int64), tests * len(look.result.labels), tests)


@memoised("result", size=lambda found: found[0].nbytes)
def coordinates(look: Look, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) leading principal coordinates of the training images as the kernel sees them, and the (d,) share of variance explained.

    Args:
        kept: d, or fewer where the images span fewer.
    """
    spec = look.result.spec
    train = load_dataset(spec.dataset, look.ws.settings)
    seen = prepared(spec, train.inputs, train) if spec.model is None else train.inputs
    return principal_coordinates(seen, kept)


@memoised("result", size=lambda found: found.log_density.nbytes)
def density(look: Look, dimension: int, rule: Rule, images: int) -> Density:
    """The density of the first ``images`` training images; of fewer dimensions where the images span fewer."""
    x, explained = coordinates(look, max(dimension, DIMENSIONS[-1]))  # those of the menu come from one decomposition
    found = kde_density(x[:images, :dimension], dimension, rule)
    return replace(found, explained=float(explained[found.dimension - 1]))


def associate(log_density: np.ndarray, rate: np.ndarray, replicates: int = 1000) -> Association:
    """Correlation of log density and log error rate; images without a positive rate are left out."""
    rate = rate[: len(log_density)]
    used = np.isfinite(log_density) & (rate > 0)
    x, y = log_density[used].round(9), np.log(rate[used])  # images far from all others have one density, but for rounding
    return Association(pearson_interval(x, y), spearman_interval(x, y, replicates=replicates), used)


def dependence(look: Look, average: str) -> pd.DataFrame:
    """The correlation at every dimension and bandwidth rule, over the first 1,000 training images.

    Columns: dimension, rule, bandwidth, explained (share of variance), pearson, spearman, images.
    """
    rate, images = summary(look).rates[average], min(TABLE_IMAGES, len(look.result.labels))
    rows = []
    for rule in RULES:
        for dimension in DIMENSIONS:
            found = density(look, dimension, rule, images)
            if found.dimension == dimension:
                both = associate(found.log_density, rate, replicates=0)
                rows.append((dimension, rule, found.bandwidth, found.explained, both.pearson.r, both.spearman.rho, images))
    return pd.DataFrame(rows, columns=["dimension", "rule", "bandwidth", "explained", "pearson", "spearman", "images"])


def unreliable(
    view: ReliabilityView, found: Summary, passing: np.ndarray | None = None, by: np.ndarray | None = None, shown: int = 60
) -> np.ndarray:
    """Training images selected in the chart, or all; the largest error rate first, at most ``shown``.

    Args:
        passing: (n,) whether each passes the filters; None: there are none.
        by: (n,) another order.
    """
    rate = np.nan_to_num(found.rates[view.average], nan=-1.0)
    order = np.argsort(-rate, kind="stable") if by is None else by
    kept = np.ones(len(rate), dtype=bool) if passing is None else passing.copy()
    if picked := [image for image in view.picked if image < len(rate)]:
        kept &= np.isin(np.arange(len(rate)), picked)
    return order[kept[order]][:shown]


def counts(found: Summary) -> tuple[int, int, int]:
    """Held-out images that are green, amber, red."""
    green, amber, red = np.bincount(found.trust.light, minlength=len(LIGHTS))
    return int(green), int(amber), int(red)


def lit(view: ReliabilityView, found: Summary) -> np.ndarray:
    """Held-out images of the view's light, in their order."""
    light = found.trust.light
    return np.arange(len(light)) if view.light == "all" else np.flatnonzero(light == LIGHTS.index(view.light))


def target_of(view: ReliabilityView, found: Summary, shown: np.ndarray) -> int:
    """The held-out image chosen, or the first that is shown, or the first of all."""
    if view.target is not None and view.target < len(found.trust.light):
        return view.target
    return int(shown[0]) if len(shown) else 0


def evidence(look: Look, target: int) -> Evidence:
    """What the light of one held-out image was judged by."""
    result, one = look.result, slice(target, target + 1)
    y = targets_of(result.test_labels[one], result.regression.k)
    error = IhvpSweep(result.regression, result.k_test[one], y, result.f_test[one]).error(look.ridge)
    chosen = most_influential(error.exact, INFLUENTIAL)[:, 0]
    chosen = chosen[np.argsort(-np.abs(error.exact[chosen, 0]), kind="stable")]
    return Evidence(chosen, error.exact[chosen, 0], error.estimate[chosen, 0], error.rate()[chosen, 0])


def clusters(scale: int, ws: Workspace) -> ClusterErrors:
    """Theorem 4 on the simulated clusters (Fig. 12); the same for every data set."""
    return ws.hot.get(("reliability.clusters", scale), lambda: cluster_errors(mixture(scale)), lambda _: 1000)


def missing_from(result: InfluenceResult, view: ReliabilityView) -> str:
    """What a link names that this result does not have, or ""."""
    said = []
    if view.target is not None and view.target >= len(result.test_labels):
        said.append(f"There is no held-out image {view.target:,}: they are 0 to {len(result.test_labels) - 1:,}.")
    if any(image >= len(result.labels) for image in view.picked):
        said.append("Some of the selected training images do not exist here.")
    return " ".join(said)
