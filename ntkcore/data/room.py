"""How many images a choice can draw from, and how few it can do with."""

from dataclasses import dataclass

import numpy as np

from ntkcore.data.names import NAMED
from ntkcore.data.own_read import open_own
from ntkcore.data.own_store import own_title
from ntkcore.data.selection import choose_classes, draw, left_in, of_part
from ntkcore.data.sources import open_source
from ntkcore.settings import Settings
from ntkcore.specs import VECTOR_SETS, DatasetSpec


@dataclass(frozen=True, slots=True)
class Room:
    """What a set has of the classes chosen.

    Attributes:
        title: the set's name for people.
        images: images, or texts, of these classes; of a generated set, as many points as may be asked for.
        fewest: images that the draw of this seed takes until there are two of every class; ``images`` where there never are.
        held: images of these classes in the other parts of the set's division, where the choice is of one part; None: what is held out
            is drawn from the same images.
    """

    title: str
    images: int
    fewest: int
    held: int | None = None

    def left(self, n: int, test: int) -> int:
        """Images left, to hold out, beside ``n`` to train on and ``test`` held out already."""
        return self.images - n - test if self.held is None else self.held - test


def room_of(spec: DatasetSpec, settings: Settings) -> Room:
    """The room of a choice, whatever its ``n``.

    Raises:
        SpecError: a class or part the set does not have.
        DataMissing: the set is not on this machine.
        DataError: a damaged file.
    """
    if spec.name in VECTOR_SETS:
        known = NAMED[spec.name]
        return Room(known.title, known.size, 2 * len(known.class_names))  # points take turns in the classes
    if spec.name == "own":
        title, source = own_title(str(spec.own), settings), open_own(str(spec.own), settings)
    else:
        title, source = NAMED[spec.name].title, open_source(spec.name, settings)
    classes = choose_classes(title, source.class_names, spec.classes)
    chosen, inside = left_in(source.labels, classes, spec.without), of_part(source.parts, spec.part, title)
    images = int((chosen & inside).sum())
    labels = source.labels[draw(source.labels, classes, images, spec.seed, title=title, inside=inside, without=spec.without)]
    places = [np.flatnonzero(labels == label) for label in classes]
    fewest = max((int(found[1]) + 1 if len(found) > 1 else images) for found in places)
    held = int((chosen & of_part(source.parts, spec.part, title, others=True)).sum()) if spec.part else None
    return Room(title, images, fewest, held)
