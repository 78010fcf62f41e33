"""What is said of flipped labels, in sentences: those that are known here, those that nobody knows, and those that the study flips."""

from collections.abc import Mapping, Sequence

import numpy as np

from ntkcore.analyses.information.answer import doubted
from ntkcore.analyses.information.labels.review import Review
from ntkcore.analyses.information.labels.views import SHORT, Detection, Measured, best
from ntkcore.analyses.words import share
from ntkcore.specs.detection import Suspicion


def known(found: Mapping[Suspicion, Detection]) -> tuple[str, ...]:
    """How well F-SI finds labels that are known to be flipped, and which score does it better."""
    one, first = found["information"], best(found)
    said = (
        f"{one.flipped:,} of {one.n:,} labels are flipped.",
        f"Among the {one.flipped:,} images with the most unique information, {hits(one)} are flipped; by chance it would be "
        f"{one.flipped * one.flipped / one.n:.0f}.",
        f"A flipped image carries more than another one with a chance of {share(one.auc.value)} (ROC-AUC {one.auc.value:.3f}, "
        f"95 % interval {one.auc.low:.3f} to {one.auc.high:.3f}).",
    )
    return said if first == "information" else (*said, f"Here {_named(first)} ranks better: {found[first].auc.value:.3f}.")


def unknown(found: Review, labels: np.ndarray) -> tuple[str, ...]:
    """What can be said where no label is known to be wrong: how many the network doubts that has not seen them; ``labels`` (n,)."""
    return (
        "The labels are taken as they are: which of them are wrong is not known.",
        f"{doubted(found.unseen, labels)} of {len(labels):,} images are taken for another class by the network that has not seen them.",
    )


def study(found: Sequence[Measured], draws: int) -> tuple[str, ...]:
    """How well F-SI finds the labels that the study flipped, and which score does it better on average."""
    areas = {one.score: one.mean for one in found if one.metric == "auc"}
    area, first = areas["information"], max(areas, key=lambda score: areas[score].value)
    interval = f", 95 % interval {area.low:.3f} to {area.high:.3f}" if draws > 1 else ""
    said = (
        f"{f'Over {draws} draws' if draws > 1 else 'In one draw'}, a flipped image carries more unique information than another one with "
        f"a chance of {share(area.value)} (ROC-AUC {area.value:.3f}{interval}).",
    )
    return said if first == "information" else (*said, f"Here {_named(first)} ranks better: {areas[first].value:.3f}.")


def hits(one: Detection) -> str:
    """How many of the most suspicious images are flipped, as many as there are flipped ones."""
    return f"{round(one.precision.value * one.flipped):,}"


def _named(score: Suspicion) -> str:
    return f"the {SHORT[score]}" if score == "residual" else SHORT[score]
