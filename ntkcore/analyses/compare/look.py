"""A comparison looked at: one number of every training image as A and as B have it, ranked, and how far the rankings agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look as SideLook
from ntkcore.analyses.influence.one import cosines
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.look import memoised
from ntkcore.analyses.numbers.known import Known
from ntkcore.analyses.numbers.stored import stored_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.learnability import Correlation, kendall, spearman_interval
from ntkcore.specs.compare import CompareView

REPLICATES = 1000
LEADING = 0.1
"""Share of the images that are called the leading ones."""
SHOWN = 40
"""Images of each gallery."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two rankings of the same images agree.

    Attributes:
        spearman: ρ, with its percentile bootstrap interval over the images.
        kendall: τ_b; NaN where ρ is not defined.
        leading: how many images are called the leading ones, those with the largest numbers.
        shared: how many of A's leading ones are among B's.
    """

    spearman: Correlation
    kendall: float
    leading: int
    shared: int

    @property
    def chance(self) -> float:
        """How many would be shared by rankings that have nothing to do with each other."""
        return self.leading**2 / self.spearman.n


@dataclass(frozen=True)
class Look:
    """A comparison in a view; made once where a page shows it, and handed down."""

    result: CompareResult
    view: CompareView
    ws: Workspace

    @cached_property
    def sides(self) -> tuple[SideLook, SideLook]:
        """A's and B's kernel regression, each at its λ and the end of training."""
        spec, (first, second) = self.result.spec, self.view.ridges
        one, two = (INFLUENCE.open(chosen, self.ws) for chosen in (spec.one, spec.two))
        return SideLook.of(one, first, None, self.ws), SideLook.of(two, second, None, self.ws)

    @property
    def one(self) -> InfluenceResult:
        """A's result; images, labels and names are the same in both."""
        return self.sides[0].result

    @cached_property
    def known(self) -> tuple[Known, Known]:
        """The numbers that A and B have of every image."""
        one, two = (Known(stored_of(side.result.spec, self.ws), side.ridge, self.ws) for side in self.sides)  # a set's columns say the same
        return one, two

    @cached_property
    def titles(self) -> dict[str, str]:
        """What the numbers are that both have, by their names."""
        return {name: title for name, title in self.known[0].titles.items() if name in self.known[1].titles}

    @cached_property
    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) of the view's number as A and as B have it; raises as :meth:`number`."""
        return self.number(self.view.score)

    def number(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(n,) any of the numbers as A and as B have it.

        Raises:
            DataError: nothing that is stored of one of them has it.
            ComputationError: λ is too small for one of the kernels; says which would do.
        """
        first, second = (np.asarray(known.number(name), dtype=np.float64) for known in self.known)
        return first, second

    @cached_property
    def ranks(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) of every image in A and in B, 1 the largest number; equal ones share their mean."""
        first, second = (rankdata(-values) for values in self.values)
        return first, second

    @cached_property
    def moved(self) -> np.ndarray:
        """(n,) ranks that an image is nearer to the largest in B than in A."""
        return np.asarray(self.ranks[0] - self.ranks[1])

    @cached_property
    def shown(self) -> np.ndarray:
        """(n,) whether an image is of the classes shown and, where some are selected, among those."""
        labels, names = self.one.labels, self.one.class_names
        kept = np.isin(labels, [place for place, name in enumerate(names) if name in self.view.only or not self.view.only])
        if picked := [image for image in self.view.picked if image < len(labels)]:
            kept &= np.isin(np.arange(len(labels)), picked)
        return kept

    def movers(self, up: bool) -> np.ndarray:
        """The images that moved most, of those shown: up in B, or down; those that did not move are in neither."""
        order = np.argsort(-self.moved if up else self.moved, kind="stable")
        return order[self.shown[order] & ((self.moved[order] > 0) if up else (self.moved[order] < 0))][:SHOWN]

    def nearest(self, side: int, image: int) -> tuple[np.ndarray, np.ndarray]:
        """The image, then those shown that are most alike to it in A (0) or B (1), with that kernel's cosines."""
        there = self.sides[side].result
        likeness = cosines(there, image)
        order = np.argsort(-likeness, kind="stable")
        order = np.concatenate(([image], order[self.shown[order] & (order != image)]))[:SHOWN]
        return order, likeness[order]

    @cached_property
    def agreement(self) -> Agreement:
        """How far the rankings agree.

        Raises:
            AtlasError: as :meth:`number`.
        """
        return _agreement(self, *self.values)


@memoised("result")
def _agreement(look: Look, first: np.ndarray, second: np.ndarray) -> Agreement:
    n = len(first)
    leading = max(1, round(LEADING * n))
    best = [set(np.argsort(-values, kind="stable")[:leading].tolist()) for values in (first, second)]
    found = spearman_interval(first, second, replicates=REPLICATES, seed=look.result.spec.dataset.seed)
    return Agreement(found, kendall(first, second), leading, len(best[0] & best[1]))


def table(look: Look) -> pd.DataFrame:
    """All training images with their number in A and in B, their ranks, and how far they moved; those that moved up most first."""
    result, order = look.one, np.argsort(-look.moved, kind="stable")
    (first, second), (before, after) = look.values, look.ranks
    return pd.DataFrame(
        {
            "image": order,
            "id": [result.ids[i] for i in order],
            "label": [result.class_names[label] for label in result.labels[order]],
            "flipped": (result.labels != result.true_labels)[order],
            "a": first[order],
            "b": second[order],
            "rank_a": before[order],
            "rank_b": after[order],
            "moved": look.moved[order],
            "rows_alike": look.result.alike[order],
        }
    )


def missing_from(look: Look) -> str:
    """What a link names that this comparison has not, or ""."""
    view, n = look.view, len(look.one.labels)
    said = []
    if view.image is not None and view.image >= n:
        said.append(f"There is no training image {view.image:,}: they are 0 to {n - 1:,}.")
    if view.like is not None and view.like >= n:
        said.append(f"There is no training image {view.like:,} to be like: they are 0 to {n - 1:,}.")
    if unknown := [name for name in view.only if name not in look.one.class_names]:
        said.append(f"There is no class {unknown[0]}.")
    if _beyond((*view.picked, *view.basket), n):
        said.append("Some of the images selected do not exist here.")
    return " ".join(said)


def _beyond(images: Sequence[int], n: int) -> bool:
    return any(image >= n for image in images)
