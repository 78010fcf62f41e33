"""The numbers of every training image on the reliability page: its error rate, the density as it is estimated there, and all else."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.numbers.columns import Words
from ntkcore.analyses.numbers.known import NUMBERS, Known
from ntkcore.analyses.numbers.tagged import Tagged
from ntkcore.analyses.reliability import views
from ntkcore.specs.reliability import ReliabilityView


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of the training images of a look, as a view averages error rates and estimates densities."""

    look: Look
    view: ReliabilityView

    @property
    def titles(self) -> dict[str, str]:
        """What each number is, by its name: the page's own first."""
        own = {"rate": f"IHVP’s error rate, {self.view.average}", "density": NUMBERS["density"].title}
        return own | Known.of(self.look).titles

    @property
    def words(self) -> Mapping[str, Words]:
        """Columns of words, by their names."""
        return Known.of(self.look).words

    @property
    def tags(self) -> Tagged | None:
        """Tags that people gave them."""
        return Known.of(self.look).tags

    def number(self, name: str) -> np.ndarray:
        """(n,) one of :attr:`titles`.

        Raises:
            AtlasError: it is not known, or not at this λ.
        """
        if name == "rate":
            return views.summary(self.look).rates[self.view.average]
        if name == "density":
            return views.density(self.look, self.view.dimension, self.view.bandwidth, len(self.look.result.labels)).log_density
        return Known.of(self.look).number(name)
