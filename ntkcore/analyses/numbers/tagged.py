"""Images by the tags that people gave them, wherever they met these images: a filter beside those by numbers and words."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.materials.thumbnails import thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.content import contents
from ntkcore.errors import DataError
from ntkcore.library import asking
from ntkcore.library.tags import Tags
from ntkcore.specs import DatasetSpec

TAG = "tag"
"""What the filter is called in addresses; a set's columns have a mark before their names, numbers are called otherwise."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags of the training images of a draw, as whoever asks may see them.

    Attributes:
        pack: id of their thumbnails, which tell what they are.
        dataset: the draw.
    """

    pack: str
    dataset: DatasetSpec
    ws: Workspace

    def names(self) -> tuple[str, ...]:
        """Every tag that can be chosen, by name. Raises ``LibraryError`` where the library cannot be read."""
        return Tags(self.ws.library).names(asking.person())

    def having(self, names: Iterable[str]) -> np.ndarray:
        """(n,) whether each image has one of these tags, or several.

        Raises:
            DataError: nobody gave such a tag.
            AtlasError: the library, or the images, cannot be read.
        """
        tags, asks, wanted = Tags(self.ws.library), asking.person(), set[str]()
        for name in names:
            if not (found := tags.tagged(name, asks)):
                raise DataError(f"No image has the tag {name[:40]!r} any more, or you may not see it.", "Take this filter off.")
            wanted |= found
        return np.array([content in wanted for content in contents(thumbnails(self.pack, self.dataset, self.ws))], dtype=bool)
