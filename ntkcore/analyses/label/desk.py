"""What is known at one moment of a session: which item to ask for, what the network would say, why, and what an answer changed.

A label enters the kernel (:meth:`~ntkcore.active.LookAhead.with_label`), so that the next question takes no training. What is not yet
known of any item is a state, too: S is then the pool's kernel itself.
"""

import copy
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ntkcore.active import LookAhead, class_targets, label_targets, predicted, simplex
from ntkcore.active.schur import Schur
from ntkcore.analyses.label.network import LabelNetwork
from ntkcore.analyses.workspace import Workspace

_SHOWN = 6  # predictions that change most
_NOTHING = -1
_BESIDE = ThreadPoolExecutor(1, "label-ahead")


@dataclass(frozen=True, slots=True)
class Change:
    """What one label does to what the network would say of the other items.

    Attributes:
        label: the class.
        flips: items that it would then call otherwise.
        most: those of them whose outputs change most, the most changed first. (With one kernel for all outputs the changes of all items
            stand in the same proportions whatever the label; which of them flip does not.)
    """

    label: int
    flips: int
    most: tuple[int, ...]


class Moment:
    """A session with some labels, seen from one network.

    Attributes:
        network: the network.
        labels: class of every item that has one, those it came with included.
        items: (u,) the others.
        outputs: (u, k) what the network says of them, fitted to the labels.
    """

    def __init__(self, network: LabelNetwork, labels: Mapping[int, int]) -> None:
        self.network, self.labels = network, dict(labels)
        self._changes: dict[tuple[int, int], Change] = {}
        self._known = sorted(labels) or [_NOTHING]
        self._base = np.setdiff1d(np.arange(network.n), self._known)
        self._state = _looking(network, self.labels, self._known, self._base)
        self.items = self._base[self._state.pool[: len(self._base)]]
        self.outputs = self._state.outputs[: len(self.items)]

    @property
    def nbytes(self) -> int:
        """Bytes in memory, roughly."""
        return 8 * len(self.items) * (len(self.items) + len(self.labels))

    def ahead(self, item: int) -> Schur:
        """What a label of an item takes of the kernel, whatever the label is: u² operations."""
        return self._state.ahead(self._place(item))

    def with_label(self, item: int, label: int, after: Schur | None = None) -> "Moment":
        """The moment after one more label: u² operations, or of the order of u where :meth:`ahead` was asked before."""
        other = copy.copy(self)
        for name in ("chances", "scores", "order", "surest", "classes", "suggested", "right"):
            other.__dict__.pop(name, None)  # of the labels before
        other._changes = {}
        other.labels, other._known = self.labels | {item: label}, [*self._known, item]
        other._state = self._state.with_label(self._place(item), self._target(label), after)
        other.items, other.outputs = self._base[other._state.pool], other._state.outputs
        return other

    @cached_property
    def chances(self) -> np.ndarray:
        """Probabilities (u, classes): the outputs projected on the simplex."""
        return simplex(self.outputs)

    @cached_property
    def scores(self) -> np.ndarray:
        """How far an item's label would move what the network says of all (u,): MLMOC (Thesis eq. 2.13).

        Its most likely label is what is suggested: by the network as fitted to the labels, since it is not trained anew after each.
        """
        if not len(self.items):
            return np.zeros(0)
        likely = predicted(self._state.outputs)
        return self._state.change(2 * likely - 1 if self._state.k == 1 else likely)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The items, the one to ask for first."""
        return tuple(self.items[np.lexsort((self.items, -self.scores))].tolist())

    @cached_property
    def surest(self) -> tuple[int, ...]:
        """The items, the one the network is surest of first."""
        return tuple(self.items[np.lexsort((self.items, -self.chances.max(1)))].tolist())

    @cached_property
    def classes(self) -> np.ndarray:
        """The class that the network would give each item (u,)."""
        return predicted(self.outputs)

    @cached_property
    def suggested(self) -> dict[int, int]:
        """The same, by the item."""
        return dict(zip(self.items.tolist(), self.classes.tolist(), strict=True))

    def suggestion(self, item: int) -> tuple[int, float]:
        """The class that the network would give an item, and its probability."""
        label = self.suggested[item]
        return label, float(self.chances[self._place(item), label])

    def expected(self, item: int) -> float:
        """How many items the network would call otherwise, in expectation over the label."""
        chances = self.chances[self._place(item)]
        return float(sum(p * self.change(item, label).flips for label, p in enumerate(chances) if p > 0))

    def change(self, item: int, label: int) -> Change:
        """What a label of the item would do; asked for again, it is known."""
        if (item, label) not in self._changes:
            place = self._place(item)
            moved = self._state.moved(place, self._target(label))
            flipped = predicted(self.outputs + moved) != self.classes
            flipped[place] = False
            others = np.flatnonzero(flipped)
            order = others[np.argsort(-np.linalg.norm(moved[others], axis=1), kind="stable")][:_SHOWN]
            self._changes[item, label] = Change(label, len(others), tuple(self.items[order].tolist()))
        return self._changes[item, label]

    def why(self, item: int) -> tuple[Change, ...]:
        """What each possible label would do, the most likely one first."""
        likely = np.argsort(-self.chances[self._place(item)], kind="stable")
        return tuple(self.change(item, int(label)) for label in likely)

    @cached_property
    def right(self) -> float | None:
        """Share of those held out that the network, fitted to the labels, gives their class; None where none are."""
        held = slice(self.network.n, None)
        truth = self.network.truth[held]
        if not len(truth):
            return None
        across = _across(self.network.kernel[held], self._known)
        outputs = self._state.predict(across, self.network.outputs[held])
        return float(np.mean(predicted(outputs) == truth))

    def _place(self, item: int) -> int:
        (found,) = np.flatnonzero(self.items == item)
        return int(found)

    def _target(self, label: int) -> np.ndarray:
        return np.asarray(class_targets(self._state.k)[label])


class Desk:
    """The last moments of one network, shared by all who label with it: the next is made of the one before; undoing finds that again.

    What takes long of the next moment is the same whatever the label is: it is made while a person looks at the item.
    """

    def __init__(self, network: LabelNetwork) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._moments: list[Moment] = []
        self._ahead: tuple[Moment, int, Future[Schur]] | None = None

    def at(self, labels: Mapping[int, int]) -> Moment:
        """The moment with these labels, those the items came with included."""
        wanted = given(self._network) | dict(labels)
        with self._lock:
            found = next((one for one in self._moments if one.labels == wanted), None) or self._made(wanted)
            self._moments = [*(one for one in self._moments if one is not found), found][-2:]
        return found

    def prepare(self, moment: Moment, item: int) -> None:
        """Begin with what an answer for an item takes, whatever it will be."""
        with self._lock:
            if self._ahead is not None and self._ahead[0] is moment and self._ahead[1] == item:
                return
            if self._ahead is not None:
                self._ahead[2].cancel()
            self._ahead = (moment, item, _BESIDE.submit(moment.ahead, item))

    def _made(self, wanted: dict[int, int]) -> Moment:
        for before in reversed(self._moments):
            new = wanted.items() - before.labels.items()
            if len(new) == 1 and before.labels.items() <= wanted.items():
                ((item, label),) = new
                ahead, self._ahead = self._ahead, None
                known = ahead is not None and ahead[0] is before and ahead[1] == item
                return before.with_label(item, label, ahead[2].result() if ahead is not None and known else None)
        return Moment(self._network, wanted)


def desk(network: LabelNetwork, ws: Workspace) -> Desk:
    """The desk of a network, kept in memory."""
    return ws.hot.get(("label desk", network.key), lambda: Desk(network), lambda _: 3 * 8 * network.n**2)


def given(network: LabelNetwork) -> dict[int, int]:
    """The labels that items came with."""
    known = np.flatnonzero(network.given >= 0)
    return dict(zip(known.tolist(), network.given[known].tolist(), strict=True))


def _across(kernel: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Columns of a kernel; zeros for what is related to nothing."""
    chosen = np.asarray(columns)
    return np.where(chosen == _NOTHING, 0.0, kernel[:, chosen])


def _looking(network: LabelNetwork, labels: Mapping[int, int], known: Sequence[int], base: np.ndarray) -> LookAhead:
    """Where no item has a label, or none lacks one, something that is related to nothing stands for it, and changes nothing."""
    k, ridge = network.outputs.shape[1], network.ridge
    pool = base if len(base) else np.array([_NOTHING])
    square = np.zeros((1, 1)) if known == [_NOTHING] else network.kernel[np.ix_(known, known)]
    numbers = np.array([labels.get(item, 0) for item in known])
    targets = label_targets(2 * numbers - 1 if k == 1 else numbers, k)
    across = _across(network.kernel, known)[base] if len(base) else np.zeros((1, len(known)))
    within = network.kernel[np.ix_(base, base)] if len(base) else np.zeros((1, 1))
    return LookAhead(square, across, within, network.outputs[known], network.outputs[pool], targets, ridge)
