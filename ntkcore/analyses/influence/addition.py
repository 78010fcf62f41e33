"""Adding held-out images with their labels: the kernel that it takes, made once; any choice of them is then an answer (SCIENCE §3, §5).

An influence result holds the kernel of training images with each other and with held-out ones. For held-out images to enter the training
set their kernel with each other is needed, too: for those that enter, and for the others whose prediction moves.
"""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.drafts import one_device
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence import answer
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.basket import Effect, addition
from ntkcore.analyses.influence.forecast import forecast_addition
from ntkcore.analyses.influence.kernel import fill_held
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import HeldKernel
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.progress import IMAGES, PAIRS, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import SpecError
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec, InfluenceView
from ntkcore.store import Artifact


class Addition(Analysis[AdditionSpec, InfluenceView, HeldKernel]):
    """What would be if some held-out images were learned, too, with their labels?"""

    kind, version, uses = "addition", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = AdditionSpec, InfluenceView
    word = "influence: kernel of held-out images with each other"
    smaller = "Hold out fewer images, or choose a kernel that serves all outputs."
    after = INFLUENCE

    def title(self, spec: AdditionSpec, ws: Workspace) -> str:
        """Of what."""
        return f"Kernel of {spec.influence.test:,} held-out images, {describe_dataset(spec.influence.dataset, ws.settings)}"

    def content(self, spec: AdditionSpec, ws: Workspace) -> Mapping[str, str]:
        """The analysis whose training set they enter."""
        return {"influence": INFLUENCE.key(spec.influence, ws)}

    def forecast(self, spec: AdditionSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.influence.forecast.forecast_addition`.

        Raises:
            SpecError: the influence analysis is not computed.
        """
        if not INFLUENCE.ready(spec.influence, ws):
            raise SpecError("The influence analysis whose training set the images would enter is not computed.", "Compute it first.")
        return forecast_addition(spec.influence, ws)

    def asked(self, spec: InfluenceSpec, view: InfluenceView, ws: Workspace) -> AdditionSpec:
        """One kernel serves every choice of images."""
        return AdditionSpec(influence=spec)

    def shown(self, spec: AdditionSpec) -> tuple[InfluenceSpec, InfluenceView]:
        """The influence page, where held-out images are added."""
        return spec.influence, InfluenceView(deed="add")

    def run(self, spec: AdditionSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever of the kernel is not stored yet; a network's finished tiles stay when it is interrupted.

        Raises:
            AtlasError: the training before a network's kernel diverged.
            Cancelled: the user cancelled; what is finished stays.
        """
        started = time.monotonic()
        reporter.plan(self.forecast(spec, ws).stages)
        split = load_split(spec.influence.dataset, spec.influence.test, ws)
        reporter.report(IMAGES, split.train.n + len(split.test_labels))
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(PAIRS, 0)) as draft:
            if draft is None:
                return
            one_device(draft, reporter, ("k_held", "k_held-notes"))
            notes = fill_held(spec.influence, split, draft, ws, reporter)
            draft.publish({"notes": sorted(notes), "seconds": time.monotonic() - started, "device": reporter.device})
        ws.store.evict()

    def load(self, artifact: Artifact, spec: AdditionSpec, ws: Workspace) -> HeldKernel:
        """The kernel."""
        told = {name: artifact.info[name] for name in ("created", "seconds", "device")}
        warnings = (*artifact.info["notes"], *artifact.info.get("repaired", ()))
        return HeldKernel(spec=spec, key=artifact.key, values=artifact.read("k_held"), warnings=warnings, **told)

    def answer(self, result: HeldKernel, view: InfluenceView, ws: Workspace) -> tuple[str, ...]:
        """What becomes of the other held-out images when the ticked ones are learned, too."""
        if not view.picked:
            return ("Name the held-out images that are to be added: picked.",)
        return (answer.addition_sentence(_effect(result, view, ws)),)

    def table(self, result: HeldKernel, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
        """A row for each held-out image that is not added: its loss and predicted class before and after."""
        found, base = _effect(result, view, ws), INFLUENCE.open(result.spec.influence, ws)
        rest = found.images
        return with_texts(
            pd.DataFrame(
                {
                    "image": rest,
                    "id": [base.test_ids[i] for i in rest],
                    "label": [base.class_names[label] for label in base.test_labels[rest]],
                    "loss": found.loss[rest],
                    "loss_after": found.loss_after[rest],
                    "predicted_after": [base.class_names[place] for place in found.predicted[rest]],
                }
            ),
            base.test_pack,
            ws,
        )

    def missing(self, result: HeldKernel, view: InfluenceView) -> str:
        """Held-out images that do not exist."""
        m = len(result.values)
        return f"There is no held-out image {max(view.picked):,}: they are 0 to {m - 1:,}." if max(view.picked, default=0) >= m else ""


ADDITION = Addition()


def _effect(result: HeldKernel, view: InfluenceView, ws: Workspace) -> Effect:
    base = INFLUENCE.open(result.spec.influence, ws)
    return addition(Look.of(base, view.ridge, view.time, ws), view, np.asarray(result.values))
