"""What a computation will need: seconds, memory and disk, before it starts; and what smaller choice would fit."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ntkcore.analyses.materials.tiles import TILE
from ntkcore.analyses.progress import IMAGES, Stage
from ntkcore.analyses.rates import Rate
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash, load_dataset
from ntkcore.kernels.memory import most_fitting
from ntkcore.linalg import SMALL
from ntkcore.specs import DatasetSpec

BASE_MEMORY = 530 * 2**20  # a worker, or a command, with its libraries loaded
HELPER_MEMORY = 80 * 2**20  # of a process of its own that decomposes a large matrix, beside the matrices
_MATRICES, _MATRICES_APART = 5, 8  # of a decomposition here, and of one in a process of its own with those kept here


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a computation is expected to need.

    Attributes:
        stages: the stages with their expected seconds.
        seconds: their sum.
        memory, disk: bytes at the peak, and bytes written.
        memory_limit, disk_free: what there is.
        refusal: why it cannot run here, with the smaller choice that would fit; "" when it can.
        largest_n: the largest number of images that fits; n itself when the request fits.
        rates: the rates that the seconds are from, where they were asked for (:meth:`~ntkcore.analyses.analysis.Analysis.expected`).
    """

    stages: tuple[Stage, ...]
    seconds: float
    memory: int
    disk: int
    memory_limit: int
    disk_free: int
    refusal: str
    largest_n: int
    rates: tuple[Rate, ...] = ()

    @property
    def source(self) -> str:
        """Where the seconds are from, how old that is and how good: the rest of a sentence."""
        if not self.rates:
            return "from rates measured on this machine"
        poor = sum(rate.poor for rate in self.rates)
        beside = "" if not poor else " while other work ran" if poor == len(self.rates) else ", in part while other work ran"
        return f"from rates measured on this machine {_ago(time.time() - min(rate.at for rate in self.rates))}{beside}"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a computation needs for any number of images.

    Attributes:
        n: the number of images asked for.
        memory, disk: bytes at the peak, and bytes written, for a number of images; neither falls when it grows.
        more: what may be left out so that more would fit, at the end of a sentence, or "".
    """

    n: int
    memory: Callable[[int], int]
    disk: Callable[[int], int]
    more: str = ""

    def forecast(self, stages: Callable[[], tuple[Stage, ...]], ws: Workspace) -> Forecast:
        """The forecast; ``stages`` is asked only if it fits, so that rates of what cannot run are not measured."""
        refusal, largest = self.refusal(ws)
        planned = () if refusal else stages()
        limit, free = _limits(ws)
        return Forecast(planned, sum(s.seconds for s in planned), self.memory(self.n), self.disk(self.n), limit, free, refusal, largest)

    def refusal(self, ws: Workspace) -> tuple[str, int]:
        """Why it cannot run here, or "", and the largest number of images that fits."""
        memory, disk = self.memory(self.n), self.disk(self.n)
        limit, free = _limits(ws)
        if memory <= limit and disk <= free:
            return "", self.n
        largest = most_fitting(lambda n: self.memory(n) <= limit and self.disk(n) <= free, self.n)
        what = (
            f"about {_amount(memory)} of memory, and one job may use {_amount(limit)} here"
            if memory > limit
            else f"about {_amount(disk)} on disk, and {_amount(free)} are free"
        )
        if largest < 4:
            room = "Free some space, or set NTK_CACHE_DIR to a larger disk" if memory <= limit else "Choose a smaller network"
            return f"This needs {what}: no number of images would fit. {room}.", largest
        return f"This needs {what}: {largest:,} images would fit{self.more}.", largest


def reading(images: int) -> Stage:
    """The stage in which a set is read, and its small images are stored."""
    return Stage(IMAGES, "images", images, 0.02 + 3e-5 * images)


def decomposing(side: int) -> int:
    """Bytes of a kernel while its eigenvalues and eigenvectors are found."""
    return 8 * _MATRICES_APART * side**2 + HELPER_MEMORY if side > SMALL else 8 * _MATRICES * side**2


def sample_of(spec: DatasetSpec, ws: Workspace) -> Dataset:
    """The first images of the draw: checks the whole request and costs little, however many images are asked for."""
    key = ("sample", spec.canonical(), content_hash(spec, ws.settings))
    return ws.hot.get(key, lambda: load_dataset(spec, ws.settings, first=TILE), dataset_bytes)


def dataset_bytes(dataset: Dataset) -> int:
    """Bytes a data set takes in memory."""
    return sum(a.nbytes for a in (dataset.inputs, dataset.pixels, dataset.labels, dataset.true_labels))


def _limits(ws: Workspace) -> tuple[int, int]:
    """Bytes of memory one job may use, and bytes that may be stored."""
    return ws.settings.job_bytes, min(ws.store.room(), ws.settings.disk_budget)


def _ago(seconds: float) -> str:
    """How long ago, in words."""
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 2 * length or (seconds >= length and unit != "minute"):
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
