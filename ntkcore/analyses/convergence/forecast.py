"""What a convergence analysis will need, and its stages.

Memory at the peak, in bytes, for n training and m held-out images, k outputs and w bytes a number:

    base + images + network + max((n + m) n k² w + 3 · 8 (n k)², the timing's tile) + what the tiles leave behind

the full kernel with its float64 matrix and the copies that the eigenvalues take (the Cholesky factorisation takes one of the
three), and the features of the tiles, on disk by then, whose memory is kept a while for the next ones.
Time grows with (n k)³ for the eigenvalues and the regression of the full kernel, at each of widths × seeds × looks.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from ntkcore.analyses.convergence.comparison import KIND as COMPARISON_KIND
from ntkcore.analyses.convergence.comparison import comparison_key
from ntkcore.analyses.convergence.measuring import FORMS, STEPS
from ntkcore.analyses.convergence.timing import BLOCK, BLOCK_BYTES, BUDGET, TimingSpec, series_of, timing_key, timing_spec
from ntkcore.analyses.convergence.timing import KIND as TIMING_KIND
from ntkcore.analyses.forecast import BASE_MEMORY, HELPER_MEMORY, Forecast, Needs, reading, sample_of
from ntkcore.analyses.materials.kernel import run_of
from ntkcore.analyses.materials.memory import kernel_memory, parameters
from ntkcore.analyses.materials.network import has_state, rate_name, training_work
from ntkcore.analyses.materials.probes import START, KernelRates, eigenvalues_rate, kernel_rates, regression_rate, training_rate
from ntkcore.analyses.materials.split import check_split, require_classes
from ntkcore.analyses.materials.tiles import kernel_pairs, kernel_rate_names, tile_side
from ntkcore.analyses.progress import COMPARISON, IMAGES, KERNELS, TIMING, TRAINING, Stage, of_point
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash
from ntkcore.linalg import SMALL
from ntkcore.specs import ModelSpec, Outputs
from ntkcore.specs.convergence import ComparisonSpec, ConvergenceSpec

_KERNELS = "Kernels"
_POINT_DISK = 24 * 2**10  # numbers, manifest and the like of one comparison


def forecast_convergence(spec: ConvergenceSpec, ws: Workspace) -> Forecast:
    """Forecast one convergence analysis from this machine's measured rates.

    Rates never seen are measured at the narrowest and the widest network; those between follow the power law through them.
    The stages of all networks are summed by kind.

    Raises:
        AtlasError: when the data set or the networks cannot be had at all (missing, two classes, does not fit, too few images).
    """
    sample = _checked(spec, ws)
    return _needs(spec, sample, ws).forecast(lambda: _summed(convergence_stages(spec, sample, ws)), ws)


def convergence_refusal(spec: ConvergenceSpec, ws: Workspace) -> str:
    """Why it cannot fit on this machine, or "".

    Raises:
        AtlasError: it cannot be had at all.
    """
    return _needs(spec, _checked(spec, ws), ws).refusal(ws)[0]


def convergence_stages(spec: ConvergenceSpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of the job, in their order, with their expected seconds: nothing for what is stored."""
    n, m, k = spec.dataset.n, spec.test, sample.outputs
    todo = {point for point in spec.points() if ws.store.state(COMPARISON_KIND, comparison_key(point, ws)) != "ready"}
    timed = timing_spec(spec, sample, ws.device)
    timing = ws.store.state(TIMING_KIND, timing_key(timed)) != "ready"
    widths = sorted({point.model.width for point in todo} | ({timed.width} if timing else set()))

    models = {model.width: model for model in spec.models() if model.width in widths}
    kernel: dict[str, dict[int, KernelRates]] = {}
    for form in ("pseudo", "full") if widths else ():
        names = partial(kernel_rate_names, form, spec.dtype, dataset=sample, device=ws.device)
        by_width = _by_width(models, names, partial(_measure_kernel, form, spec.dtype, sample, ws), ws)
        kernel[form] = {width: KernelRates(*found) for width, found in by_width.items()}
    training: dict[int, float] = {}
    if any(_trains(point, ws) for point in todo):
        work = partial(_training_name, training_work(spec.training, n), sample, ws.device)
        by_width = _by_width(models, work, partial(training_rate, spec.training, n=n, sample=sample, ws=ws), ws)
        training = {width: found[0] for width, found in by_width.items()}
    comparing = _comparing(n, m, k, ws) if todo else 0.0

    stages = [reading(n + m)]
    trained: set[ModelSpec] = set()
    for point in spec.points():
        if point.training is not None and point.model not in trained:
            trained.add(point.model)
            epochs = max((look.epoch for look in todo if look.model == point.model and _trains(look, ws)), default=0)
            stages.append(
                Stage(of_point(TRAINING, point), "images", n * spec.training.epochs, epochs * n * training.get(point.model.width, 0.0))
            )
        for form in FORMS:
            pairs = kernel_pairs(n, tile_side(form, k, spec.dtype)) + m * n
            rates = (
                kernel[form if form == "full" else "pseudo"][point.model.width] if point in todo else None
            )  # one scalar is as dear as another
            seconds = rates.seconds(2 * n + m, pairs) if rates else 0.0
            stages.append(Stage(of_point(KERNELS[form], point), "pairs", n * n + m * n, seconds))
        stages.append(Stage(of_point(COMPARISON, point), "steps", len(STEPS), comparing if point in todo else 0.0))
    count = sum(2 * len(places) for _, places in series_of(timed))
    return (*stages, Stage(TIMING, "measurements", count, _timing_seconds(timed, kernel["full"][timed.width]) if timing else 0.0))


