"""The kernel of a composed training set, stored on its own, and what making it takes.

A study's pieces that look at the same images share it, and one that was interrupted goes on tile by tile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from ntkcore.analyses.drafts import identity_of, one_device, put_array
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.forecast import influence_stages, needs
from ntkcore.analyses.influence.kernel import fill_kernels
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.probes import decomposition_rate, regression_rate
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.progress import PAIRS, STUDY, PieceReporter, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import ComputationError, SpecError
from ntkcore.models import weights_content
from ntkcore.regression import KernelRegression
from ntkcore.specs import Method, Spec, key_of
from ntkcore.specs.groups import OF_KERNEL, GroupStudySpec
from ntkcore.specs.influence import InfluenceSpec

KIND = "composed"
COMPOSED_METHOD = Method("composed", 1)  # raise when the numbers of a composed kernel change
OFTEN = 3
"""Repeats, where nobody says how many."""
USES = (COMPOSED_METHOD, KERNEL_METHOD)


@dataclass(frozen=True, slots=True, eq=False)
class ComposedKernel:
    """Kernels, outputs and targets of all images; a study looks at some of them.

    Attributes:
        k_train, k_test: (n, n) and (m, n), or with k × k blocks.
        f_train, f_test: (n, k) and (m, k) the network's outputs where its kernel was taken.
        targets: (n, k).
    """

    k_train: np.ndarray
    k_test: np.ndarray
    f_train: np.ndarray
    f_test: np.ndarray
    targets: np.ndarray

    def regression(self, rows: np.ndarray, ridge: float, waiting: Callable[[], None]) -> KernelRegression:
        """On the training images ``rows``."""
        return KernelRegression(self.k_train[np.ix_(rows, rows)], self.targets[rows], ridge, self.f_train[rows], waiting)

    def test(self, held: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Kernel of some held-out images with some training images."""
        return self.k_test[np.ix_(held, rows)]


def effort(repeats: int | None) -> tuple[tuple[int, float], ...]:
    """How often a study is made, and of what part of the usual images: what is usual first, then what takes less.

    Args:
        repeats: as somebody chose; None: nobody did.
    """
    often = range(OFTEN, 0, -1) if repeats is None else (repeats,)
    return *((count, 1.0) for count in often), (often[-1], 0.5), (often[-1], 0.2)


def going_on(reporter: PieceReporter) -> Callable[[], None]:
    """For whoever waits: go on, or raise ``Cancelled``."""
    return lambda: reporter.report(PAIRS, 0.0)


def composed_kernel(
    spec: Spec,
    choice: InfluenceSpec,
    content: Mapping[str, str],
    split: Split,
    ws: Workspace,
    reporter: PieceReporter,
    shares: tuple[float, float] = (0.0, 0.9),
) -> ComposedKernel:
    """The kernel of these images, from the store or computed now.

    Args:
        spec: names the images, with everything on which they depend; ``content`` hashes what it only names.
        choice: whose kernel is meant; its data are not looked at.
        split: the images.
        reporter: of the study's piece, which is told the fractions ``shares`` of it.

    Raises:
        ComputationError: the kernel is not finite.
        AtlasError: the images have no such kernel.
    """
    key = _key(spec, choice, content, ws)
    if ws.store.state(KIND, key) != "ready":
        pairs = split.train.n * (split.train.n + len(split.test_labels))
        reporter.expect(PAIRS, pairs, *shares)
        identity = identity_of(spec, COMPOSED_METHOD.version, USES)
        with ws.store.draft(KIND, key, identity, waiting=going_on(reporter)) as draft:
            if draft is not None:
                one_device(draft, reporter, ("k_train", "k_test", "k_train-notes", "k_test-notes"))
                made = fill_kernels(choice, split, draft, ws, reporter)
                put_array(draft, "f_train", made.f_train)
                put_array(draft, "f_test", made.f_test)
                draft.publish({"notes": sorted(made.notes), "device": reporter.device})
    reporter.tell(shares[1])
    stored = ws.store.open(KIND, key)
    k_train, k_test, f_train, f_test = (stored.read(name) for name in ("k_train", "k_test", "f_train", "f_test"))
    if not all(np.isfinite(values).all() for values in (k_train, k_test)):
        raise ComputationError("The kernel holds values that are not finite.", "Choose another network.")
    return ComposedKernel(k_train, k_test, f_train, f_test, split.train.targets.astype(np.float64))


def is_stored(spec: Spec, choice: InfluenceSpec, content: Mapping[str, str], ws: Workspace) -> bool:
    """Whether :func:`composed_kernel` has it already."""
    return ws.store.state(KIND, _key(spec, choice, content, ws)) == "ready"


def _key(spec: Spec, choice: InfluenceSpec, content: Mapping[str, str], ws: Workspace) -> str:
    weights = {} if choice.model is None else {"weights": weights_content(choice.model, ws.settings.weights_paths)}
    kernel = {"kernel": choice.model_dump_json(include=set(OF_KERNEL))}
    return key_of(KIND, COMPOSED_METHOD.version, spec, {**content, **weights, **kernel}, USES)


def require_untrained(spec: InfluenceSpec) -> None:
    """Refuse a kernel after training: a composed set is another set than the one the page's network is trained on.

    Raises:
        SpecError: with what to choose instead.
    """
    if spec.training is not None:
        epochs = f"{spec.training.epochs} epoch{'s' if spec.training.epochs > 1 else ''}"
        raise SpecError(
            f"The kernel chosen is that of a network after {epochs} on the page's own images, and these studies compose others.",
            "Take the kernel at initialisation or from pretrained weights: 0 epochs under “training”.",
        )


def forecast_study(
    spec: GroupStudySpec,
    sample: Dataset,
    n: int,
    test: int,
    ws: Workspace,
    *,
    kernels: int,
    solves: float,
    extra: Callable[[], float] = lambda: 0.0,
) -> Forecast:
    """What kernels of n training and ``test`` held-out images take, and the work on ``spec.repeats`` of them.

    Args:
        sample: some of the images.
        kernels: how many are not stored.
        solves: systems of n images solved on each kernel; each a decomposition at a finite time.
        extra: other seconds in all, asked only where it fits.
    """
    choice = spec.chosen(dataset={"name": sample.spec.name, "own": sample.spec.own, "n": max(4, n)}, test=max(1, test))
    rows = n * (sample.outputs if spec.kernel == "full" else 1)

    def stages() -> tuple[Stage, ...]:
        once = sum(stage.seconds for stage in influence_stages(choice, sample, ws) if stage.name == PAIRS)
        rate = regression_rate(ws) if spec.time is None else decomposition_rate(ws)
        work = spec.repeats * solves * rate * rows**3
        return (Stage(STUDY, "pieces", spec.repeats, kernels * once + work + extra()),)

    return needs(choice, sample, ws).forecast(stages, ws)


def time_of(spec: GroupStudySpec) -> float:
    """τ, ∞ where it says the end of training."""
    return inf if spec.time is None else spec.time


def right(outputs: np.ndarray, labels: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    """(groups,) share of each group's images (indices) that are classified as their labels (m,) say; NaN for a group without images."""
    hits = classes(outputs) == labels
    return np.array([hits[group].mean() if len(group) else np.nan for group in groups])
