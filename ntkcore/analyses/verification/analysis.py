"""Verification: real retraining beside the kernel's prediction (IF-NTK Fig. 1, Table 1; SCIENCE §4).

A job of its own, since it takes minutes: every replica's outputs are stored as soon as its chunk is trained.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from pydantic import ValidationError

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.drafts import one_device
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.basket import added
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.influence.views import INFLUENTIAL
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, timed
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import IMAGES, RETRAINING, Planned, Reporter
from ntkcore.analyses.verification import views
from ntkcore.analyses.verification.answer import sentence
from ntkcore.analyses.verification.forecast import descent, forecast_verification, network_of, rate_name, side_by_side, step_work
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import CorruptArtifact, SpecError, StoreError
from ntkcore.influence import Schedule, actual_influence, retrain_chunks
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec, InfluenceView, VerificationSpec
from ntkcore.store import Artifact

LEADING = (INFLUENTIAL, 20, 10, 5)
"""The most influential images left out, where nobody says how many: the usual number, and fewer where those take long."""


def _relabelled(spec: VerificationSpec, targets: np.ndarray, classes: int) -> dict[int, np.ndarray]:
    """Targets (n, k) of the replicas whose images have another label; empty where images are left out."""
    if spec.label is None:
        return {}
    if spec.label >= classes:
        raise SpecError(f"There is no class {spec.label}.", f"Choose one from 0 to {classes - 1}.")
    found = {number: targets.copy() for number in range(1, len(spec.changes) + 1)}
    for number, images in enumerate(spec.changes, 1):
        found[number][list(images)] = targets_of(np.full(len(images), spec.label), targets.shape[1])
    return found


def _expected(spec: VerificationSpec, result: InfluenceResult, given: dict[int, np.ndarray], ws: Workspace) -> np.ndarray:
    """(r + 1, m, k) the kernel's outputs, change by change."""
    chosen = result.regression.with_ridge(spec.ridge)
    found = [chosen.predict(result.k_test, result.f_test, spec.time)]
    for number, images in enumerate(spec.changes, 1):
        if spec.added:
            held, new = ADDITION.open(AdditionSpec(influence=spec.influence), ws).values, list(images)
            shift = chosen.addition_shift(added(result, new, held), result.k_test, held[:, new], spec.time)
        elif given:
            shift = chosen.relabel_shift(images, given[number][list(images)], result.k_test, spec.time)
        else:
            shift = chosen.group_shift(images, result.k_test, spec.time)
        found.append(found[0] + shift)
    return np.stack(found)


@dataclass(frozen=True, slots=True)
class _Trainings:
    """The trainings of a verification in the order of its changes, the one of no change first.

    Attributes:
        x, y: what is learned by the training that lacks nothing.
        lacking: the samples that each after the retraining's first does without.
        places: for each of the retraining's replicas its place in the order of the changes.
    """

    x: torch.Tensor
    y: np.ndarray
    lacking: list[tuple[int, ...]]
    places: list[int]

    @classmethod
    def of(cls, spec: VerificationSpec, x: torch.Tensor, z: torch.Tensor, y: np.ndarray, y_held: np.ndarray) -> "_Trainings":
        """From the training samples and the held-out ones, each with their targets."""
        if spec.added:  # the retraining that lacks nothing is the one with the added images
            new = list(spec.added)
            return cls(torch.cat([x, z[new]]), np.concatenate([y, y_held[new]]), [tuple(range(len(x), len(x) + len(new)))], [1, 0])
        lacking = [() if spec.label is not None else images for images in spec.changes]
        return cls(x, y, lacking, list(range(len(lacking) + 1)))


