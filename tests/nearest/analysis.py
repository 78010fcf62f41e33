"""Nearest: which images look like another class? The distance of each image to the nearest one of another class, in pixels."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nearest.spec import NearestSpec, NearestView
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.drafts import put_array
from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, sample_of
from ntkcore.analyses.progress import IMAGES, Reporter, Stage
from ntkcore.analyses.words import number
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import content_hash, load_dataset
from ntkcore.data.describe import describe_dataset
from ntkcore.store import Artifact


@dataclass(frozen=True, slots=True)
class NearestResult:
    """Distances (n,), the nearest images of another class (n,), labels (n,) and names of the classes."""

    spec: NearestSpec
    key: str
    distances: np.ndarray
    neighbours: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    created: str

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.distances.nbytes + self.neighbours.nbytes + self.labels.nbytes


class Nearest(Analysis[NearestSpec, NearestView, NearestResult]):
    """Which images look like another class?"""

    kind, version = "nearest", 1
    spec, view = NearestSpec, NearestView
    word = "nearest: distances between images"
    smaller = "Choose fewer images."

    def title(self, spec: NearestSpec, ws: Workspace) -> str:
        """The data set."""
        return f"Nearest images of {describe_dataset(spec.dataset, ws.settings)}"

    def content(self, spec: NearestSpec, ws: Workspace) -> Mapping[str, str]:
        """The data."""
        return {"data": content_hash(spec.dataset, ws.settings)}

    def forecast(self, spec: NearestSpec, ws: Workspace) -> Forecast:
        """By memory alone: n² distances."""
        sample_of(spec.dataset, ws)  # says what is wrong with the choice
        needs = Needs(spec.dataset.n, lambda n: BASE_MEMORY + 24 * n * n, lambda n: 64 * n)
        return needs.forecast(lambda: (Stage(IMAGES, "images", spec.dataset.n, 0.1 + 1e-8 * spec.dataset.n**2),), ws)

    def run(self, spec: NearestSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """All distances at once."""
        started = time.monotonic()
        reporter.plan(self.forecast(spec, ws).stages)
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(IMAGES, 0)) as draft:
            if draft is None:
                return
            data = load_dataset(spec.dataset, ws.settings)
            pixels = data.inputs.reshape(data.n, -1).astype(np.float64)
            gaps = np.abs(pixels[:, None] - pixels[None])
            distances = gaps.max(2) if spec.norm == "largest" else np.sqrt(np.square(gaps).sum(2))
            distances[data.labels[:, None] == data.labels] = np.inf
            for name, values in {"distances": distances.min(1), "neighbours": distances.argmin(1), "labels": data.labels}.items():
                put_array(draft, name, values)
            draft.put_json("images", {"class_names": list(data.class_names)})
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(IMAGES, spec.dataset.n)
        ws.store.evict()

    def load(self, artifact: Artifact, spec: NearestSpec, ws: Workspace) -> NearestResult:
        """The stored distances."""
        arrays = [artifact.read(name) for name in ("distances", "neighbours", "labels")]
        return NearestResult(spec, artifact.key, *arrays, tuple(artifact.json("images")["class_names"]), artifact.info["created"])

    def answer(self, result: NearestResult, view: NearestView, ws: Workspace) -> tuple[str, ...]:
        """The image that looks most like another class."""
        image = int(result.distances.argmin())
        own, other = (result.class_names[result.labels[i]] for i in (image, result.neighbours[image]))
        return (
            f"Image {image}, {own}, is nearest to another class: {number(float(result.distances[image]))} from image "
            f"{result.neighbours[image]}, {other}.",
        )

    def table(self, result: NearestResult, view: NearestView, ws: Workspace) -> pd.DataFrame:
        """All images, the nearest to another class first, or the farthest."""
        order = np.argsort(result.distances, kind="stable")
        order = order if view.show == "near" else order[::-1]
        return pd.DataFrame({"image": order, "distance": result.distances[order], "neighbour": result.neighbours[order]})


NEAREST = Nearest()
