"""Whether it matters where each training of a study begins, in the kernel regime (Thesis Thm. 2.2.1)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ntkcore.active import cold_and_warm, predicted
from ntkcore.analyses.active.run import Task, first_labelled, images
from ntkcore.analyses.active.views import Study, by_strategy
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.kernels import empirical_ntk
from ntkcore.models import evaluate

MOST_TEST = 200
"""Held-out images on which both are compared, at most."""
RIDGES = (0.0, 1e-2, 1.0, 100.0)


@dataclass(frozen=True, slots=True)
class Choices:
    """The images that a strategy chose in a repeat, in that order."""

    result: Study
    name: str
    repeat: int
    ws: Workspace


@dataclass(frozen=True, slots=True)
class Apart:
    """At one λ, after all cycles: root mean square of warm start's outputs less cold start's, relative to what training changed; share of
    the held-out images that they give different classes."""

    ridge: float
    outputs: float
    classes: float


@memoised(size=lambda found: 64 * len(found))
def apart(look: Choices, *, progress: Callable[[int, int], None] | None = None) -> tuple[Apart, ...]:
    """Warm and cold start on the pseudo-NTK of the repeat's network before training, in float64.

    Raises:
        ComputationError: a kernel that is far from positive definite.
    """
    spec = look.result.spec
    task = Task(spec, look.name, look.repeat, images(spec, look.ws))
    train = task.split.train
    picks = by_strategy(look.result, "picks")[spec.strategies.index(look.name), look.repeat]
    labelled = np.concatenate([first_labelled(task), picks.astype(np.intp).ravel()])
    module = network(task.model, train, look.ws).double().to(look.ws.device)
    x, z = train.inputs[labelled].astype(np.float64), task.split.test_inputs[:MOST_TEST].astype(np.float64)

    def tell(done: float, of: float) -> None:
        if progress is not None:
            progress(round(1000 * done), round(1000 * of))

    k_train = empirical_ntk(module, x, dtype=torch.float64, progress=tell).values
    k_test = empirical_ntk(module, z, x, dtype=torch.float64, progress=tell).values
    f_train, f_test = (evaluate(module, values, device=look.ws.device) for values in (x, z))
    y = targets_of(train.labels[labelled], train.outputs)
    found = []
    for ridge in RIDGES:
        ends = cold_and_warm(k_train, k_test, y, f_train, f_test, spec.protocol.labels, ridge)
        changed = float(np.sqrt(np.square(ends.cold - f_test).mean()))
        other = float((predicted(ends.warm) != predicted(ends.cold)).mean())
        found.append(Apart(ridge, ends.difference / changed, other))
    return tuple(found)
