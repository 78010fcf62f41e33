"""What pseudo-NTK and full kernel cost per pair of samples, over the number of outputs and over depth (Thesis Fig. 3.1).

Measured, not modelled, on random inputs of the data's shape: tiles of 32 × 32 pairs, the gradients of whose columns are new and those
of whose rows are there already, as when a kernel is computed tile by tile; a tile's time divided by 32². The first tile, which bears
the preparation, is not counted; of the next three the median is taken, or the first if it takes longer than a second. A series
ends where the next value would take longer than what is left of half a minute, or where a tile would not fit in 256 MiB.
Differs from the source, which times one pair at a time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Literal

import numpy as np
import torch

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.progress import TIMING, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import ntk_tiles
from ntkcore.models import build_model
from ntkcore.specs import Architecture, ModelSpec, Spec, key_of
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.store import Draft

KIND = "timing"
VERSION = 1
BLOCK = 32
OUTPUTS = (1, 2, 5, 10, 20, 50, 100)
DEPTHS = (1, 2, 3, 4, 6, 8)
FORMS: tuple[Literal["pseudo", "full"], ...] = ("pseudo", "full")
BUDGET = 30.0  # seconds of one series
BLOCK_BYTES = 256 * 2**20
_TILES, _LONG = 3, 1.0


class TimingSpec(Spec):
    """What is timed: it depends on no image, and holds for one kind of device."""

    architecture: Architecture
    width: int
    depth: int | None
    input_shape: tuple[int, ...]
    outputs: int
    dtype: Literal["float32", "float64"]
    device: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per pair of samples.

    Attributes:
        width, outputs, depth: of the network where they are not varied; depth None: the architecture has a fixed one.
        block: samples on a side of the tiles that were timed.
        over_outputs: (K,) numbers of outputs k.
        outputs_seconds: "pseudo" and "full" to (K,) seconds per pair; NaN where it would have taken too long.
        over_depth: (D,) hidden layers; empty where the architecture has a fixed depth.
        depth_seconds: "pseudo" and "full" to (D,).
        device, created: on what and when (UTC, ISO 8601) it was measured.
    """

    width: int
    outputs: int
    depth: int | None
    block: int
    over_outputs: np.ndarray
    outputs_seconds: dict[str, np.ndarray]
    over_depth: np.ndarray
    depth_seconds: dict[str, np.ndarray]
    device: str
    created: str


def timing_spec(spec: ConvergenceSpec, dataset: Dataset, device: str) -> TimingSpec:
    """What is timed for a convergence analysis: its network of middle width."""
    return TimingSpec(
        architecture=spec.architecture,
        width=spec.widths[len(spec.widths) // 2],
        depth=spec.depth,
        input_shape=dataset.inputs.shape[1:],
        outputs=dataset.outputs,
        dtype=spec.dtype,
        device=device,
    )


def series_of(spec: TimingSpec) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The series that are measured: name and places."""
    depths = (("depth", tuple(sorted({*DEPTHS, spec.depth}))),) if spec.depth is not None else ()
    return (("outputs", tuple(sorted({*OUTPUTS, spec.outputs}))), *depths)


def ensure_timing(spec: TimingSpec, ws: Workspace, reporter: Reporter) -> Timing:
    """The timing, from the store or measured now; finished series survive an interruption."""
    key = timing_key(spec)
    if ws.store.state(KIND, key) != "ready":
        with ws.store.draft(KIND, key, identity_of(spec, VERSION, (KERNEL_METHOD,)), waiting=lambda: reporter.report(TIMING, 0)) as draft:
            if draft is not None:
                before = 0
                for name, places in series_of(spec):
                    _measure_series(spec, name, places, draft, reporter, before)
                    before += len(places) * len(FORMS)
                draft.publish({"device": reporter.device})
    return open_timing(spec, ws)


def timing_key(spec: TimingSpec) -> str:
    """Key of a timing."""
    return key_of(KIND, VERSION, spec, {}, (KERNEL_METHOD,))


def open_timing(spec: TimingSpec, ws: Workspace) -> Timing:
    """The stored timing."""
    artifact = ws.store.open(KIND, timing_key(spec))
    found: dict[str, dict[str, np.ndarray]] = {
        name: {form: artifact.read(f"{name}-{form}") for form in FORMS} for name, _ in series_of(spec)
    }
    places = {name: np.array(values) for name, values in series_of(spec)}
    return Timing(
        width=spec.width,
        outputs=spec.outputs,
        depth=spec.depth,
        block=BLOCK,
        over_outputs=places["outputs"],
        outputs_seconds=found["outputs"],
        over_depth=places.get("depth", np.zeros(0, dtype=np.int64)),
        depth_seconds=found.get("depth", {form: np.zeros(0) for form in FORMS}),
        device=artifact.info["device"],
        created=artifact.info["created"],
    )


def _measure_series(spec: TimingSpec, name: str, places: tuple[int, ...], draft: Draft, reporter: Reporter, before: int) -> None:
    """Measure both forms at every place, from the cheapest on, and write the series; ``before``: values measured before it."""
    for form in FORMS:
        draft.create(f"{name}-{form}", (len(places),), "float64", (len(places),))
    if not any(draft.missing(f"{name}-{form}") for form in FORMS):
        return
    left = {form: BUDGET / len(FORMS) for form in FORMS}
    seconds = {form: np.full(len(places), np.nan) for form in FORMS}
    for at, place in enumerate(places):
        for number, form in enumerate(FORMS):
            waiting = partial(reporter.report, TIMING, before + at * len(FORMS) + number)
            last = seconds[form][at - 1] * BLOCK**2 if at else 0.0
            growth = (place / places[at - 1]) ** (2 if form == "full" else 1) if at else 1.0
            size = BLOCK**2 * (place if name == "outputs" else spec.outputs) ** 2 * np.dtype(spec.dtype).itemsize
            if not 2 * last * growth <= left[form] or (form == "full" and size > BLOCK_BYTES):  # also for NaN: the series has ended
                continue
            started = time.monotonic()
            seconds[form][at] = _seconds(spec, name, place, form, waiting) / BLOCK**2
            left[form] -= time.monotonic() - started
    for form in FORMS:
        draft.write(f"{name}-{form}", (0,), seconds[form])


def _seconds(spec: TimingSpec, name: str, place: int, form: Literal["pseudo", "full"], waiting: Callable[[], None]) -> float:
    """Seconds of one tile."""
    outputs, depth = (place, spec.depth) if name == "outputs" else (spec.outputs, place)
    model = ModelSpec(architecture=spec.architecture, width=spec.width, depth=depth, initialisation="he")
    dtype = getattr(torch, spec.dtype)
    module = build_model(model, input_shape=spec.input_shape, outputs=outputs).to(spec.device, dtype)
    drawn = np.random.default_rng(0).random(((2 + _TILES) * BLOCK, *spec.input_shape))
    rows, columns = torch.from_numpy(drawn).to(dtype).split([BLOCK, (1 + _TILES) * BLOCK])
    tiles = ntk_tiles(module, rows, columns, outputs=form, tile=BLOCK, progress=lambda done, of: waiting())
    next(tiles)
    taken: list[float] = []
    while len(taken) < _TILES and (not taken or taken[0] < _LONG):
        waiting()
        started = time.monotonic()
        next(tiles)
        taken.append(time.monotonic() - started)
    return median(taken)
