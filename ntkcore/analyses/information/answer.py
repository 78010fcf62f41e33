"""What unique information says of the training images, in sentences: at one λ and τ, in total and at its end (Unique-info §6)."""

import numpy as np

from ntkcore.analyses.information.views import Judged, summary
from ntkcore.analyses.words import number


def answer(values: np.ndarray, found: Judged, labels: np.ndarray) -> tuple[str, ...]:
    """How uneven it is, how large, and whether those that carry most are those that the network gets wrong.

    Args:
        values: F-SI (n,) in nats; ``found`` the images as the network has them; ``labels`` (n,).
    """
    said = summary(values, found, labels)
    if said.total == 0:
        return ("At this time no image tells the network anything of its own: nothing has been learned yet.",)
    return (
        f"The most informative tenth of the images carries {leading(said.leading)} of all unique information.",
        f"The largest is {number(said.largest)} nats, the median {number(said.median)}.",
        f"Of that tenth the network misclassifies {100 * said.wrong:.0f} %, of all {100 * said.wrong_all:.0f} %."
        if said.wrong_all > 0
        else "The network classifies all training images as they are labelled.",
    )


def loss_answer(values: np.ndarray) -> tuple[str, ...]:
    """How removals change the mean training loss, by changes (n,)."""
    smaller = int((values < 0).sum())
    return (
        f"Without the image that counts most the mean training loss would be {number(float(values.max()))} larger, in the median "
        f"{number(float(np.median(values)))}.",
        f"Without {smaller:,} of the {len(values):,} images it would be smaller."
        if smaller
        else "There is no image without which it would be smaller.",
    )


def residual_answer(values: np.ndarray, taken: np.ndarray, labels: np.ndarray) -> tuple[str, ...]:
    """How far off the labels the network is that has not seen an image.

    Args:
        values: ‖r_i‖ (n,), in the targets' unit; ``taken`` (n,) the classes it takes the images for, ``labels`` (n,).
    """
    return (
        f"Without having seen it, the network takes {doubted(taken, labels)} of {len(labels):,} images for another class than their label.",
        f"Its output is {number(float(np.median(values)))} off the label’s target in the median, {number(float(values.max()))} at most.",
    )


def doubted(taken: np.ndarray, labels: np.ndarray) -> str:
    """Images that the network takes for another class than their label, by ``taken`` and ``labels`` (n,)."""
    return f"{int((taken != labels).sum()):,}"


def leading(share: float) -> str:
    """The share of the leading tenth, in percent."""
    return f"{100 * share:.0f} %"
