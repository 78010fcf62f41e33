"""Map: the images on the plane of the network's own kernel, and who is near whom there."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.drafts import one_device, put_array
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map import answer, views
from ntkcore.analyses.map.forecast import (
    EMBEDDING,
    EMBEDDING_RATE,
    KEPT,
    NEAREST,
    NEAREST_RATE,
    PLANE,
    PRODUCT_RATE,
    PRODUCTS,
    forecast_map,
    map_refusal,
)
from ntkcore.analyses.map.kernel import FILLED, Source, source_of
from ntkcore.analyses.map.result import HeldOut, MapResult
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, timed
from ntkcore.analyses.materials.split import Split, load_split
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.progress import IMAGES, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import thumbnail_pack
from ntkcore.data.describe import describe_dataset
from ntkcore.embedding import Outside, nearest, neighbour_embedding, outside, principal
from ntkcore.embedding.outside import NEAREST as OUTSIDE
from ntkcore.linalg import SMALL
from ntkcore.specs import title_of
from ntkcore.specs.influence import INFLUENCE_KERNELS
from ntkcore.specs.map import AXES, MapSpec, MapView
from ntkcore.store import Artifact, Draft


class Map(Analysis[MapSpec, MapView, MapResult]):
    """How does this network see the images: which are alike to it, and which stand apart?"""

    kind, version, uses = "map", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = MapSpec, MapView
    word = "map: planes of the kernel and nearest images"
    smaller = "Choose fewer images, or a kernel that serves all outputs."

    def title(self, spec: MapSpec, ws: Workspace) -> str:
        """The data set and the kernel."""
        which = INFLUENCE_KERNELS[spec.kernel] + (f" ({title_of(spec.model.architecture)})" if spec.model is not None else "")
        return f"Map of {describe_dataset(spec.dataset, ws.settings)} · {which}"

    def content(self, spec: MapSpec, ws: Workspace) -> Mapping[str, str]:
        """The kernel, by the key of the influence analysis that has it."""
        return {"kernel": INFLUENCE.key(spec.influence, ws)}

    def forecast(self, spec: MapSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.map.forecast.forecast_map`."""
        return forecast_map(spec, ws)

    def refusal(self, spec: MapSpec, ws: Workspace) -> str:
        """By memory and disk alone: no rate is measured."""
        return map_refusal(spec, ws)

    def run(self, spec: MapSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever of the map is not stored yet: the kernel where there is none, then each plane; each stays when it is done.

        Raises:
            AtlasError: the request cannot be met; says why and what to do.
            Cancelled: the user cancelled; what is finished stays.
        """
        if self.ready(spec, ws):
            return
        started = time.monotonic()
        reporter.plan(self.forecast(spec, ws).stages)
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(IMAGES, 0)) as draft:
            if draft is None:
                return
            _Making(spec, draft, ws, reporter).all()
            for name in FILLED:
                draft.drop(name)
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        ws.store.evict()

    def load(self, artifact: Artifact, spec: MapSpec, ws: Workspace) -> MapResult:
        """The stored map."""
        images, notes, info = artifact.json("images"), artifact.json("notes"), artifact.info
        arrays = {name: artifact.read(name) for name in artifact.names if name not in HELD}
        return MapResult(
            spec=spec,
            key=artifact.key,
            **arrays,
            class_names=tuple(images["class_names"]),
            ids=tuple(images["ids"]),
            pack=images["pack"],
            held=_held(artifact, images),
            warnings=(*notes, *info.get("repaired", ())),
            created=info["created"],
            seconds=info["seconds"],
            device=info["device"],
        )

    def answer(self, result: MapResult, view: MapView, ws: Workspace) -> tuple[str, ...]:
        """How far the plane shows the kernel, and whether images lie among their own class."""
        return answer.sentences(result, view, ws)

    def table(self, result: MapResult, view: MapView, ws: Workspace) -> pd.DataFrame:
        """Every image with its place on both planes, its nearest one and how many true neighbours the plane keeps, as drawn."""
        return with_texts(views.table(result, view, ws), result.pack, ws)

    def missing(self, result: MapResult, view: MapView) -> str:
        """Images, classes or axes that do not exist."""
        return views.missing_from(result, view)


HELD = ("held", "held_near", "held_labels")
"""Arrays of the held-out images, which a map of an earlier version lacks."""


def _held(artifact: Artifact, images: Mapping[str, Any]) -> HeldOut | None:
    if not set(HELD) <= set(artifact.names):
        return None
    where, near, labels = (artifact.read(name) for name in HELD)
    return HeldOut(Outside(where, near), labels, tuple(images["held_ids"]), images["held_pack"])


MAP = Map()


def images_of(split: Split, ws: Workspace) -> dict[str, Any]:
    """What a map says of its images besides their arrays."""
    train = split.train
    held = thumbnail_pack(split.test_pixels, ws.settings, split.test_texts, split.test_origin).id
    own = {"ids": list(train.ids), "class_names": list(train.class_names), "pack": split.pack}
    return own | {"held_ids": list(split.test_ids), "held_pack": held}


Parts = Mapping[str, tuple[tuple[int, ...], str]]


@dataclass
class _Making:
    """A map being made in a draft; the kernel is only had where something that needs it is missing."""

    spec: MapSpec
    draft: Draft
    ws: Workspace
    reporter: Reporter

    def all(self) -> None:
        """Every part."""
        report, n, train = self.reporter.report, self.spec.dataset.n, self.split.train
        report(IMAGES, n + self.spec.test)
        one_device(self.draft, self.reporter, FILLED)
        d, c, k = min(AXES, n - 1), min(KEPT, n - 1), train.outputs
        seen = {"coordinates": (n, d), "shares": (d,), "diagonal": (n,), "outputs": (n, k)}
        plane = self._part({name: (shape, "float64") for name, shape in seen.items()}, self._plane)
        report(PLANE, AXES)
        ranked = {"near": "int32", "distances": "float32", "alike": "int32", "cosines": "float32"}
        near = self._part({name: ((n, c), dtype) for name, dtype in ranked.items()}, self._nearest)
        aside = {"held": ((self.spec.test, d), "float64"), "held_near": ((self.spec.test, min(OUTSIDE, n)), "int32")}
        self._part(aside, lambda: self._outside(plane["coordinates"]))
        report(NEAREST, n)
        self._part({"neighbours": ((n, 2), "float64")}, lambda: self._embedded(near, plane["coordinates"]))
        report(EMBEDDING, n)
        put_array(self.draft, "labels", train.labels)
        put_array(self.draft, "true_labels", train.true_labels)
        if self.draft.get_json("notes") is None:
            self.draft.put_json("notes", list(self.source.notes))
        put_array(self.draft, "held_labels", self.split.test_labels)
        self.draft.put_json("images", images_of(self.split, self.ws))

    @cached_property
    def split(self) -> Split:
        """The images."""
        return load_split(self.spec.dataset, self.spec.test, self.ws)

    @cached_property
    def source(self) -> Source:
        """The kernel, and what goes with it."""
        found = source_of(self.spec, self.split, self.draft, self.ws, self.reporter, lambda: self.reporter.report(PLANE, 0))
        self.draft.put_json("notes", list(found.notes))
        return found

    def _part(self, parts: Parts, make: Callable[[], Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
        """Arrays that are made together, or were by an earlier attempt."""
        for name, (shape, dtype) in parts.items():
            self.draft.create(name, shape, dtype, shape)
        if any(self.draft.missing(name) for name in parts):
            for name, values in make().items():
                self.draft.write(name, (0,) * values.ndim, values)
        return {name: self.draft.read(name) for name in parts}

    def _plane(self) -> Mapping[str, np.ndarray]:
        kernel, asked, n = self.source.kernel, 0, self.spec.dataset.n

        def going() -> None:
            nonlocal asked
            asked += 1
            self.reporter.report(PLANE, AXES * min(asked / PRODUCTS, 0.99) if n > SMALL else 0)

        with timed(self.ws, PRODUCT_RATE, PRODUCTS * n * n) if n > SMALL else nullcontext():
            found = principal(kernel, AXES, going)
        return {
            "coordinates": found.coordinates,
            "shares": found.shares,
            "diagonal": np.diagonal(kernel).astype(np.float64),
            "outputs": self.source.outputs,
        }

    def _outside(self, coordinates: np.ndarray) -> Mapping[str, np.ndarray]:
        found = outside(self.source.kernel, self.source.k_test, coordinates)
        return {"held": found.coordinates, "held_near": found.near}

    def _nearest(self) -> Mapping[str, np.ndarray]:
        n = self.spec.dataset.n
        with timed(self.ws, NEAREST_RATE, n * n):
            found = nearest(self.source.kernel, KEPT, self.reporter.progress(NEAREST))
        return {
            "near": found.near,
            "distances": found.distances.astype(np.float32),
            "alike": found.alike,
            "cosines": found.cosines.astype(np.float32),
        }

    def _embedded(self, near: Mapping[str, np.ndarray], coordinates: np.ndarray) -> Mapping[str, np.ndarray]:
        n, threads = self.spec.dataset.n, self.ws.rates.threads
        tell = self.reporter.progress(EMBEDDING)
        with timed(self.ws, EMBEDDING_RATE, n):
            found = neighbour_embedding(near["near"], near["distances"], coordinates[:, :2], threads=threads, progress=tell)
        return {"neighbours": found}