class RetrainingWithout(Analysis[VerificationSpec, InfluenceView, Verification]):
    """Real retraining without some images or with others, beside the kernel's prediction."""

    kind, version, uses = "verification", 2, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = VerificationSpec, InfluenceView
    word = "verification: outputs of retrained networks"
    smaller = "Choose a narrower network, or fewer images."
    after = INFLUENCE

    def title(self, spec: VerificationSpec, ws: Workspace) -> str:
        """What is left out or added, of what."""
        deed = "with" if spec.added else "without" if spec.label is None else "with another label on"
        each = "" if spec.together or len(spec.removed) == 1 else "each of "
        count = len(spec.removed or spec.added)
        many = f"{count:,} {'more ' if spec.added else ''}image{'' if count == 1 else 's'}"
        wide = "" if spec.width is None else f", {spec.width:,} units"
        return f"Retraining {deed} {each}{many}{wide}, {describe_dataset(spec.influence.dataset, ws.settings)}"

    def content(self, spec: VerificationSpec, ws: Workspace) -> Mapping[str, str]:
        """The analysis whose prediction is verified."""
        return {"influence": INFLUENCE.key(spec.influence, ws)}

    def forecast(self, spec: VerificationSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.verification.forecast.forecast_verification`.

        Raises:
            SpecError: the influence analysis is not computed, or it would take too many steps.
        """
        if not INFLUENCE.ready(spec.influence, ws):
            raise SpecError("The influence analysis to verify is not computed.", "Compute it first.")
        return forecast_verification(spec, ws)

    def asked(self, spec: InfluenceSpec, view: InfluenceView, ws: Workspace) -> VerificationSpec:
        """Retraining without the images that influence the view's held-out image most, without its basket's, or with its ticked ones."""
        result = INFLUENCE.open(spec, ws)
        if view.check == "ticked" and view.deed == "add":
            return views.whole_basket(result, view)
        if view.check == "ticked":
            return views.ticked(result, view)
        return leading(result, view, Subject.of(Look.of(result, view.ridge, view.time, ws), view).target, ws)

    def shown(self, spec: VerificationSpec) -> tuple[InfluenceSpec, InfluenceView]:
        """The influence page at this λ and τ, on the same images."""
        return spec.influence, views.view_of(spec)

    def run(self, spec: VerificationSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Retrain whatever is not stored yet; finished replicas stay when it is interrupted.

        Raises:
            AtlasError: training diverged; says what to do.
            Cancelled: the user cancelled.
        """
        started = time.monotonic()
        result = INFLUENCE.open(spec.influence, ws)
        reporter.plan(self.forecast(spec, ws).stages)
        split = load_split(spec.influence.dataset, spec.influence.test, ws)
        reporter.report(IMAGES, split.train.n + len(split.test_labels))
        rate, steps = descent(spec, result)
        replicas, y = len(spec.changes) + 1, split.train.targets.astype(np.float64)
        given = _relabelled(spec, y, len(result.class_names))
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(RETRAINING, 0)) as draft:
            if draft is None:
                return
            one_device(draft, reporter, ("outputs",))
            shape = (len(split.test_labels), split.train.outputs)
            if spec.added and not ADDITION.ready(held := AdditionSpec(influence=spec.influence), ws):
                ADDITION.run(held, 0, ws, Planned(reporter))
            known = {"targets": targets_of(split.test_labels, shape[1]), "expected": _expected(spec, result, given, ws)}
            for name, values in known.items():
                draft.create(name, values.shape, "float64", values.shape)
                draft.write(name, (0,) * values.ndim, values)
            draft.create("outputs", (replicas, *shape), "float64", (1, *shape))
            missing = {tile[0] for tile in draft.missing("outputs")}
            model, x, z = network_of(spec, split.train, split, ws)
            trainings = _Trainings.of(spec, x, z, y, known["targets"])
            work = len(missing) * steps * step_work(spec, len(trainings.x), split.train)
            with timed(ws, rate_name(spec, split.train), max(1.0, work)):
                for chunk in retrain_chunks(
                    *(model, trainings.x, trainings.y.astype(np.float32), z, trainings.lacking),
                    Schedule(rate, steps, spec.ridge),
                    targets={number: values.astype(np.float32) for number, values in given.items()},
                    device=reporter.device,
                    replicas=side_by_side(spec, reporter.device),
                    skip=[number for number, place in enumerate(trainings.places) if place not in missing],
                    progress=lambda done, _: reporter.report(RETRAINING, done),
                ):
                    for number, outputs in zip(chunk.replicas, chunk.test[:, 0], strict=True):
                        draft.write("outputs", (trainings.places[number], 0, 0), outputs[None].astype(np.float64))
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device, "rate": rate, "steps": steps})
        ws.store.evict()

    def load(self, artifact: Artifact, spec: VerificationSpec, ws: Workspace) -> Verification:
        """The outputs of all replicas, beside the kernel's."""
        outputs, expected, y = (artifact.read(name) for name in ("outputs", "expected", "targets"))
        return Verification(
            spec=spec,
            key=artifact.key,
            actual=actual_influence(outputs[1:], outputs[0], y),
            predicted=actual_influence(expected[1:], expected[0], y),
            outputs=outputs[0],
            expected=expected[0],
            after=outputs[1:],
            expected_after=expected[1:],
            targets=y,
            rate=artifact.info["rate"],
            steps=artifact.info["steps"],
            seconds=artifact.info["seconds"],
            device=artifact.info["device"],
            created=artifact.info["created"],
        )

    def answer(self, result: Verification, view: InfluenceView, ws: Workspace) -> tuple[str, ...]:
        """How well the kernel's prediction and retraining agree."""
        names = INFLUENCE.open(result.spec.influence, ws).class_names
        return (sentence(result, views.target_shown(result, view), names),)

    def table(self, result: Verification, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
        """A row for each image left out, or (one change) for each held-out image: predicted and actual change of loss."""
        return views.table(result, view, ws)


VERIFICATION = RetrainingWithout()


def leading(result: InfluenceResult, view: InfluenceView, target: int, ws: Workspace) -> VerificationSpec:
    """As :func:`ntkcore.analyses.verification.views.leading`; where the view does not say how many, as many as ten minutes allow.

    That is told at the usual width of the network, so that another width leaves out the same images.

    Raises:
        SpecError: there is no network to retrain for this kernel.
    """
    counts = LEADING if view.leading is None else (view.leading,)
    wished = [views.leading(result, view.model_copy(update={"leading": count}), target, ws) for count in counts]
    usual = [spec if spec.width is None else views.at_width(spec, InfluenceView().verify) for spec in wished]
    return wished[usual.index(affordable(VERIFICATION, list(dict.fromkeys(usual)), ws))]


def measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Verification, ...]:
    """Every stored verification of an influence analysis, the newest first; the list is kept in memory until one is added or removed."""
    key = ("verification.measured", INFLUENCE.key(spec, ws), ws.store.stamp(VERIFICATION.kind))
    return ws.hot.get(key, lambda: _measured(spec, ws), lambda found: 1 + sum(4 * v.after.nbytes for v in found))


def _measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Verification, ...]:
    found = []
    for entry in ws.store.entries(VERIFICATION.kind):
        with suppress(ValidationError, CorruptArtifact, StoreError, TypeError):  # of an older version, damaged, just removed
            one = VerificationSpec.model_validate(entry.spec)
            if one.influence == spec and VERIFICATION.key(one, ws) == entry.key:
                found.append(VERIFICATION.open(one, ws))
    return tuple(sorted(found, key=lambda one: one.created, reverse=True))


def speaking(found: tuple[Verification, ...], ridge: float, time: float, target: int, width: int | None = None) -> Verification | None:
    """The verification that says most of one held-out image's influences: at this λ and τ, of this image, of this width, if there is one.

    Args:
        found: from :func:`measured`.
        ridge, time: λ and τ that are looked at.
        target: the held-out image.
        width: units of the two-layer network that is preferred; next to it, the widest.
    """
    able = [one for one in found if not one.spec.together and one.spec.label is None and not np.isnan(one.correlations(target)[0])]

    def merit(one: Verification) -> tuple[bool, bool, bool, int]:
        here = one.spec
        return (here.ridge, here.time) == (ridge, time), here.target == target, here.width == width, here.width or 0

    return max(able, key=merit, default=None)
