"""A data set in words."""

from ntkcore.data.catalogue import catalogue
from ntkcore.data.own_store import own_sets
from ntkcore.settings import Settings
from ntkcore.specs import (
    DatasetSpec,
)


def describe_dataset(spec: DatasetSpec, settings: Settings) -> str:
    """A data set in words: its name for people, its classes when few, how many images, the noise."""
    what = "images"
    if spec.own is not None:
        mine = next((item for item in own_sets(settings) if item.content_id == spec.own), None)
        title, what = (mine.name, mine.kind) if mine else ("a set this server does not have", what)
    else:
        title = next(info.title for info in catalogue(settings) if info.name == spec.name)
    few = f" {' | '.join(spec.classes)}" if 0 < len(spec.classes) <= 3 else ""
    some = f", {len(spec.classes)} classes" if len(spec.classes) > 3 else ""
    noise = f", {100 * spec.label_noise:g} % flipped" if spec.label_noise else ""
    part = f", {spec.part}" if spec.part else ""
    size = f" of {spec.size} px" if spec.size else ""
    out = f", without {len(spec.without):,} of it" if spec.without else ""
    return f"{title}{few}{some}{part}, {spec.n:,} {what}{size}{noise}{out}"
