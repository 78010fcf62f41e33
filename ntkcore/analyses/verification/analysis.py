"""Verification: real retraining beside the kernel's prediction (IF-NTK Fig. 1, Table 1; SCIENCE §4).

A job of its own, since it takes minutes: every replica's outputs are stored as soon as its chunk is trained.
"""

import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError
from scipy import stats

from ntkcore.analyses.drafts import identity_of, one_device
from ntkcore.analyses.influence.analysis import InfluenceResult, influence_key, is_ready, open_influence
from ntkcore.analyses.materials.network import timed
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import IMAGES, RETRAINING, Reporter
from ntkcore.analyses.verification.forecast import descent, forecast_verification, network_of, rate_name, side_by_side, step_work
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import CorruptArtifact, SpecError, StoreError
from ntkcore.influence import actual_influence, retrain_chunks
from ntkcore.specs import InfluenceSpec, VerificationSpec, key_of

KIND = "verification"
VERSION = 2


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Retrained networks beside the kernel's prediction, for each of the r changes: an image left out, or the whole basket.

    Attributes:
        spec, key: what was asked for, and its key.
        actual, predicted: (r, m) rise of every held-out image's loss, by retraining and by the kernel, at the same λ and τ.
        outputs: (m, k) of the network trained on everything; ``expected`` (m, k) the kernel's.
        after, expected_after: (r, m, k) those after each change.
        targets: (m, k) of the held-out images.
        rate, steps: of gradient descent.
        seconds, device, created: how long, on what and when (UTC, ISO 8601).
    """

    spec: VerificationSpec
    key: str
    actual: np.ndarray
    predicted: np.ndarray
    outputs: np.ndarray
    expected: np.ndarray
    after: np.ndarray
    expected_after: np.ndarray
    targets: np.ndarray
    rate: float
    steps: int
    seconds: float
    device: str
    created: str

    def pairs(self, target: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Predicted and actual: of one held-out image over the changes, or (None) of all of them after the first change."""
        return (self.predicted[0], self.actual[0]) if target is None else (self.predicted[:, target], self.actual[:, target])

    def correlations(self, target: int | None) -> tuple[float, float]:
        """Pearson and Spearman of :meth:`pairs`; NaN where there are fewer than three or one of them does not vary."""
        x, y = self.pairs(target)
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return float("nan"), float("nan")
        return float(stats.pearsonr(x, y).statistic), float(stats.spearmanr(x, y).statistic)

    def error(self, target: int | None) -> float:
        """Median of |predicted - actual| / |actual| over :meth:`pairs`; NaN where nothing changed."""
        x, y = self.pairs(target)
        rates = np.abs(x - y)[y != 0] / np.abs(y)[y != 0]
        return float(np.median(rates)) if len(rates) else float("nan")

    def accuracies(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Share of the held-out images that are right before and after the first change: predicted, then actual."""
        return (
            (self._right(self.expected), self._right(self.expected_after[0])),
            (self._right(self.outputs), self._right(self.after[0])),
        )

    def _right(self, outputs: np.ndarray) -> float:
        if outputs.shape[1] == 1:
            return float(((outputs > 0) == (self.targets > 0)).mean())
        return float((outputs.argmax(1) == self.targets.argmax(1)).mean())


def verification_key(spec: VerificationSpec, ws: Workspace) -> str:
    """Key of the verification, which is also the id of its job."""
    return key_of(KIND, VERSION, spec, {"influence": influence_key(spec.influence, ws)})


def is_verified(spec: VerificationSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(KIND, verification_key(spec, ws)) == "ready"


def is_begun(spec: VerificationSpec, ws: Workspace) -> bool:
    """Whether some of it is stored, from a run that was cancelled or is under way."""
    return ws.store.state(KIND, verification_key(spec, ws)) == "partial"


def run_verification(spec: VerificationSpec, ws: Workspace, reporter: Reporter) -> None:
    """Retrain whatever is not stored yet; finished replicas stay when it is interrupted.

    Raises:
        AtlasError: the analysis is not computed, it cannot fit on this machine, or training diverged; says what to do.
        Cancelled: the user cancelled.
    """
    started = time.monotonic()
    if not is_ready(spec.influence, ws):
        raise SpecError("The influence analysis to verify is not computed.", "Compute it first.")
    result = open_influence(spec.influence, ws)
    forecast = forecast_verification(spec, ws)
    if forecast.refusal:
        raise SpecError(forecast.refusal, "Choose a narrower network, or fewer images.")
    reporter.plan(forecast.stages)
    split = load_split(spec.influence.dataset, spec.influence.test, ws)
    reporter.report(IMAGES, split.train.n + len(split.test_labels))
    rate, steps = descent(spec, result)
    key, replicas, y = verification_key(spec, ws), len(spec.changes) + 1, split.train.targets.astype(np.float64)
    given = _relabelled(spec, y, len(result.class_names))
    with ws.store.draft(KIND, key, identity_of(spec, VERSION), waiting=lambda: reporter.report(RETRAINING, 0)) as draft:
        if draft is None:
            return
        one_device(draft, reporter, ("outputs",))
        shape = (len(split.test_labels), split.train.outputs)
        known = {"targets": targets_of(split.test_labels, shape[1]), "expected": _expected(spec, result, given)}
        for name, values in known.items():
            draft.create(name, values.shape, "float64", values.shape)
            draft.write(name, (0,) * values.ndim, values)
        draft.create("outputs", (replicas, *shape), "float64", (1, *shape))
        missing = {tile[0] for tile in draft.missing("outputs")}
        model, x, z = network_of(spec, split.train, split, ws)
        work = len(missing) * steps * step_work(spec, split.train.n, split.train)
        with timed(ws, rate_name(spec, split.train), max(1.0, work)):
            for chunk in retrain_chunks(
                *(model, x, y.astype(np.float32), z, [() if given else images for images in spec.changes]),
                rate=rate,
                steps=steps,
                ridge=spec.ridge,
                targets={number: values.astype(np.float32) for number, values in given.items()},
                device=reporter.device,
                replicas=side_by_side(spec, reporter.device),
                skip=[number for number in range(replicas) if number not in missing],
                progress=lambda done, _: reporter.report(RETRAINING, done),
            ):
                for number, outputs in zip(chunk.replicas, chunk.test[:, 0], strict=True):
                    draft.write("outputs", (int(number), 0, 0), outputs[None].astype(np.float64))
        draft.publish({"seconds": time.monotonic() - started, "device": reporter.device, "rate": rate, "steps": steps})
    ws.store.evict()


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


def _expected(spec: VerificationSpec, result: InfluenceResult, given: dict[int, np.ndarray]) -> np.ndarray:
    """(r + 1, m, k) the kernel's outputs, replica by replica."""
    chosen = result.regression.with_ridge(spec.ridge)
    found = [chosen.predict(result.k_test, result.f_test, spec.time)]
    for number, images in enumerate(spec.changes, 1):
        if given:
            shift = chosen.relabel_shift(images, given[number][list(images)], result.k_test, spec.time)
        else:
            shift = chosen.group_shift(images, result.k_test, spec.time)
        found.append(found[0] + shift)
    return np.stack(found)


def open_verification(spec: VerificationSpec, ws: Workspace) -> Verification:
    """The stored verification, from memory when it is hot.

    Raises:
        CorruptArtifact: a stored tile is damaged; :func:`ntkcore.analyses.requests.repair` computes it again.
        StoreError: it is not stored.
    """
    artifact = ws.store.open(KIND, verification_key(spec, ws))

    def load() -> Verification:
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

    return ws.hot.get((KIND, artifact.key, artifact.info["created"]), load, lambda v: 4 * v.after.nbytes)


def measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Verification, ...]:
    """Every stored verification of an influence analysis, the newest first; the list is kept in memory until one is added or removed."""
    key = ("verification.measured", influence_key(spec, ws), ws.store.stamp(KIND))
    return ws.hot.get(key, lambda: _measured(spec, ws), lambda found: 1 + sum(4 * v.after.nbytes for v in found))


def _measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Verification, ...]:
    found = []
    for entry in ws.store.entries(KIND):
        with suppress(ValidationError, CorruptArtifact, StoreError, KeyError, TypeError):  # of an older version, damaged, just removed
            one = VerificationSpec.model_validate(entry.info["identity"]["spec"])
            if one.influence == spec and verification_key(one, ws) == entry.key:
                found.append(open_verification(one, ws))
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
