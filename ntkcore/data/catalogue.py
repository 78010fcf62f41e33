"""The named sets: what they are, whether they are here, and whether they can be had."""

from dataclasses import dataclass

from ntkcore.data.download import PUBLISHED
from ntkcore.data.names import NAMED
from ntkcore.data.sources import source_files
from ntkcore.errors import DataMissing
from ntkcore.settings import Settings
from ntkcore.specs import VECTOR_SETS, DatasetName


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A named set as it is offered.

    Attributes:
        name: its name in a specification.
        title: its name for people.
        description: one sentence.
        class_names: its classes in label order.
        shape: ``(c, h, w)`` of an image, or ``(d,)`` of a vector.
        size: its training images; of a generated set, as many points as a specification may ask for.
        available: whether it can be loaded now.
        reason: why not, and what to do; "" if it can.
        downloadable: whether it can be fetched from the network.
        download_bytes: how much that is.
    """

    name: DatasetName
    title: str
    description: str
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    size: int
    available: bool
    reason: str
    downloadable: bool
    download_bytes: int


def catalogue(settings: Settings) -> tuple[DatasetInfo, ...]:
    """All named sets, those that need no file included; imported ones are listed by :func:`~ntkcore.data.own_sets`.

    Costs a look at a few files, so a page may call it on every run.
    """
    return tuple(_info(name, settings) for name in NAMED)


def _info(name: DatasetName, settings: Settings) -> DatasetInfo:
    reason = ""
    if name not in VECTOR_SETS:
        try:
            source_files(name, settings)
        except DataMissing as error:
            reason = str(error)
    known = NAMED[name]
    return DatasetInfo(
        name=name,
        title=known.title,
        description=known.description,
        class_names=known.class_names,
        shape=known.shape,
        size=known.size,
        available=not reason,
        reason=reason,
        downloadable=name in PUBLISHED,
        download_bytes=sum(file.size for file in PUBLISHED.get(name, ())),
    )
