"""The numbers that are known of every training image: each from a result that is stored, at one λ and the end of training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views as information
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.look import memoised
from ntkcore.analyses.numbers.columns import NO_COLUMNS, Columns, Words, columns_of
from ntkcore.analyses.numbers.stored import Stored, stored_of
from ntkcore.analyses.numbers.tagged import Tagged
from ntkcore.analyses.reliability import views as reliability
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError
from ntkcore.influence.self_influence import self_influence
from ntkcore.specs.reliability import ReliabilityView


@dataclass(frozen=True, slots=True)
class Number:
    """One number of every image.

    Attributes:
        title: what it is, with its unit; short enough for a menu.
        page: that has it.
        regularised: whether λ has a say in it.
        signed: whether it may be below 0, and 0 means neither.
    """

    title: str
    page: str
    regularised: bool = False
    signed: bool = False


NUMBERS: Mapping[str, Number] = {
    "k-xx": Number("k(x,x)", "learnability"),
    "learned": Number("epoch learned", "learnability"),
    "loss": Number("loss ½‖f − y‖²", "information", True),
    "margin": Number("margin", "information", True, True),
    "information": Number("unique information F-SI, nats", "information", True),
    "residual": Number("leave-one-out residual ‖r‖", "information", True),
    "self": Number("self-influence", "influence", True),
    "influence": Number("influence on the held-out loss", "influence", True, True),
    "density": Number("log density", "reliability"),
}
"""By the names that addresses have for them, in the order of menus."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some images: the stored results that have it, λ of the numbers that have one, what came with their set, and tags."""

    stored: Stored
    ridge: float
    ws: Workspace
    columns: Columns = NO_COLUMNS
    tags: Tagged | None = None

    @classmethod
    def of(cls, look: Look) -> "Known":
        """What is known of the training images of a kernel regression, at the look's λ."""
        result, spec, ws = look.result, look.result.spec, look.ws
        tags = Tagged(result.pack, spec.dataset, ws)
        return cls(stored_of(spec, ws), look.ridge, ws, columns_of(spec.dataset, result.ids, ws), tags)

    @property
    def titles(self) -> dict[str, str]:
        """What each number is, by its name."""
        return titles(self.stored) | dict(self.columns.titles)

    @property
    def words(self) -> Mapping[str, Words]:
        """Columns of words, by their names."""
        return self.columns.words

    def number(self, name: str) -> np.ndarray:
        """(n,) a column of numbers, or one of :func:`values`."""
        if name in self.columns.numbers:
            return self.columns.numbers[name]
        return values(name, self.stored, self.ridge, self.ws)


def available(stored: Stored) -> tuple[str, ...]:
    """The names of the numbers that these results have."""
    of_influence = [name for name in NUMBERS if name != "learned"] if stored.influence is not None else []
    of_learnability = ["k-xx", "learned"] if stored.learnability is not None else []
    return tuple(name for name in NUMBERS if name in (*of_influence, *of_learnability))


def titles(stored: Stored) -> dict[str, str]:
    """What each of the :func:`available` numbers is, by its name."""
    return {name: NUMBERS[name].title for name in available(stored)}


def values(name: str, stored: Stored, ridge: float, ws: Workspace) -> np.ndarray:
    """(n,) one of the :func:`available` numbers; inf for an image that is never learned.

    Raises:
        DataError: nothing that is stored has it.
        ComputationError: λ is too small for this kernel; says which would do.
        CorruptArtifact: what is stored is damaged.
    """
    if name not in available(stored):
        raise DataError(
            f"The number {name[:40]!r} is not known of these images.", "Compute an analysis that has it, or choose another one."
        )
    if stored.influence is None or name == "learned":
        assert stored.learnability is not None
        result = LEARNABILITY.open(stored.learnability, ws)
        return result.learned if name == "learned" else result.score
    return _OF_INFLUENCE[name](Look.of(INFLUENCE.open(stored.influence, ws), ridge, None, ws))


@memoised("ridge")
def _own(look: Look) -> np.ndarray:
    return self_influence(look.regression(), inf)


def _density(look: Look) -> np.ndarray:
    usual = ReliabilityView()
    return reliability.density(look, usual.dimension, usual.bandwidth, len(look.result.labels)).log_density


_OF_INFLUENCE: Mapping[str, Callable[[Look], np.ndarray]] = {
    "k-xx": lambda look: information.diagonal(look.result),
    "loss": lambda look: information.judged(look).loss,
    "margin": lambda look: information.judged(look).margin,
    "information": information.scores,
    "residual": information.residuals,
    "self": _own,
    "influence": information.influence,
    "density": _density,
}
