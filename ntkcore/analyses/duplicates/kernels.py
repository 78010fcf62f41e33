"""Kernels that are stored for the images among which copies are looked for: by them a network says which it cannot tell apart."""

from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.numbers.stored import specs_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.kernels.duplicates import Pairs, parallel_pairs
from ntkcore.specs import by_name, title_of
from ntkcore.specs.duplicates import DuplicatesSpec
from ntkcore.specs.influence import INFLUENCE_KERNELS, AdditionSpec, InfluenceSpec


@dataclass(frozen=True, slots=True)
class Known:
    """A stored result with a kernel of these images.

    Attributes:
        key: of the result.
        spec: what it is of.
        whole: whether the held-out images' kernel with each other is stored, too; without it, only training images are compared.
    """

    key: str
    spec: InfluenceSpec
    whole: bool

    @property
    def title(self) -> str:
        """The kernel, in words."""
        model, epochs = self.spec.model, self.spec.training.epochs if self.spec.training else 0
        at = "" if self.spec.kernel not in ("pseudo", "full") else f", after {epochs} epochs" if epochs else ", at initialisation"
        if model is None:
            return INFLUENCE_KERNELS[self.spec.kernel]
        width = "" if by_name(model.architecture) else f", width {model.width:,}"
        return f"{INFLUENCE_KERNELS[self.spec.kernel]}: {title_of(model.architecture)}{width}{at}"


def known_kernels(spec: DuplicatesSpec, ws: Workspace) -> list[Known]:
    """Influence results of the same images and as many held out (of none held out: any), the last used first."""
    found = []
    for asked in specs_of(INFLUENCE, spec.dataset, ws):
        if spec.test in (0, asked.test):
            whole = bool(spec.test) and ADDITION.ready(AdditionSpec(influence=asked), ws)
            found.append(Known(INFLUENCE.key(asked, ws), asked, whole))
    return found


def pairs_of(known: Known, spec: DuplicatesSpec, cosine: float, ws: Workspace) -> Pairs:
    """(p, 2) pairs of images whose cosine in the kernel is at least so large; held-out ones are numbered after the others.

    Raises:
        StoreError, CorruptArtifact: the result is gone or damaged.
    """
    artifact = ws.store.open(INFLUENCE.kind, known.key)
    addition = ADDITION.key(AdditionSpec(influence=known.spec), ws) if known.whole else ""

    def find() -> Pairs:
        kernel = artifact.read("k_train")
        if known.whole:
            across, held = artifact.read("k_test"), ws.store.open(ADDITION.kind, addition).read("k_held")
            transposed = across.transpose(1, 0, 3, 2) if across.ndim == 4 else across.T
            kernel = np.concatenate([np.concatenate([kernel, transposed], axis=1), np.concatenate([across, held], axis=1)])
        return parallel_pairs(kernel, cosine)

    return ws.hot.get(("duplicates", known.key, addition, cosine), find, lambda pairs: pairs.nbytes)