def _timing_seconds(timed: TimingSpec, rates: KernelRates) -> float:
    """Seconds of the timing: four tiles for each form and place, and a preparation."""
    once = 4 * rates.seconds(BLOCK, BLOCK**2)
    seconds = 0.5
    for name, places in series_of(timed):
        base = timed.outputs if name == "outputs" else timed.depth or 1
        seconds += min(BUDGET, sum(0.1 + once * max(place / base, 0.5) for place in places))
    return seconds


def _by_width(
    models: Mapping[int, ModelSpec], names: Callable[[ModelSpec], tuple[str, ...]], measured: Callable[[ModelSpec], object], ws: Workspace
) -> dict[int, tuple[float, ...]]:
    """Remembered rates at each width; those unknown lie on the power law through those known and the ends, which are measured."""
    known: dict[int, tuple[float, ...]] = {}
    for width, model in models.items():
        if width in (min(models), max(models)):
            measured(model)
        found = ws.rates.all_of(names(model))
        if found is not None:
            known[width] = found
    at = np.log(sorted(known))
    columns = np.log([known[width] for width in sorted(known)]).T
    return {width: tuple(float(np.exp(np.interp(np.log(width), at, column))) for column in columns) for width in models}


def _measure_kernel(outputs: Outputs, dtype: str, sample: Dataset, ws: Workspace, model: ModelSpec) -> None:
    kernel_rates(outputs, model, dtype, sample, ws)


def _training_name(work: str, sample: Dataset, device: str, model: ModelSpec) -> tuple[str]:
    return (rate_name(work, model, sample, device),)


def _comparing(n: int, m: int, k: int, ws: Workspace) -> float:
    """Seconds of the numbers of one comparison: eigenvalues and regressions of three kernels, and a few passes over the entries."""
    cubes = (n * k) ** 3 + 2 * n**3
    entries = 1e-7 * (n + m) * n * k * k
    return 0.04 + (eigenvalues_rate(ws) + regression_rate(ws)) * cubes + entries + (START if n * k > SMALL else 0.0)


def _trains(point: ComparisonSpec, ws: Workspace) -> bool:
    run = run_of(point)
    return run is not None and not has_state(run, ws)


def _summed(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages of all networks, by kind."""
    kinds = {TRAINING: TRAINING, COMPARISON: COMPARISON, IMAGES: IMAGES, TIMING: TIMING} | dict.fromkeys(KERNELS.values(), _KERNELS)
    units = {_KERNELS: "pairs", TRAINING: "images", COMPARISON: "steps"}
    found: dict[str, Stage] = {}
    for stage in stages:
        name = kinds[stage.name.split(" (")[0]]
        before = found.get(name, Stage(name, units.get(name, stage.unit), 0.0, 0.0))
        found[name] = Stage(name, before.unit, before.total + stage.total, before.seconds + stage.seconds)
    return tuple(found[name] for name in (IMAGES, TRAINING, _KERNELS, COMPARISON, TIMING) if name in found)


def _checked(spec: ConvergenceSpec, ws: Workspace) -> Dataset:
    """The first training images, after checking everything that can be checked at once."""
    sample = sample_of(spec.dataset, ws)
    require_classes(sample)
    key = ("split", spec.dataset.canonical(), spec.test, content_hash(spec.dataset, ws.settings))
    ws.hot.get(key, lambda: check_split(spec.dataset, spec.test, ws), lambda _: 1)
    return sample


def _needs(spec: ConvergenceSpec, sample: Dataset, ws: Workspace) -> Needs:
    k, m, width = sample.outputs, spec.test, np.dtype(spec.dtype).itemsize
    first = [model for model in spec.models() if model.seed == 0]
    sizes = [parameters(model, sample, ws) for model in first]
    looks = sum(look > 0 for look in spec.looks)
    copies = 2 if spec.training.momentum else 1
    tiles = kernel_memory("full", first[-1], spec.dtype, sample, ws)

    def memory(n: int) -> int:
        images = int(np.prod(sample.inputs.shape[1:])) * 4 * (n + m) * 3
        weights = sizes[-1] * (4 * 6 + width)
        full = (n + m) * n * k * k * width + 3 * 8 * (n * k) ** 2 + (HELPER_MEMORY if n * k > SMALL else 0)
        return BASE_MEMORY + images + weights + max(full, BLOCK_BYTES) + tiles(n, m)

    def disk(n: int) -> int:
        point = 3 * 4 * n * n + 8 * (n * k + 2 * n) + 8 * n + _POINT_DISK
        states = sum(count * 4 * copies for count in sizes) * spec.seeds * looks
        records = (spec.training.epochs + 1) * n * k * 4 * len(spec.models()) if looks else 0
        checkpoint = sizes[-1] * 4 * copies if looks else 0
        return (
            len(spec.points()) * point + states + records + checkpoint + _scratch(n, m, k, spec.dtype) + sample.pixels[0].size * n + 2**20
        )

    return Needs(spec.dataset.n, memory, disk, ", or more with fewer classes")


def _scratch(n: int, m: int, k: int, dtype: str) -> int:
    """Bytes of the kernels of one comparison while it is made; tiles at the edge are stored whole."""
    total = 0
    for form in FORMS:
        side = tile_side(form, k, dtype)
        rows, tests = (-(-count // min(side, count)) * min(side, count) for count in (n, m))
        total += rows * (rows + tests) * (k * k if form == "full" else 1) * np.dtype(dtype).itemsize
    return total
