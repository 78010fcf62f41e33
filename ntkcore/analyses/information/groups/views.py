"""What the studies of groups say, for people: scores by group, what one group has of another, curves, sentences and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.information.groups import sources as sources_study
from ntkcore.analyses.information.groups import subclass as subclass_study
from ntkcore.analyses.information.groups.composed import Composed
from ntkcore.analyses.information.groups.scores import by_kind, by_source, piece_of, rare_found
from ntkcore.analyses.information.groups.sources import DROPPED, ORDERS
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.information.detection import Estimate
from ntkcore.information.means import mean_estimate, ratio_estimate
from ntkcore.specs.groups import SourcesSpec, SubclassSpec

PAPER = {
    "sources": "In the paper, images of SVHN carry much more unique information than MNIST’s for a pretrained ResNet-18 (Fig. 2a).",
    "subclass": "In the paper, 200 cats among 4,000 dogs carry more unique information than the dogs or the 4,000 deer (Fig. 9).",
    "adversarial": "In the paper, adversarial examples are on average more informative than normal ones, and F-SI detects them (Fig. 10).",
}


@dataclass(frozen=True, slots=True, eq=False)
class GroupScores:
    """F-SI of the images of some groups.

    Attributes:
        names: of the groups.
        values: of each group's images in the repeat that is shown, in nats.
        means: of each group's images in all repeats, with 95 % intervals over the images.
    """

    names: tuple[str, ...]
    values: tuple[np.ndarray, ...]
    means: tuple[Estimate, ...]

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """All scores (n,), and which group each is of."""
        return np.concatenate(self.values), np.repeat(np.arange(len(self.values)), [len(values) for values in self.values])


@dataclass(frozen=True, slots=True, eq=False)
class DropCurves:
    """Held-out accuracy when shares of one source's images are dropped, mean over the repeats with the lowest and the highest.

    Attributes:
        shares: (K,) of its images.
        mean, low, high: (sources, orders, K, sources + 1); the last axis is over whose held-out images are judged, all of them last.
    """

    shares: tuple[float, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True)
class Redundancy:
    """What a source's images tell alone and beside the others: mean F-SI in nats, over the same held-out images; and what is left of it."""

    alone: Estimate
    beside: Estimate
    left: Estimate | None


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A sub-class at several counts: mean F-SI of an image with intervals, the area under the ROC curve, held-out accuracies (C, 3)."""

    counts: tuple[int, ...]
    rare: tuple[Estimate, ...]
    common: tuple[Estimate, ...]
    other: tuple[Estimate, ...]
    auc: np.ndarray
    accuracy: np.ndarray


def source_scores(pieces: Pieces[SourcesSpec], part: int, ws: Workspace) -> GroupScores:
    """F-SI by source, all of them together in one training set."""
    spec = pieces.spec
    every = np.stack([by_source(pieces, "scores", repeat) for repeat in range(spec.repeats)])
    names = tuple(group.name for group in sources_study.groups_of(spec, ws))
    means = tuple(mean_estimate(every[:, place].ravel()) for place in range(len(names)))
    return GroupScores(names, tuple(every[part]), means)


def shares(pieces: Pieces[SourcesSpec]) -> np.ndarray:
    """(sources,) share of all unique information, mean over the repeats; NaN where there is none."""
    sums = np.stack([by_source(pieces, "scores", repeat).sum(1) for repeat in range(pieces.spec.repeats)])
    whole = sums.sum(1, keepdims=True)
    return np.asarray(np.divide(sums, whole, out=np.full_like(sums, np.nan), where=whole > 0).mean(0))


def drop_curves(pieces: Pieces[SourcesSpec]) -> DropCurves:
    """Accuracy over what is dropped."""
    found = pieces["accuracy"]
    return DropCurves(DROPPED, found.mean(0), found.min(0), found.max(0))


def redundancies(pieces: Pieces[SourcesSpec]) -> tuple[Redundancy, ...]:
    """Of each source."""
    spec, found = pieces.spec, []
    for place in range(len(spec.sources)):
        alone, beside = (
            np.concatenate([by_source(pieces, name, repeat)[place] for repeat in range(spec.repeats)]) for name in ("alone", "scores")
        )
        left = ratio_estimate(beside, alone) if alone.mean() > 0 else None
        found.append(Redundancy(mean_estimate(alone), mean_estimate(beside), left))
    return tuple(found)


def subclass_scores(pieces: Pieces[SubclassSpec], repeat: int, count: int) -> GroupScores:
    """F-SI of the rare, the common and the other class's images, at one count of rare ones."""
    spec = pieces.spec
    every = [by_kind(pieces, other, count) for other in range(spec.repeats)]
    means = tuple(mean_estimate(np.concatenate([kinds[place] for kinds in every])) for place in range(3))
    return GroupScores((spec.rare, spec.common, spec.other), every[repeat], means)


