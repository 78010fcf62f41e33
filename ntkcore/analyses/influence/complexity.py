"""Ten groups of training images by their influence, and the complexity of each (IF-NTK Fig. 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import GROUPS
from ntkcore.analyses.look import memoised
from ntkcore.influence import group_complexity


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups, from the most harmful to the most helpful.

    Attributes:
        complexity: (g,) how much of the targets' norm each asks for (IF-NTK eq. 19).
        members: the training images of each, the most harmful first.
        mean: (n,) influence at the end of training, mean over all held-out images.
    """

    complexity: np.ndarray
    members: tuple[np.ndarray, ...]
    mean: np.ndarray


@memoised("ridge")
def groups_of(look: Look, *, progress: Callable[[int, int], None] | None = None) -> Groups:
    """Ten groups by mean influence at the look's λ and the end of training, and each one's complexity.

    Args:
        progress: as for :meth:`~ntkcore.analyses.influence.look.Look.mean`.

    Raises:
        ComputationError: λ is too small for this kernel.
    """
    chosen = look.regression()
    mean = look.at(inf).mean(range(len(look.result.test_labels)), progress=progress)
    members = np.array_split(np.argsort(mean, kind="stable"), min(GROUPS, chosen.n - 1))
    return Groups(group_complexity(chosen, [[int(i) for i in group] for group in members]), tuple(members), mean)


def group_table(groups: Groups, labels: np.ndarray, true_labels: np.ndarray) -> pd.DataFrame:
    """One row per group: its complexity, its images' number and mean influence, and the share of flipped labels."""
    flipped = labels != true_labels
    return pd.DataFrame(
        {
            "group": np.arange(len(groups.members)),
            "complexity": groups.complexity,
            "images": [len(group) for group in groups.members],
            "mean_influence": [groups.mean[group].mean() for group in groups.members],
            "flipped": [flipped[group].mean() for group in groups.members],
        }
    )
