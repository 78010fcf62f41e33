"""Duplicates: copies among the images, labels that contradict each other, and copies across training and held-out images.

Stored is what takes a pass over the images: who has the same bytes, perceptual hashes, small gray copies. Groups follow from these at once,
for any demand on how alike two are, and from a network's kernel where one is stored (:mod:`ntkcore.analyses.duplicates.views`).
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.drafts import put_array
from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.result import BytesOf, DuplicatesResult
from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, dataset_bytes, reading, sample_of
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.materials.split import Split, check_split, load_split
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.progress import IMAGES, LOOKS, Reporter, Stage
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash, load_dataset, own_digests, own_sets, thumbnail_pack
from ntkcore.data.dataset import Origin
from ntkcore.data.describe import describe_dataset
from ntkcore.data.duplicates import looks_of, same_content
from ntkcore.specs import VECTOR_SETS, DatasetSpec, Method
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from ntkcore.specs.influence import AdditionSpec
from ntkcore.store import Artifact

LOOKS_METHOD = Method("looks", 1)  # raise when hashes or small copies change
_TILE = 1024  # images of a stored tile
_FEW = 32  # images on which unknown work is timed


class Duplicates(Analysis[DuplicatesSpec, DuplicatesView, DuplicatesResult]):
    """Which images are there more than once, with which labels, and on which side of the division?"""

    kind, version, uses = "duplicates", 1, (LOOKS_METHOD,)
    spec, view = DuplicatesSpec, DuplicatesView
    word = "duplicates: hashes of the images"
    smaller = "Choose fewer images."

    def title(self, spec: DuplicatesSpec, ws: Workspace) -> str:
        """The data set."""
        held = f", {spec.test:,} held out" if spec.test else ""
        return f"Copies among {describe_dataset(spec.dataset, ws.settings)}{held}"

    def content(self, spec: DuplicatesSpec, ws: Workspace) -> Mapping[str, str]:
        """The data; and that the originals' bytes are compared, where there are any."""
        found = {"data": content_hash(spec.dataset, ws.settings)}
        return found | {"bytes": "originals"} if _photographs(spec.dataset, ws) else found

    def forecast(self, spec: DuplicatesSpec, ws: Workspace) -> Forecast:
        """A pass over the images."""
        sample = sample_of(spec.dataset, ws)
        if spec.test:
            check_split(spec.dataset, spec.test, ws)
        size, each = spec.dataset.n + spec.test, 2 * dataset_bytes(sample) // sample.n + 4096
        needs = Needs(size, lambda n: BASE_MEMORY + each * n, lambda n: (2048 + sample.pixels[0].size) * n)

        def stages() -> tuple[Stage, ...]:
            return reading(size), Stage(LOOKS, "images", size, 0.02 + self._rate(sample, ws) * size)

        return needs.forecast(stages, ws)

    def run(self, spec: DuplicatesSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """One pass over the images."""
        started = time.monotonic()
        reporter.plan(self.forecast(spec, ws).stages)
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(LOOKS, 0)) as draft:
            if draft is None:
                return
            train, held = _images(spec, ws)
            pixels = train.pixels if held is None else np.concatenate([train.pixels, held.test_pixels])
            texts = _joined(train.texts, None if held is None else held.test_texts)
            origin = train.origin
            if origin is not None and held is not None and held.test_origin is not None:
                origin = Origin(origin.content, np.concatenate([origin.positions, held.test_origin.positions]))
            reporter.report(IMAGES, len(pixels))
            same, looks = np.arange(len(pixels)), (np.empty(0, np.uint64), np.empty((0, 32, 32), np.uint8))
            if texts is not None:
                same = same_content([text.encode() for text in texts])
            elif train.inputs.ndim == 2:  # points, not pictures
                same = same_content(train.inputs if held is None else np.concatenate([train.inputs, held.test_inputs]))
            else:
                same = same_content(pixels)
                if origin is not None:
                    put_array(draft, "pixels", same, (_TILE,))
                    files = own_digests(origin.content, origin.positions, ws.settings)
                    same = same_content([digest.encode() for digest in files])
                with clocked() as took:
                    looks = looks_of(pixels, reporter.progress(LOOKS))
                ws.rates.learn(_rate_name(train), took.alone, len(pixels), took.others)
            labels = train.labels if held is None else np.concatenate([train.labels, held.test_labels])
            places = [one for one in (train.places, None if held is None else held.test_places) if one is not None]
            arrays: dict[str, NDArray[Any]] = {
                "same": same,
                "hashes": looks[0],
                "small": looks[1],
                "labels": labels,
                "places": np.concatenate(places),
            }
            for name, values in arrays.items():
                put_array(draft, name, values, (_TILE, *values.shape[1:]))
            pack = thumbnail_pack(pixels, ws.settings, texts, origin)
            ids = (*train.ids, *(() if held is None else held.test_ids))
            draft.put_json("images", {"ids": list(ids), "class_names": list(train.class_names), "pack": pack.id})
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(LOOKS, spec.dataset.n + spec.test)
        ws.store.evict()

    def load(self, artifact: Artifact, spec: DuplicatesSpec, ws: Workspace) -> DuplicatesResult:
        """The stored pass."""
        images, info = artifact.json("images"), artifact.info
        same, hashes, files = artifact.read("same"), artifact.read("hashes"), "pixels" in artifact.names
        return DuplicatesResult(
            spec=spec,
            key=artifact.key,
            same=same,
            pixels=artifact.read("pixels") if files else same,
            bytes_of=_bytes_of(spec.dataset, files, len(hashes) > 0),
            hashes=hashes,
            small=artifact.read("small"),
            labels=artifact.read("labels"),
            places=artifact.read("places"),
            class_names=tuple(images["class_names"]),
            ids=tuple(images["ids"]),
            pack=images["pack"],
            created=info["created"],
            seconds=info["seconds"],
            device=info["device"],
        )

    def beside(self, spec: DuplicatesSpec, view: DuplicatesView, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """The stored kernel by which a network says what is the same to it."""
        known = views.asked_network(spec, view, ws)
        if known is None:
            return ()
        held = ((ADDITION.kind, ADDITION.key(AdditionSpec(influence=known.spec), ws)),) if known.whole else ()
        return ((INFLUENCE.kind, known.key), *held)

    def answer(self, result: DuplicatesResult, view: DuplicatesView, ws: Workspace) -> tuple[str, ...]:
        """How many groups of copies there are, how many of them contradict each other or are leaks, and by what they are copies."""
        return views.answer(views.copies(result, view, ws))

    def table(self, result: DuplicatesResult, view: DuplicatesView, ws: Workspace) -> pd.DataFrame:
        """A row for each image: its group of copies, if it is in one, and whether it stays when all but one of each are left out."""
        return with_texts(views.table(views.copies(result, view, ws)), result.pack, ws)

    def missing(self, result: DuplicatesResult, view: DuplicatesView) -> str:
        """An image that does not exist; a kernel that is not stored any more is not asked."""
        return views.missing_from(result, view)

    def _rate(self, sample: Dataset, ws: Workspace) -> float:
        """Seconds an image."""
        if sample.inputs.ndim == 2:  # texts and points have no looks
            return 0.0

        def probe() -> float:
            few = sample.pixels[:_FEW]
            looks_of(few[:1])  # loads what it needs
            with clocked() as took:
                looks_of(few)
            return max(took.alone, 1e-6) / len(few)

        return ws.rates.get(_rate_name(sample), probe) or 0.0


DUPLICATES = Duplicates()


def _photographs(dataset: DatasetSpec, ws: Workspace) -> bool:
    """Whether the images' originals are kept or referred to."""
    return dataset.own is not None and any(item.originals for item in own_sets(ws.settings) if item.content_id == dataset.own)


def _bytes_of(dataset: DatasetSpec, files: bool, pictures: bool) -> BytesOf:
    if files:
        return "file"
    return "pixels" if pictures else "point" if dataset.name in VECTOR_SETS else "text"


def _rate_name(dataset: Dataset) -> str:
    return f"looks cpu {'x'.join(map(str, dataset.pixels.shape[1:]))}"


def _images(spec: DuplicatesSpec, ws: Workspace) -> tuple[Dataset, Split | None]:
    if not spec.test:
        return load_dataset(spec.dataset, ws.settings), None
    split = load_split(spec.dataset, spec.test, ws)
    return split.train, split


def _joined(first: tuple[str, ...] | None, then: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if first is None else (*first, *(then or ()))
