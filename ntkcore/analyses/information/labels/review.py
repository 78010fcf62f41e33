"""The review of labels, one image at a time: which come first, what is known of each, what was decided, and the corrected labels.

The label that is suggested is the one the network gives that has not seen the image: one that has may have learned a wrong label by heart.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.labels.views import flipped, suspicions
from ntkcore.analyses.information.views import judged, percentiles
from ntkcore.analyses.look import memoised
from ntkcore.influence.self_influence import held_out_outputs
from ntkcore.specs.detection import LabelsView, Suspicion

Deed = Literal["accept", "relabel", "reject"]


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """Everything that the review of labels at one λ and time needs.

    Attributes:
        order: (n,) training images, the most suspicious first.
        queue: those of them that are gone through.
        scores: every score (n,).
        percentiles: every score's percentile (n,): the share of images, in %, whose score is lower.
        predicted: (n,) class that the network takes each image for.
        outputs: (n, k) of the network that has not seen the image.
        unseen: (n,) class by these outputs.
        suggested: (n,) ``unseen``, or where that is the given label the best other class.
    """

    order: np.ndarray
    queue: np.ndarray
    scores: dict[Suspicion, np.ndarray]
    percentiles: dict[Suspicion, np.ndarray]
    predicted: np.ndarray
    outputs: np.ndarray
    unseen: np.ndarray
    suggested: np.ndarray


@memoised()
def review(look: Look, by: Suspicion, first: int) -> Review:
    """The review by one score.

    Args:
        by: the score whose highest come first.
        first: how many are gone through; 0: all.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    scores = dict(suspicions(look))
    order = np.argsort(-scores[by], kind="stable")
    outputs = held_out_outputs(look.regression(), look.time)
    unseen = classes(outputs)
    return Review(
        order=order,
        queue=order[: first or len(order)],
        scores=scores,
        percentiles={name: percentiles(values) for name, values in scores.items()},
        predicted=judged(look).predicted,
        outputs=outputs,
        unseen=unseen,
        suggested=_suggested(outputs, unseen, look.result.labels),
    )


def _suggested(outputs: np.ndarray, unseen: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if outputs.shape[1] == 1:
        return 1 - labels
    others = outputs.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    return np.where(unseen == labels, others.argmax(1), unseen)


def decision(labels: LabelsView, image: int) -> tuple[Deed, int | None] | None:
    """What was decided of an image, with its new class when it is given one; None: nothing yet."""
    if image in labels.accepted:
        return "accept", None
    if image in labels.rejected:
        return "reject", None
    return next((("relabel", label) for other, label in labels.relabelled if other == image), None)


def decided(labels: LabelsView, image: int, deed: Deed | None, label: int | None = None) -> LabelsView:
    """The view after an image was decided, in place of what was decided of it before; None: nothing is."""
    accepted = [i for i in labels.accepted if i != image]
    rejected = [i for i in labels.rejected if i != image]
    relabelled = [pair for pair in labels.relabelled if pair[0] != image]
    if deed == "relabel":
        assert label is not None, "a new label"
        relabelled.append((image, label))
    elif deed is not None:
        (accepted if deed == "accept" else rejected).append(image)
    kept = {"accepted": tuple(sorted(accepted)), "rejected": tuple(sorted(rejected)), "relabelled": tuple(sorted(relabelled))}
    return labels.model_copy(update=kept)


def images_decided(labels: LabelsView) -> np.ndarray:
    """The images of which something was decided, in order."""
    return np.sort(np.array([*labels.accepted, *labels.rejected, *(image for image, _ in labels.relabelled)], dtype=np.int64))


def shown(found: Review, labels: LabelsView) -> int:
    """The image under review: the one named, or the first of the queue that is not decided, or its first."""
    if labels.at is not None and labels.at < len(found.order):
        return labels.at
    open_ = found.queue[~np.isin(found.queue, images_decided(labels))]
    return int(open_[0]) if len(open_) else int(found.queue[0])


def following(found: Review, labels: LabelsView, image: int) -> int:
    """The image to go on with: the next in the queue that is not decided, from the start again after its end; ``image`` when all are."""
    place = np.flatnonzero(found.queue == image)
    start = int(place[0]) + 1 if len(place) else 0
    turn = np.roll(found.queue, -start)
    open_ = turn[~np.isin(turn, images_decided(labels))]
    return int(open_[0]) if len(open_) else image


def done(found: Review, labels: LabelsView) -> int:
    """How many images of the queue are decided."""
    return int(np.isin(found.queue, images_decided(labels)).sum())


def missing_from(result: InfluenceResult, labels: LabelsView) -> str:
    """What a link's review names that this result does not have, or ""."""
    n, k = len(result.labels), len(result.class_names)
    said = []
    if labels.at is not None and labels.at >= n:
        said.append(f"There is no training image {labels.at:,}: they are 0 to {n - 1:,}.")
    if len(found := images_decided(labels)) and found[-1] >= n:
        said.append("Some of the images decided do not exist here.")
    if any(label >= k for _, label in labels.relabelled):
        said.append(f"Some images were given a class that does not exist: they are 0 to {k - 1}.")
    return " ".join(said)


def known(result: InfluenceResult, labels: LabelsView) -> LabelsView:
    """The view without what :func:`missing_from` tells."""
    n, k = len(result.labels), len(result.class_names)
    return labels.model_copy(
        update={
            "at": labels.at if labels.at is None or labels.at < n else None,
            "accepted": tuple(i for i in labels.accepted if i < n),
            "rejected": tuple(i for i in labels.rejected if i < n),
            "relabelled": tuple((i, label) for i, label in labels.relabelled if i < n and label < k),
        }
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the decisions were worth where the flips are known.

    Attributes:
        decided, found: images decided, and how many of them were relabelled or rejected and really flipped.
        flipped: labels flipped in all.
        restored: flipped ones that were given their true class.
        wronged: images whose label was right and is not any more.
    """

    decided: int
    found: int
    flipped: int
    restored: int
    wronged: int


def outcome(result: InfluenceResult, labels: LabelsView) -> Outcome:
    """Decisions against the truth."""
    truth = flipped(result)
    relabelled = dict(labels.relabelled)
    changed = [*labels.rejected, *relabelled]
    return Outcome(
        decided=len(images_decided(labels)),
        found=sum(bool(truth[i]) for i in changed),
        flipped=int(truth.sum()),
        restored=sum(bool(truth[i]) and result.true_labels[i] == label for i, label in relabelled.items()),
        wronged=sum(not truth[i] and result.labels[i] != label for i, label in relabelled.items()),
    )


def decisions_table(result: InfluenceResult, labels: LabelsView) -> pd.DataFrame:
    """The decisions, by image: id, given label, decision, new label ("" for a rejected image)."""
    return _table(result, labels, images_decided(labels))


def labels_table(result: InfluenceResult, labels: LabelsView) -> pd.DataFrame:
    """The whole set's labels after the review: as :func:`decisions_table`, with no decision for the images that were not looked at."""
    return _table(result, labels, np.arange(len(result.labels)))


def _table(result: InfluenceResult, labels: LabelsView, images: np.ndarray) -> pd.DataFrame:
    words = {"accept": "accepted", "relabel": "relabelled", "reject": "rejected"}
    rows = []
    for image in images.tolist():
        given = result.class_names[result.labels[image]]
        what = decision(labels, image)
        deed, label = what if what is not None else (None, None)
        new = "" if deed == "reject" else given if label is None else result.class_names[label]
        rows.append((image, result.ids[image], given, words[deed] if deed else "", new))
    return pd.DataFrame(rows, columns=["image", "id", "given_label", "decision", "new_label"])
