"""The scores of each group in what the studies of groups stored: pooled over the repeats, one beside the other (Unique-info §6)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.study import Pieces
from ntkcore.information.detection import Detection, Estimate, detect
from ntkcore.information.means import mean_estimate, ratio_estimate
from ntkcore.specs.groups import AdversarialSpec, SourcesSpec, SubclassSpec


@dataclass(frozen=True, slots=True, eq=False)
class Attacked:
    """What happened to the attacked images.

    Attributes:
        right, tried, found: images that the attacked network had right, that were tried, and whose class changed, in all repeats.
        before: mean F-SI of the same images before the attack; ``after`` as adversarial ones.
        normal: of the other images.
        ratio: adversarial over normal; ``before_ratio`` the same images before the attack over the others then. None: these have none.
        accuracy: held-out accuracy with the clean and with the attacked images.
    """

    right: int
    tried: int
    found: int
    before: Estimate
    after: Estimate
    normal: Estimate
    ratio: Estimate | None
    before_ratio: Estimate | None
    accuracy: tuple[float, float]


def times_as_much(first: np.ndarray, second: np.ndarray) -> Estimate | None:
    """Mean F-SI of one group over another's; None where the other has none."""
    return ratio_estimate(first, second) if second.mean() > 0 else None


def by_source(pieces: Pieces[SourcesSpec], name: str, part: int) -> np.ndarray:
    """``"scores"`` or ``"alone"`` of one repeat as (sources, n), in nats."""
    return pieces[name][part].reshape(len(pieces.spec.sources), pieces.spec.n)


def pooled(pieces: Pieces[SourcesSpec], place: int) -> np.ndarray:
    """F-SI of a source's images in all repeats."""
    return np.concatenate([by_source(pieces, "scores", repeat)[place] for repeat in range(pieces.spec.repeats)])


def piece_of(spec: SubclassSpec, repeat: int, count: int) -> int:
    """The number of the piece for a repeat and a count."""
    return repeat * len(spec.counts) + spec.counts.index(count)


def by_kind(pieces: Pieces[SubclassSpec], repeat: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F-SI of the rare, the common and the other class's images, in nats."""
    spec = pieces.spec
    scores = pieces["scores"][piece_of(spec, repeat, count)]
    most = spec.counts[-1]
    return scores[:count], scores[most : most + spec.common_count], scores[most + spec.common_count :]


def pooled_kind(pieces: Pieces[SubclassSpec], count: int, place: int) -> np.ndarray:
    """F-SI of the rare (0), the common (1) or the other images (2) in all repeats."""
    return np.concatenate([by_kind(pieces, repeat, count)[place] for repeat in range(pieces.spec.repeats)])


def rare_found(pieces: Pieces[SubclassSpec], repeat: int, count: int) -> Detection:
    """How well F-SI finds the rare ones among the images of their class."""
    rare, common, _ = by_kind(pieces, repeat, count)
    return detect(np.r_[rare, common], np.arange(len(rare) + len(common)) < len(rare))


def attacked(pieces: Pieces[AdversarialSpec]) -> Attacked:
    """What happened, in all repeats."""
    truth = pieces["adversarial"] > 0
    after, normal = pieces["attacked"][truth], pieces["attacked"][~truth]
    before, others = pieces["clean"][truth], pieces["clean"][~truth]
    right, tried, found = (int(value) for value in pieces["counts"].sum(0))
    clean, changed = pieces["accuracy"].mean(0)
    return Attacked(
        right=right,
        tried=tried,
        found=found,
        before=mean_estimate(before),
        after=mean_estimate(after),
        normal=mean_estimate(normal),
        ratio=ratio_estimate(after, normal) if normal.mean() > 0 else None,
        before_ratio=ratio_estimate(before, others) if others.mean() > 0 else None,
        accuracy=(float(clean), float(changed)),
    )


def mostly_before(found: Attacked) -> bool:
    """Whether more than half of what adversarial images carry beyond normal ones was theirs before the attack."""
    return found.ratio is not None and found.before_ratio is not None and found.before_ratio.value - 1 > (found.ratio.value - 1) / 2


def detections(pieces: Pieces[AdversarialSpec], part: int) -> Mapping[str, Detection]:
    """How well F-SI finds the adversarial images: theirs, and that of the same images before the attack."""
    truth = pieces["adversarial"][part] > 0
    return {
        "F-SI with the adversarial images": detect(pieces["attacked"][part], truth),
        "F-SI before the attack": detect(pieces["clean"][part], truth),
    }
