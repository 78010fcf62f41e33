"""The numbers by which a cheap kernel is compared with the full one (Thesis Figs. 3.2-3.8; SCIENCE §7), from kernels in memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np

from ntkcore.analyses.materials.network import timed
from ntkcore.analyses.materials.probes import SOLVE_RATE, VALUES_RATE
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.workspace import Workspace
from ntkcore.convergence import (
    accuracy,
    agreement,
    alignment,
    condition,
    effective_rank,
    magnitudes,
    pair_errors,
    prediction_difference,
    relative_frobenius,
    spectrum,
)
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor, examine
from ntkcore.regression import fit_predict, fit_predict_blocks
from ntkcore.specs import Outputs
from ntkcore.specs.convergence import ComparisonSpec

STEPS = ("outputs", "entries", "spectra", "full spectrum", "regressions", "full regression", "doctors")
CHEAP: tuple[Outputs, ...] = ("pseudo", "first")
FORMS: tuple[Outputs, ...] = (*CHEAP, "full")
NAMES = {"pseudo": "the pseudo-NTK", "first": "the first-logit kernel", "full": "the full kernel"}
LARGE = 400  # side of a matrix from which on its rate is worth remembering


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the kernels of one network compare; forms are "pseudo", "first", "full", and the cheap ones stand for ``Θ̂ ⊗ I``.

    Attributes:
        on, off: means over pairs of training images of Σ_o |Θ_oo| and Σ_{o≠p} |Θ_op| (Fig. 3.2).
        frobenius: ‖Θ̂ ⊗ I - Θ‖_F / ‖Θ‖_F of the training images' kernels (Fig. 3.3), by cheap form.
        pair_error: mean over pairs of the same ratio of each pair (Theorem 3.3.1, Fig. A.10), by cheap form.
        largest, smallest: extreme eigenvalues (Figs. 3.4, 3.5); smallest may be negative by rounding.
        condition: largest / smallest, inf where the smallest is rounding (Fig. 3.6).
        rank: effective rank: of n for the cheap forms, of n k for "full".
        alignment: with the targets (centred neither).
        spectra: ascending eigenvalues, (n,) and for "full" (n k,).
        prediction_difference: ‖f̂ - f‖_F / ‖f‖_F of the regressions' outputs on the held-out images (Fig. 3.7), by cheap form.
        agreement: share of held-out images given the class that the full kernel's regression gives.
        accuracy: share of held-out images right, also of the "network" (Figs. 3.8-3.12).
        jitter: added to the regression's diagonal beside λ; 0 when none.
        doctor: form to its doctor.
        notes: what a reader should know, in sentences; of what failed, the numbers it would have given are absent.
    """

    on: float
    off: float
    frobenius: dict[str, float]
    pair_error: dict[str, float]
    largest: dict[str, float]
    smallest: dict[str, float]
    condition: dict[str, float]
    rank: dict[str, float]
    alignment: dict[str, float]
    spectra: dict[str, np.ndarray]
    prediction_difference: dict[str, float]
    agreement: dict[str, float]
    accuracy: dict[str, float]
    jitter: dict[str, float]
    doctor: dict[str, KernelDoctor]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measures(Numbers):
    """What :func:`measure` finds.

    Attributes:
        pictures: "pseudo", "full_mean", "error": (n, n).
    """

    pictures: dict[str, np.ndarray]


def measure(
    kernels: Mapping[str, tuple[np.ndarray, np.ndarray]],
    split: Split,
    f_train: np.ndarray,
    f_test: np.ndarray,
    spec: ComparisonSpec,
    invariance: Mapping[str, float],
    ws: Workspace,
    told: Callable[[int], None],
) -> Measures:
    """Compare the kernels.

    Args:
        kernels: form to (n, n) and (m, n) kernels, for "full" (n, n, k, k) and (m, n, k, k).
        split: the images, for targets and labels.
        f_train, f_test: (n, k) and (m, k) the network's outputs, from which the regressions go on.
        spec: ridge and dtype.
        invariance: form to the kernel's batch invariance, for its doctor.
        ws: where rates are remembered.
        told: called with the number of the step (of ``STEPS``) it is at, about ten times a second; may raise ``Cancelled``.
    """
    targets = split.train.targets
    full = kernels["full"][0]
    diagonal = np.arange(full.shape[-1])

    told(1)
    errors = {form: pair_errors(full, kernels[form][0]) for form in CHEAP}
    on, off = magnitudes(full)
    mean = full[:, :, diagonal, diagonal].mean(-1, dtype=np.float64)

    spectra: dict[str, np.ndarray] = {}
    for form in FORMS:
        step = 3 if form == "full" else 2
        told(step)
        with _learning(ws, VALUES_RATE, kernels[form][0]):
            spectra[form] = spectrum(kernels[form][0], partial(told, step))

    outputs: dict[str, np.ndarray] = {}
    jitter: dict[str, float] = {}
    notes: list[str] = []
    for form in FORMS:
        fit = fit_predict_blocks if form == "full" else fit_predict
        step = 5 if form == "full" else 4
        told(step)
        try:
            with _learning(ws, SOLVE_RATE, kernels[form][0]):
                found = fit(*kernels[form], targets, f_train, f_test, spec.ridge, partial(told, step))
        except ComputationError as error:
            notes.append(f"There is no kernel regression with {NAMES[form]}: {error.message} {error.remedy}")
        else:
            outputs[form], jitter[form] = found.outputs, found.jitter
    compared = [form for form in CHEAP if form in outputs and "full" in outputs]

    told(6)
    return Measures(
        on=on,
        off=off,
        frobenius={form: relative_frobenius(full, kernels[form][0]) for form in CHEAP},
        pair_error={form: float(errors[form].mean()) for form in CHEAP},
        largest={form: float(values[-1]) for form, values in spectra.items()},
        smallest={form: float(values[0]) for form, values in spectra.items()},
        condition={form: condition(values, spec.dtype) for form, values in spectra.items()},
        rank={form: effective_rank(values) for form, values in spectra.items()},
        alignment={form: alignment(kernels[form][0], targets) for form in FORMS},
        spectra=spectra,
        prediction_difference={form: prediction_difference(outputs[form], outputs["full"]) for form in compared},
        agreement={form: agreement(outputs[form], outputs["full"]) for form in compared},
        accuracy={form: accuracy(found, split.test_labels) for form, found in (outputs | {"network": f_test}).items()},
        jitter=jitter,
        doctor={
            form: examine(
                kernels[form][0], eigenvalues=spectra[form], dtype=spec.dtype, batch_invariance=value, jitter=jitter.get(form, 0.0)
            )
            for form, value in invariance.items()
        },
        pictures={"pseudo": kernels["pseudo"][0], "full_mean": mean, "error": errors["pseudo"]},
        notes=tuple(notes),
    )


@contextmanager
def _learning(ws: Workspace, name: str, kernel: np.ndarray) -> Iterator[None]:
    """Learn a rate per (side of the matrix)³, from matrices so large that the cube is what counts."""
    side = len(kernel) * (kernel.shape[-1] if kernel.ndim == 4 else 1)
    with timed(ws, name, side**3) if side >= LARGE else nullcontext():
        yield
