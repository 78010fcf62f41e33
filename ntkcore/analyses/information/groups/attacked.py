"""What the study of adversarial examples says, for people: scores, how well they are found, the images beside their originals, tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.information.groups import adversarial as adversarial_study
from ntkcore.analyses.information.groups.views import GroupScores
from ntkcore.analyses.information.views import percentiles
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import thumbnail_pack
from ntkcore.information.detection import Detection, Estimate, detect
from ntkcore.information.means import mean_estimate, ratio_estimate
from ntkcore.specs.groups import AdversarialSpec

NAMES = ("adversarial", "normal")
_GAP = 1  # pixels between the pictures of a pair


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


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Adversarial images beside their originals, the most informative first.

    Attributes:
        pack: thumbnails, each the original, the adversarial image, and their difference, half gray where there is none.
        images: (a,) numbers among the training images; ``ids`` their names, ``labels`` their classes.
        scores, clean: (a,) F-SI as adversarial images and before the attack; ``percentile`` of the former among all images.
    """

    pack: str
    images: np.ndarray
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    scores: np.ndarray
    clean: np.ndarray
    percentile: np.ndarray


def adversarial_scores(parts: Parts[AdversarialSpec], part: int) -> GroupScores:
    """F-SI of adversarial and normal images."""
    truth = parts["adversarial"] > 0
    means = tuple(mean_estimate(parts["attacked"][chosen]) for chosen in (truth, ~truth))
    return GroupScores(NAMES, (parts["attacked"][part][truth[part]], parts["attacked"][part][~truth[part]]), means)


def attacked(parts: Parts[AdversarialSpec]) -> Attacked:
    """What happened, in all repeats."""
    truth = parts["adversarial"] > 0
    after, normal = parts["attacked"][truth], parts["attacked"][~truth]
    before, others = parts["clean"][truth], parts["clean"][~truth]
    right, tried, found = (int(value) for value in parts["counts"].sum(0))
    clean, changed = parts["accuracy"].mean(0)
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


def detections(parts: Parts[AdversarialSpec], part: int) -> Mapping[str, Detection]:
    """How well F-SI finds the adversarial images: theirs, and that of the same images before the attack."""
    truth = parts["adversarial"][part] > 0
    return {
        "F-SI with the adversarial images": detect(parts["attacked"][part], truth),
        "F-SI before the attack": detect(parts["clean"][part], truth),
    }


def pairs(parts: Parts[AdversarialSpec], part: int, ws: Workspace) -> Pairs:
    """The adversarial images of one repeat that were kept."""
    kept = parts["kept"][part]
    places = np.flatnonzero(np.isfinite(kept))
    images = kept[places].astype(np.intp)
    scores = parts["attacked"][part][images]
    order = np.argsort(-scores, kind="stable")
    places, images = places[order], images[order]
    train = adversarial_study.images(parts.spec, part, ws).train
    shape = train.inputs.shape[1:]
    originals, moved = train.inputs[images].astype(np.float64), parts["pixels"][part][places].reshape(-1, *shape)
    difference = 0.5 + (moved - originals) / (2 * parts.spec.epsilon)
    gap = np.ones((*originals.shape[:-1], _GAP))
    row = np.concatenate([originals, gap, moved, gap, difference], axis=-1)
    pixels = np.rint(255 * row.clip(0, 1)).astype(np.uint8)
    shown = pixels[:, 0] if shape[0] == 1 else pixels.transpose(0, 2, 3, 1)
    return Pairs(
        pack=thumbnail_pack(np.ascontiguousarray(shown), ws.settings).id,
        images=images,
        ids=tuple(train.ids[image] for image in images),
        labels=tuple(train.class_names[train.labels[image]] for image in images),
        scores=parts["attacked"][part][images],
        clean=parts["clean"][part][images],
        percentile=percentiles(parts["attacked"][part])[images],
    )


def adversarial_scores_table(parts: Parts[AdversarialSpec], ws: Workspace) -> pd.DataFrame:
    """A row for each image of each repeat: whether it is adversarial, its F-SI in nats with the attacked and with the clean images."""
    rows = []
    for part in range(parts.spec.repeats):
        train = adversarial_study.images(parts.spec, part, ws).train
        rows.append(
            pd.DataFrame(
                {
                    "repeat": part,
                    "image": np.arange(train.n),
                    "id": train.ids,
                    "label": np.array(train.class_names)[train.labels],
                    "group": np.where(parts["adversarial"][part] > 0, *NAMES),
                    "information": parts["attacked"][part],
                    "before": parts["clean"][part],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)