def sweep(pieces: Pieces[SubclassSpec]) -> Sweep:
    """The sub-class over its count."""
    spec = pieces.spec
    means = [subclass_scores(pieces, 0, count).means for count in spec.counts]
    auc = [np.mean([rare_found(pieces, repeat, count).auc.value for repeat in range(spec.repeats)]) for count in spec.counts]
    hits = [np.mean([pieces["accuracy"][piece_of(spec, repeat, count)] for repeat in range(spec.repeats)], axis=0) for count in spec.counts]
    rare, common, other = zip(*means, strict=True)
    return Sweep(spec.counts, rare, common, other, np.array(auc), np.stack(hits))


def source_table(pieces: Pieces[SourcesSpec], ws: Workspace) -> pd.DataFrame:
    """A row for each image of each repeat: its source, its label, its F-SI among all sources and among its own alone, in nats."""
    spec = pieces.spec
    return pd.concat(
        [
            _images(sources_study.images(spec, repeat, ws), repeat).assign(
                information=pieces["scores"][repeat], alone=pieces["alone"][repeat]
            )
            for repeat in range(spec.repeats)
        ],
        ignore_index=True,
    )


def subclass_scores_table(pieces: Pieces[SubclassSpec], ws: Workspace) -> pd.DataFrame:
    """A row for each image, repeat and count: its sub-class, its label, its F-SI in nats."""
    spec, rows = pieces.spec, []
    for repeat in range(spec.repeats):
        table = _images(subclass_study.images(spec, repeat, ws), repeat)
        for count in spec.counts:
            there = subclass_study.rows_of(spec, count)
            scores = pieces["scores"][piece_of(spec, repeat, count)][there]
            rows.append(table.iloc[there].assign(count=count, information=scores))
    return pd.concat(rows, ignore_index=True)


def _images(found: Composed, repeat: int) -> pd.DataFrame:
    train = found.split.train
    return pd.DataFrame(
        {
            "repeat": repeat,
            "image": np.arange(train.n),
            "id": train.ids,
            "group": np.array(found.names)[found.group],
            "label": np.array(train.class_names)[train.labels],
        }
    )


def curve_table(pieces: Pieces[SourcesSpec], names: Sequence[str]) -> pd.DataFrame:
    """A row for each repeat, source, order, share dropped and whose held-out images are judged."""
    rows = [
        {
            "repeat": repeat,
            "source": names[place],
            "order": order,
            "dropped": share,
            "held_out": [*names, "all"][judged],
            "accuracy": pieces["accuracy"][repeat, place, number, step, judged],
        }
        for repeat in range(pieces.spec.repeats)
        for place in range(len(names))
        for number, order in enumerate(ORDERS)
        for step, share in enumerate(DROPPED)
        for judged in range(len(names) + 1)
    ]
    return pd.DataFrame(rows)


def sweep_table(found: Sweep) -> pd.DataFrame:
    """A row for each count."""
    columns: dict[str, object] = {"count": found.counts}
    for name in ("rare", "common", "other"):
        for end in ("value", "low", "high"):
            columns[f"{name}_{end}"] = [getattr(estimate, end) for estimate in getattr(found, name)]
    columns |= {"auc": found.auc} | {f"accuracy_{name}": found.accuracy[:, place] for place, name in enumerate(subclass_study.KINDS)}
    return pd.DataFrame(columns)
