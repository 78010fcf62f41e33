"""The learning curve of a session beside what labels drawn at random would have given, both by the kernel of its first network.

A later network has learned from labels that were asked for, which would help the random ones, too: only the first favours neither.
Where the truth is known, in practice, both are judged on what is held out, and the random ones are drawn from everything. Where it is not,
both are judged on a part of the labels that is left out of both, in turns, and the random ones are drawn from the others: these were asked
for, so they are no fair sample of the set, and the difference that is shown is too small rather than too large.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.label.desk import given
from ntkcore.analyses.label.network import LabelNetwork, classes, is_ready, open_network
from ntkcore.analyses.label.rounds import network_of
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.regression import KernelRegression

DRAWS = 12
_POINTS = 10
_FEW, _STEP = 6, 5  # draws of the forecast that stands above the item, and labels from one to the next
_LEFT_OUT = 0.3  # share of the labels that the others are judged on, where nothing else is known
_FEWEST = 10  # labels without which nothing is said


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Accuracy over labels.

    Attributes:
        counts: (c,) labels, those that items came with included.
        asked: (c,) share right with the labels as they were given, in the mean over draws where these differ.
        random: (DRAWS, c) share right with as many at random.
        held: whether what is held out judges; else the labels themselves, in turns.
    """

    counts: np.ndarray
    asked: np.ndarray
    random: np.ndarray
    held: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.counts.nbytes + self.asked.nbytes + self.random.nbytes

    def answer(self) -> str:
        """Where it stands, in a sentence."""
        last, found = self.random[:, -1], float(self.asked[-1])
        judged = "of what is held out" if self.held else "of the labels left out in turns"
        return (
            f"With {self.counts[-1]:,} labels {100 * found:.1f} % {judged} are right; as many drawn at random would give "
            f"{100 * last.mean():.1f} % (from {100 * last.min():.1f} to {100 * last.max():.1f} in {len(last)} draws)."
        )

    def table(self) -> pd.DataFrame:
        """A row for each number of labels."""
        columns = {"labels": self.counts, "asked": self.asked, "random": self.random.mean(0)}
        return pd.DataFrame(columns | {"random_low": self.random.min(0), "random_high": self.random.max(0)})


def first_network(sitting: Sitting, ws: Workspace) -> LabelNetwork | None:
    """The network that a session began with; None: it is no longer stored."""
    wanted = network_of(sitting.spec, given(sitting.network))
    return open_network(wanted, ws) if is_ready(wanted, ws) else None


def curve(network: LabelNetwork, sitting: Sitting, ws: Workspace) -> Curve | None:
    """The curve of a session so far; None: there are too few labels to say anything.

    Args:
        network: whose kernel is meant, the first one's.
    """
    start = given(network)
    labels = {item: label for item, label in sitting.standing.labels.items() if item in sitting.moment.labels and item not in start}
    if len(labels) < _FEWEST:
        return None
    key = ("label curve", network.key, tuple(labels.items()))
    return ws.hot.get(key, lambda: _curve(network, start, labels), lambda found: found.nbytes)


def at_random(network: LabelNetwork, labels: int, ws: Workspace) -> float | None:
    """Share of what is held out that would be right with about so many labels at random: a forecast from a few draws, every five labels.

    Args:
        network: whose kernel is meant, the first one's.

    Returns:
        None: nothing is held out, or there are too few labels.
    """
    start = given(network)
    count = (labels - len(start)) // _STEP * _STEP
    if len(network.truth) == network.n or not count:
        return None

    def drawn() -> float:
        judges, known = _truth(network, start)
        generator = np.random.default_rng(0)
        draws = [generator.permutation(list(known))[:count].tolist() for _ in range(_FEW)]
        return float(np.mean([_right(network, start | {item: known[item] for item in draw}, judges) for draw in draws]))

    return ws.hot.get(("label random", network.key, count), drawn, lambda _: 8)


def _truth(network: LabelNetwork, start: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
    """Class of what is held out, and of the items that came without a label."""
    judges = {item: int(network.truth[item]) for item in range(network.n, len(network.truth))}
    return judges, {item: int(network.truth[item]) for item in range(network.n) if network.truth[item] >= 0 and item not in start}


def _curve(network: LabelNetwork, start: dict[int, int], labels: dict[int, int]) -> Curve:
    held = len(network.truth) > network.n
    most = len(labels) if held else len(labels) - round(_LEFT_OUT * len(labels))
    counts = np.unique(np.linspace(1, most, min(_POINTS, most)).round().astype(int))
    asked, random = np.empty((DRAWS, len(counts))), np.empty((DRAWS, len(counts)))
    generator = np.random.default_rng(0)
    for draw in range(DRAWS):
        order = list(labels)
        if held:
            judges, known = _truth(network, start)
        else:
            out = set(generator.choice(order, len(order) - most, replace=False).tolist())
            judges, known = {item: labels[item] for item in out}, {item: labels[item] for item in order if item not in out}
            order = [item for item in order if item not in out]
        drawn = generator.permutation(list(known))[:most].tolist()
        for place, count in enumerate(counts):
            random[draw, place] = _right(network, start | {item: known[item] for item in drawn[:count]}, judges)
            if not held or not draw:
                asked[draw, place] = _right(network, start | {item: labels[item] for item in order[:count]}, judges)
    return Curve(counts + len(start), asked[0] if held else asked.mean(0), random, held)


def _right(network: LabelNetwork, labels: dict[int, int], judges: dict[int, int]) -> float:
    """Share of the judges that the network, fitted to the labels, gives their class."""
    known, asked, f = list(labels), list(judges), network.outputs
    targets = targets_of(np.array(list(labels.values())), f.shape[1])
    fitted = KernelRegression(network.kernel[np.ix_(known, known)], targets, network.ridge, f[known])
    outputs = fitted.predict(network.kernel[np.ix_(asked, known)], f[asked])
    return float(np.mean(classes(outputs) == list(judges.values())))
