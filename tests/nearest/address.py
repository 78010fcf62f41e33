"""The address of the page: its line in ``permalink.ADDRESSES``."""

from nearest.spec import NearestSpec, NearestView
from ntkcore.permalink import Address
from ntkcore.specs import DatasetSpec

FIELDS = {
    "dataset": ("dataset", "name"),
    "own": ("dataset", "own"),
    "classes": ("dataset", "classes"),
    "n": ("dataset", "n"),
    "seed": ("dataset", "seed"),
    "noise": ("dataset", "label_noise"),
    "norm": ("norm",),
}

NEAREST_ADDRESS: Address[NearestSpec, NearestView] = Address(
    page="nearest",
    spec=NearestSpec,
    view=NearestView,
    fields=FIELDS,
    view_fields={"show": ("show",), "picked": ("picked",)},
    choosing=("dataset", "own"),
    baseline=lambda spec: NearestSpec(dataset=DatasetSpec(name=spec.dataset.name, own=spec.dataset.own, n=200)),
    given={"dataset": {"n": 200}},
    lead="which images look like another class",
    asks=("show",),
)
