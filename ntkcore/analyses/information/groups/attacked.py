"""What the study of adversarial examples says, for people: scores, how well they are found, the images beside their originals, tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.information.groups import adversarial as adversarial_study
from ntkcore.analyses.information.groups.views import GroupScores
from ntkcore.analyses.information.views import percentiles
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import thumbnail_pack
from ntkcore.information.means import mean_estimate
from ntkcore.specs.groups import AdversarialSpec

NAMES = ("adversarial", "normal")
_GAP = 1  # pixels between the pictures of a pair


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


def adversarial_scores(pieces: Pieces[AdversarialSpec], part: int) -> GroupScores:
    """F-SI of adversarial and normal images."""
    truth = pieces["adversarial"] > 0
    means = tuple(mean_estimate(pieces["attacked"][chosen]) for chosen in (truth, ~truth))
    return GroupScores(NAMES, (pieces["attacked"][part][truth[part]], pieces["attacked"][part][~truth[part]]), means)


def pairs(pieces: Pieces[AdversarialSpec], part: int, ws: Workspace) -> Pairs:
    """The adversarial images of one repeat that were kept."""
    kept = pieces["kept"][part]
    places = np.flatnonzero(np.isfinite(kept))
    images = kept[places].astype(np.intp)
    scores = pieces["attacked"][part][images]
    order = np.argsort(-scores, kind="stable")
    places, images = places[order], images[order]
    train = adversarial_study.images(pieces.spec, part, ws).train
    shape = train.inputs.shape[1:]
    originals, moved = train.inputs[images].astype(np.float64), pieces["pixels"][part][places].reshape(-1, *shape)
    difference = 0.5 + (moved - originals) / (2 * pieces.spec.epsilon)
    gap = np.ones((*originals.shape[:-1], _GAP))
    row = np.concatenate([originals, gap, moved, gap, difference], axis=-1)
    pixels = np.rint(255 * row.clip(0, 1)).astype(np.uint8)
    shown = pixels[:, 0] if shape[0] == 1 else pixels.transpose(0, 2, 3, 1)
    return Pairs(
        pack=thumbnail_pack(np.ascontiguousarray(shown), ws.settings).id,
        images=images,
        ids=tuple(train.ids[image] for image in images),
        labels=tuple(train.class_names[train.labels[image]] for image in images),
        scores=pieces["attacked"][part][images],
        clean=pieces["clean"][part][images],
        percentile=percentiles(pieces["attacked"][part])[images],
    )


def adversarial_scores_table(pieces: Pieces[AdversarialSpec], ws: Workspace) -> pd.DataFrame:
    """A row for each image of each repeat: whether it is adversarial, its F-SI in nats with the attacked and with the clean images."""
    rows = []
    for part in range(pieces.spec.repeats):
        train = adversarial_study.images(pieces.spec, part, ws).train
        rows.append(
            pd.DataFrame(
                {
                    "repeat": part,
                    "image": np.arange(train.n),
                    "id": train.ids,
                    "label": np.array(train.class_names)[train.labels],
                    "group": np.where(pieces["adversarial"][part] > 0, *NAMES),
                    "information": pieces["attacked"][part],
                    "before": pieces["clean"][part],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)
