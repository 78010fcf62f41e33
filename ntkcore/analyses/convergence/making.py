"""Makes one comparison of pseudo-NTK, first-logit and full kernel of a network at an epoch (Thesis ch. 3; SCIENCE §7).

The three kernels are each computed by the engine, so that their seconds can be compared; the numbers taken from them are in
:mod:`ntkcore.analyses.convergence.measuring`. The kernels themselves are scratch, kept in the draft's tiles until the numbers are taken:
the full one has (n + m) n k² entries.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from ntkcore.analyses.convergence.comparison import BY_FORM, COMPARISON_METHOD, KIND, USES, comparison_key, number
from ntkcore.analyses.convergence.measuring import FORMS, STEPS, measure
from ntkcore.analyses.drafts import identity_of, one_device, put_array
from ntkcore.analyses.materials.kernel import kernel_network, run_of
from ntkcore.analyses.materials.network import has_state, outputs_of
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.materials.tiles import fill_kernel, inputs_of, learn_kernel_rates, ways_of
from ntkcore.analyses.progress import COMPARISON, KERNELS, TRAINING, Reporter, of_point
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import batch_invariance
from ntkcore.models import describe_model
from ntkcore.specs.convergence import ComparisonSpec
from ntkcore.store import Draft


def ensure_comparison(spec: ComparisonSpec, split: Split, ws: Workspace, reporter: Reporter, failed: str = "") -> None:
    """Compute and store one comparison unless it is stored. An interrupted one goes on from the kernels' finished tiles.

    A training that diverges before the epoch looked at, or a kernel that is not finite, gives a comparison that says so: the
    same would happen again.

    Args:
        spec, split: what to compare, and its images.
        ws: where it is stored.
        reporter: told the stages :func:`~ntkcore.analyses.progress.of_point` names.
        failed: why the training of this network failed, if that is known already.
    """
    key = comparison_key(spec, ws)
    if ws.store.state(KIND, key) == "ready":
        return
    first = of_point(KERNELS[FORMS[0]], spec)
    with ws.store.draft(KIND, key, identity_of(spec, COMPARISON_METHOD.version, USES), waiting=lambda: reporter.report(first, 0)) as draft:
        if draft is None:
            return
        scratch = [f"{form}-{part}" for form in FORMS for part in ("train", "test")]
        one_device(draft, reporter, (*scratch, *(f"{name}-notes" for name in scratch), "seconds"))
        try:
            module = _at_epoch(spec, split, ws, reporter, failed)
            outputs = outputs_of(module, split, lambda *_: reporter.report(first, 0))
            # Before the kernels, so that the first one's seconds do not hold the device's warming up.
            x = inputs_of(split.train, spec.dtype)
            invariance = {str(form): batch_invariance(module, x, form) for form in FORMS}
            seconds, notes = _fill_kernels(spec, module, split, draft, ws, reporter)
        except ComputationError as error:
            draft.put_json("numbers", _about(spec, split) | {"diverged": f"{error.message} {error.remedy}".strip()})
        else:
            _write(spec, outputs, invariance, split, draft, ws, reporter, seconds, notes)
        for name in (*scratch, *(f"{name}-notes" for name in scratch), "seconds"):
            draft.drop(name)
        draft.publish({"device": reporter.device})
    reporter.report(of_point(COMPARISON, spec), len(STEPS))


def _at_epoch(spec: ComparisonSpec, split: Split, ws: Workspace, reporter: Reporter, failed: str) -> torch.nn.Module:
    """The network at the epoch looked at, in the dtype and on the device of the computation."""
    run = run_of(spec)
    if failed and run is not None and not has_state(run, ws):
        raise ComputationError(failed)
    return kernel_network(spec, split.train, ws, reporter, of_point(TRAINING, spec))


def _about(spec: ComparisonSpec, split: Split) -> dict[str, Any]:
    """What a comparison is about, whatever comes of it."""
    train = split.train
    described = describe_model(spec.model, input_shape=train.inputs.shape[1:], outputs=train.outputs, class_names=train.class_names)
    sizes = {"m": len(split.test_labels), "k": train.outputs, "parameters": described.parameters}
    return sizes | {"class_names": list(train.class_names), "pack": split.pack}


def _fill_kernels(
    spec: ComparisonSpec, module: torch.nn.Module, split: Split, draft: Draft, ws: Workspace, reporter: Reporter
) -> tuple[dict[str, float], set[str]]:
    """Fill the scratch kernels; the seconds of each on the training images, and notes."""
    x = inputs_of(split.train, spec.dtype)
    z = torch.from_numpy(np.ascontiguousarray(split.test_inputs, dtype=spec.dtype))
    seconds: dict[str, float] = {form: number(value) for form, value in (draft.get_json("seconds") or {}).items()}
    notes: set[str] = set()
    fill = partial(fill_kernel, draft, ways=ways_of(draft, module, ws), k=split.train.outputs)
    for form in FORMS:
        stage = of_point(KERNELS[form], spec)
        within = _parts(reporter, stage, (len(x) ** 2, len(z) * len(x)))
        train = fill(f"{form}-train", module, x, outputs=form, progress=within[0])
        if train.pairs:
            seconds[form] = math.nan if train.resumed else train.seconds
            draft.put_json("seconds", {name: written(value) for name, value in seconds.items()})
        test = fill(f"{form}-test", module, z, x, outputs=form, progress=within[1])
        learn_kernel_rates(spec, form, split.train, ws, reporter.device, train, test)
        notes |= train.notes | test.notes
    return seconds, notes


def _parts(reporter: Reporter, stage: str, sizes: Sequence[int]) -> list[Callable[[float, float], None]]:
    """Progress of the parts of one stage, each of so many of its units."""

    def part(before: int, size: int) -> Callable[[float, float], None]:
        return lambda done, of: reporter.report(stage, before + size * done / max(of, 1))

    return [part(sum(sizes[:at]), size) for at, size in enumerate(sizes)]


def _write(
    spec: ComparisonSpec,
    outputs: tuple[np.ndarray, np.ndarray],
    invariance: dict[str, float],
    split: Split,
    draft: Draft,
    ws: Workspace,
    reporter: Reporter,
    seconds: dict[str, float],
    notes: set[str],
) -> None:
    """Measure the kernels and write what stays of the comparison."""
    stage = of_point(COMPARISON, spec)
    kernels = {str(form): (draft.read(f"{form}-train"), draft.read(f"{form}-test")) for form in FORMS}
    found = measure(kernels, split, *outputs, spec, invariance, ws, lambda step: reporter.report(stage, step))
    by_form = {name: getattr(found, name) for name in BY_FORM} | {"seconds": seconds}
    numbers = {name: {form: written(value) for form, value in values.items()} for name, values in by_form.items()}
    draft.put_json("numbers", _about(spec, split) | {"diverged": "", "on": written(found.on), "off": written(found.off)} | numbers)
    draft.put_json("notes", [*sorted(notes), *found.notes])
    draft.put_json("doctor", {form: doctor.to_json() for form, doctor in found.doctor.items()})
    arrays = {f"spectrum-{form}": values for form, values in found.spectra.items()} | {"labels": split.train.labels}
    arrays |= {name: values.astype(np.float32) for name, values in found.pictures.items()}
    for name, values in arrays.items():
        put_array(draft, name, values)


def written(value: float) -> float | str:
    """A number as JSON has it: what is not finite as its name."""
    return float(value) if math.isfinite(value) else str(float(value))
