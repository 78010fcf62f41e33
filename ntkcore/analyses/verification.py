"""Verification: real leave-one-out retraining beside the kernel's prediction (IF-NTK Fig. 1, Table 1; SCIENCE §4).

A job of its own, since it takes minutes: every replica's outputs are stored as soon as its chunk is trained.
"""

import time
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from scipy import stats

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, sample_of
from ntkcore.analyses.influence import InfluenceResult, influence_key, is_ready, open_influence
from ntkcore.analyses.influence_kernel import prepared
from ntkcore.analyses.network import identity_of, network, one_device, timed
from ntkcore.analyses.progress import IMAGES, RETRAINING, Reporter, Stage
from ntkcore.analyses.split import Split, load_split, targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import SpecError
from ntkcore.influence import actual_influence, kernel_influence, retrain_chunks
from ntkcore.influence.retraining import CHUNK_BYTES
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.specs import VerificationSpec, key_of

KIND = "verification"
VERSION = 1
PAPER = {80_000: (0.9955, 0.9728), 40_000: (0.9866, 0.9565), 20_000: (0.9802, 0.9531), 10_000: (0.9766, 0.9341)}
"""Pearson and Spearman by width on MNIST 7 against 9, 5000 training images (IF-NTK Table 1)."""
_SAFETY = 8.0  # the largest stable rate over the one that is taken: nearer to it, units of a ReLU layer flip from step to step
_MOST_STEPS = 200_000
_REPLICAS = 4  # of a chunk between two writes, at most


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Retrained networks beside the kernel's prediction, for each image left out.

    Attributes:
        spec, key: what was asked for, and its key.
        actual, predicted: (r, m) influence on every held-out image, by retraining and by the kernel, at the same λ and τ.
        outputs: (m, k) of the network trained on all images; ``expected`` (m, k) the kernel's.
        rate, steps: of gradient descent.
        seconds, device, created: how long, on what and when (UTC, ISO 8601).
    """

    spec: VerificationSpec
    key: str
    actual: np.ndarray
    predicted: np.ndarray
    outputs: np.ndarray
    expected: np.ndarray
    rate: float
    steps: int
    seconds: float
    device: str
    created: str

    def correlations(self, target: int) -> tuple[float, float]:
        """Pearson and Spearman between prediction and truth over the images left out; NaN where one of them does not vary."""
        x, y = self.predicted[:, target], self.actual[:, target]
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return float("nan"), float("nan")
        return float(stats.pearsonr(x, y).statistic), float(stats.spearmanr(x, y).statistic)


def verification_key(spec: VerificationSpec, ws: Workspace) -> str:
    """Key of the verification, which is also the id of its job."""
    return key_of(KIND, VERSION, spec, {"influence": influence_key(spec.influence, ws)})


def is_verified(spec: VerificationSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(KIND, verification_key(spec, ws)) == "ready"


def descent(spec: VerificationSpec, result: InfluenceResult) -> tuple[float, int]:
    """Learning rate and steps for τ: an eighth of what is stable by the kernel's largest eigenvalue.

    Raises:
        SpecError: that would take too many steps.
    """
    largest = float(result.regression.eigen[0][-1]) + spec.ridge
    if spec.influence.kernel == "pseudo":
        largest *= result.regression.k  # the full kernel's largest eigenvalue may be k times the pseudo-NTK's
    steps = max(1, ceil(spec.time * largest * _SAFETY / 2))
    if steps > _MOST_STEPS:
        raise SpecError(
            f"Training to τ = {spec.time:g} at this kernel's largest stable rate would take {steps:,} steps.", "Choose an earlier time."
        )
    return spec.time / steps, steps


def forecast_verification(spec: VerificationSpec, ws: Workspace) -> Forecast:
    """What retraining will take here, from a few measured steps the first time."""
    sample = sample_of(spec.influence.dataset, ws)
    result = open_influence(spec.influence, ws)
    n, m, k = len(result.labels), len(result.test_labels), result.regression.k
    _, steps = descent(spec, result)
    rate = ws.rates.get(_rate_name(spec, sample), lambda: _probe(spec, sample, ws))
    assert rate is not None  # a probe was given
    seconds = rate * (len(spec.removed) + 1) * steps * n
    stages = (Stage(IMAGES, "images", n + m, 0.2 + 1e-4 * (n + m)), Stage(RETRAINING, "steps", (len(spec.removed) + 1) * steps, seconds))

    def memory(count: int) -> int:
        return BASE_MEMORY + 2 * CHUNK_BYTES["cpu"] + 8 * 4 * count * (count + m)

    return Needs(n, memory, lambda _: 8 * (len(spec.removed) + 1) * (m + n) * k + 2**16).forecast(lambda: stages, ws)


def run_verification(spec: VerificationSpec, ws: Workspace, reporter: Reporter) -> None:
    """Retrain whatever is not stored yet; finished replicas stay when it is interrupted.

    Raises:
        AtlasError: the analysis is not computed, or training diverged; says what to do.
        Cancelled: the user cancelled.
    """
    started = time.monotonic()
    if not is_ready(spec.influence, ws):
        raise SpecError("The influence analysis to verify is not computed.", "Compute it first.")
    result = open_influence(spec.influence, ws)
    reporter.plan(forecast_verification(spec, ws).stages)
    split = load_split(spec.influence.dataset, spec.influence.test, ws)
    reporter.report(IMAGES, split.train.n + len(split.test_labels))
    rate, steps = descent(spec, result)
    key, replicas = verification_key(spec, ws), len(spec.removed) + 1
    with ws.store.draft(KIND, key, identity_of(spec, VERSION), waiting=lambda: reporter.report(RETRAINING, 0)) as draft:
        if draft is None:
            return
        one_device(draft, reporter, ("outputs",))
        shape = (len(split.test_labels), split.train.outputs)
        draft.create("outputs", (replicas, *shape), "float64", (1, *shape))
        missing = {tile[0] for tile in draft.missing("outputs")}
        skip = [number for number in range(replicas) if number not in missing]
        model, x, z = _network(spec, split.train, split, ws)
        with timed(ws, _rate_name(spec, split.train), max(1, len(missing) * steps * split.train.n)):
            for chunk in retrain_chunks(
                *(model, x, split.train.targets.astype(np.float32), z, [[image] for image in spec.removed]),
                rate=rate,
                steps=steps,
                ridge=spec.ridge,
                device=reporter.device,
                replicas=_REPLICAS if spec.width is None else None,
                skip=skip,
                progress=lambda done, _: reporter.report(RETRAINING, done),
            ):
                for number, outputs in zip(chunk.replicas, chunk.test[:, 0], strict=True):
                    draft.write("outputs", (int(number), 0, 0), outputs[None].astype(np.float64))
        draft.publish({"seconds": time.monotonic() - started, "device": reporter.device, "rate": rate, "steps": steps})
    ws.store.evict()


def open_verification(spec: VerificationSpec, ws: Workspace) -> Verification:
    """The stored verification with the kernel's prediction beside it, from memory when it is hot."""
    artifact = ws.store.open(KIND, verification_key(spec, ws))
    return ws.hot.get((KIND, artifact.key, artifact.info["created"]), lambda: _load(spec, ws), lambda v: 2 * v.actual.nbytes)


