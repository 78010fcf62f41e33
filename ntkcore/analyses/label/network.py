"""The network of one moment of a session: trained on its labels, with its outputs and pseudo-NTK on everything of the session.

Source: Thesis ch. 2. Without any label it is the network at its initialisation.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from ntkcore.analyses.drafts import identity_of, one_device, put_array
from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, reading
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.memory import kernel_memory, parameters
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of, network
from ntkcore.analyses.materials.probes import kernel_rates, training_rate
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.materials.tiles import TILE, fill_kernel, inputs_of, kernel_pairs, ways_of
from ntkcore.analyses.progress import IMAGES, KERNEL, TRAINING, Reporter, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, load_pool, thumbnail_pack
from ntkcore.errors import ComputationError, CorruptArtifact, SpecError
from ntkcore.jobs import JobState
from ntkcore.models import evaluate, train
from ntkcore.specs import key_of, versions
from ntkcore.specs.label import LabelNetworkSpec, LabelSpec

KIND = "label-network"
_VERSION, _USES = 1, (KERNEL_METHOD, TRAINING_METHOD)


@dataclass(frozen=True, slots=True, eq=False)
class LabelNetwork:
    """A trained network as a session needs it; N = n items and those held out after them.

    Attributes:
        spec: its session, and the labels it was trained on.
        key: of its artifact.
        kernel: (N, N) float64, the pseudo-NTK where it was trained to.
        outputs: (N, k) its outputs there.
        given: (n,) class that an item came with, or -1.
        truth: (N,) class that the set knows, or -1.
        class_names: in the order of the outputs.
        ids: (n,) names of the items.
        pack: id of the items' thumbnails.
        agreed: share of the labels it was trained on that it gives itself; None without labels.
        right: share of those held out that it gives its class; None where none are.
    """

    spec: LabelNetworkSpec
    key: str
    kernel: np.ndarray
    outputs: np.ndarray
    given: np.ndarray
    truth: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    pack: str
    agreed: float | None
    right: float | None

    @property
    def n(self) -> int:
        """How many are labelled in the session."""
        return len(self.given)

    @property
    def ridge(self) -> float:
        """λ, absolute."""
        return self.spec.session.ridge * float(np.diagonal(self.kernel).mean())


def load_items(spec: LabelSpec, ws: Workspace, first: int | None = None) -> Dataset:
    """What is labelled, and after it what is held out. Raises as :func:`ntkcore.data.load_pool`."""
    drawn = spec.dataset.model_copy(update={"n": spec.dataset.n + spec.held})
    return load_pool(drawn, ws.settings, spec.more, first=first)


def key(spec: LabelNetworkSpec, ws: Workspace) -> str:
    """Key of its artifact, which is also the id of its job."""
    session = spec.session
    return _key(spec, tuple(content_of(session.dataset, session.model, ws).items()), tuple(versions(_USES).items()))


@lru_cache(maxsize=64)
def _key(spec: LabelNetworkSpec, content: tuple[tuple[str, str], ...], uses: tuple[tuple[str, int], ...]) -> str:
    """The key, which an answer asks for several times; ``uses``: the versions that it is for."""
    return key_of(KIND, _VERSION, spec, dict(content), _USES)


def is_ready(spec: LabelNetworkSpec, ws: Workspace) -> bool:
    """Whether it is stored."""
    return ws.store.state(KIND, key(spec, ws)) == "ready"


def forecast(spec: LabelNetworkSpec, ws: Workspace) -> Forecast:
    """What it takes on this machine.

    Raises:
        AtlasError: the data or the network cannot be had.
    """
    session = spec.session
    sample, size = load_items(session, ws, first=TILE), session.dataset.n + session.held
    tiles = kernel_memory("pseudo", session.model, "float32", sample, ws)
    weights, numbers = parameters(session.model, sample, ws), int(np.prod(sample.inputs.shape[1:]))

    def memory(n: int) -> int:
        return BASE_MEMORY + 24 * numbers * n + 32 * weights + tiles(n) + 8 * n * n

    return Needs(size, memory, lambda n: 4 * n * n + sample.pixels[0].size * n + 2**20).forecast(lambda: _stages(spec, sample, ws), ws)


def _stages(spec: LabelNetworkSpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    session, size, labelled = spec.session, spec.session.dataset.n + spec.session.held, len(spec.labelled)
    epochs = session.training.epochs if labelled else 0
    batch = session.training.batch_size or labelled
    rate = training_rate(session.training, session.model, max(labelled, batch), sample, ws) if epochs else 0.0
    pairs = kernel_pairs(size)
    seconds = kernel_rates("pseudo", session.model, "float32", sample, ws).seconds(size, pairs)
    return (
        reading(size),
        Stage(TRAINING, "images", max(epochs * labelled, 1), 0.05 + rate * epochs * labelled),
        Stage(KERNEL, "pairs", size * size, 0.05 + seconds),
    )


def request(spec: LabelNetworkSpec, ws: Workspace) -> JobState:
    """Ask for it as a job.

    Raises:
        AtlasError: it cannot be had, or does not fit on this machine.
    """
    found = forecast(spec, ws)
    if found.refusal:
        raise SpecError(found.refusal, "Choose fewer images, or a smaller network.")
    title = f"Network for labelling, {len(spec.labelled):,} labels"
    payload = {"spec": spec.model_dump(mode="json")}
    return ws.jobs.submit(KIND, key(spec, ws), payload, title, again=True, seconds=found.seconds)


def compute(spec: LabelNetworkSpec, ws: Workspace, reporter: Reporter) -> None:
    """Train it and take its kernel, unless it is stored; finished tiles of the kernel stay when it is interrupted.

    Raises:
        AtlasError: it cannot be had.
        Cancelled: the user cancelled.
    """
    started = time.monotonic()
    with ws.store.draft(KIND, key(spec, ws), identity_of(spec, _VERSION, _USES)) as draft:
        if draft is None:
            return
        session, dataset = spec.session, load_items(spec.session, ws)
        reporter.plan(_stages(spec, dataset, ws))
        n = session.dataset.n
        texts = None if dataset.texts is None else dataset.texts[:n]
        origin = None if dataset.origin is None else dataset.origin[:n]
        pack = thumbnail_pack(dataset.pixels[:n], ws.settings, texts, origin)
        reporter.report(IMAGES, dataset.n)
        one_device(draft, reporter, ("kernel", "kernel-notes"))
        module = network(session.model, dataset, ws)
        items = np.array([item for item, _ in spec.labelled], dtype=np.int64)
        labels = np.array([label for _, label in spec.labelled], dtype=np.int64)
        if len(items):  # seconds, and the same bytes when it is done again after an interruption
            targets = targets_of(labels, dataset.outputs).astype(np.float32)
            told = reporter.progress(TRAINING)
            for _ in train(module, dataset.inputs[items], targets, session.training, device=reporter.device, progress=told):
                pass
        module.eval().to(reporter.device)
        outputs = evaluate(module, dataset.inputs, device=reporter.device)
        if not np.isfinite(outputs).all():
            raise ComputationError("The network's outputs are not finite.", "Choose a smaller learning rate.")
        progress = _pairs(reporter, dataset.n)
        fill = partial(fill_kernel, draft, "kernel", module, inputs_of(dataset, "float32"), ways=ways_of(draft, module, ws))
        made = fill(outputs="pseudo", k=dataset.outputs, progress=progress)
        put_array(draft, "outputs", outputs.astype(np.float64))
        put_array(draft, "truth", dataset.true_labels)
        draft.put_json("items", {"ids": list(dataset.ids[:n]), "class_names": list(dataset.class_names), "pack": pack.id})
        draft.publish({"notes": sorted(made.notes), "seconds": time.monotonic() - started, "device": reporter.device})
    ws.store.evict()


def _pairs(reporter: Reporter, n: int) -> Callable[[float, float], None]:
    return lambda done, total: reporter.report(KERNEL, n * n * done / max(total, 1))


def open_network(spec: LabelNetworkSpec, ws: Workspace) -> LabelNetwork:
    """The stored network, from memory when it is hot.

    Raises:
        StoreError: it is not stored.
        CorruptArtifact: a stored tile is damaged; :func:`mend` makes it again.
    """
    artifact = ws.store.open(KIND, key(spec, ws))
    hot = (KIND, artifact.key, artifact.info["created"])

    def load() -> LabelNetwork:
        items, outputs, truth = artifact.json("items"), artifact.read("outputs"), artifact.read("truth")
        n, known = spec.session.dataset.n, given_of(spec.session, truth)
        answers = classes(outputs)
        labelled = [item for item, _ in spec.labelled]
        agreed = float(np.mean(answers[labelled] == [label for _, label in spec.labelled])) if labelled else None
        right = float(np.mean(answers[n:] == truth[n:])) if len(truth) > n else None
        kernel = artifact.read("kernel").astype(np.float64)
        names, ids = tuple(items["class_names"]), tuple(items["ids"])
        return LabelNetwork(spec, artifact.key, kernel, outputs, known, truth, names, ids, items["pack"], agreed, right)

    return ws.hot.get(hot, load, lambda found: found.kernel.nbytes + found.outputs.nbytes)


def given_of(spec: LabelSpec, truth: np.ndarray) -> np.ndarray:
    """(n,) class that an item comes with, or -1: of what the set knows (N,), the first ones in practice."""
    n = spec.dataset.n
    return np.where(np.arange(n) < spec.start, truth[:n], -1) if spec.practise else truth[:n]


def mend(damage: CorruptArtifact, spec: LabelNetworkSpec, ws: Workspace) -> JobState:
    """Take the damaged tile out of its artifact and ask for it to be made again."""
    ws.store.reopen(damage)
    return request(spec, ws)


def classes(outputs: np.ndarray) -> np.ndarray:
    """Class (m,) that outputs (m, k) are for; of one output the second where it is positive."""
    return np.asarray((outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1))