def _load(spec: VerificationSpec, ws: Workspace) -> Verification:
    artifact, result = ws.store.open(KIND, verification_key(spec, ws)), open_influence(spec.influence, ws)
    outputs = artifact.read("outputs")
    chosen = result.regression.with_ridge(spec.ridge)
    y = targets_of(result.test_labels, chosen.k)
    predicted = kernel_influence(chosen, result.k_test, y, spec.time, result.f_test)[list(spec.removed)]
    return Verification(
        spec=spec,
        key=artifact.key,
        actual=actual_influence(outputs[1:], outputs[0], y),
        predicted=predicted,
        outputs=outputs[0],
        expected=chosen.predict(result.k_test, result.f_test, spec.time),
        rate=artifact.info["rate"],
        steps=artifact.info["steps"],
        seconds=artifact.info["seconds"],
        device=artifact.info["device"],
        created=artifact.info["created"],
    )


def _network(
    spec: VerificationSpec, train: Dataset, split: Split | None, ws: Workspace
) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """The network at θ0 with its training and held-out samples."""
    test = train.inputs[:1] if split is None else split.test_inputs
    if spec.width is None:
        assert spec.influence.model is not None
        return network(spec.influence.model, train, ws).eval(), torch.from_numpy(train.inputs), torch.from_numpy(np.ascontiguousarray(test))
    x, z = (torch.from_numpy(prepared(spec.influence, inputs, train)).float().flatten(1) for inputs in (train.inputs, test))
    return TwoLayerReLU(x.shape[1], spec.width, spec.kappa, spec.seed, outputs=train.outputs), x, z


def _rate_name(spec: VerificationSpec, train: Dataset) -> str:
    """Name of the remembered seconds for a replica's step and image."""
    model = spec.influence.model
    what = f"two-layer {spec.width}" if model is None else f"{model.architecture} {model.width} {model.depth}"
    return f"retraining {what} {'x'.join(map(str, train.inputs.shape[1:]))} {train.outputs}"


def _probe(spec: VerificationSpec, sample: Dataset, ws: Workspace) -> float:
    model, x, z = _network(spec, sample, None, ws)
    seconds = 0.0
    for _ in range(2):  # the first warms up
        started = time.monotonic()
        list(retrain_chunks(model, x, sample.targets.astype(np.float32), z, [[0]], rate=1e-6, steps=4, device=ws.device))
        seconds = time.monotonic() - started
    return seconds / (2 * 4 * len(x))
