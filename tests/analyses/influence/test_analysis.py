"""The influence analysis from specification to stored result, against the kernels and networks called by hand."""

from math import inf

import numpy as np
import pytest
import torch
from deletion_oracle import brute, matrix
from recording import Recording

from ntkcore.analyses import catalogue
from ntkcore.analyses.influence import base, views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.basket import effect
from ntkcore.analyses.influence.complexity import groups_of
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.noise import noise_share
from ntkcore.analyses.influence.paths import trajectory
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.materials import tiles as tiles_module
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.progress import IMAGES, PAIRS, SPECTRUM, TRAINING
from ntkcore.analyses.workspace import Workspace
from ntkcore.architecture import chain_of
from ntkcore.data import import_images
from ntkcore.errors import Cancelled, ComputationError, CorruptArtifact, DataError
from ntkcore.kernels import empirical_ntk, infinite_ntk, two_layer_relu_ntk
from ntkcore.linalg import eigh
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec, InfluenceView

DATA = {"classes": ("3", "5", "8"), "n": 14, "label_noise": 0.2}
NETWORK = {"architecture": "fcn", "width": 12, "depth": 1}
TRAINED = {"epochs": 2, "batch_size": 5, "learning_rate": 0.05}


def spec(kernel="two-layer", **values):
    base = {"dataset": DATA, "test": 6, "kernel": kernel}
    if kernel != "two-layer":
        base["model"] = NETWORK
    if kernel in ("pseudo", "full"):
        base |= {"training": TRAINED, "dtype": "float64"}
    return InfluenceSpec.model_validate(base | values)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def computed(chosen, ws):
    reporter = Recording()
    INFLUENCE.compute(chosen, ws, reporter)
    return INFLUENCE.open(chosen, ws), reporter


def folder_of(chosen, ws):
    return ws.settings.cache_dir / "artifacts" / "influence" / INFLUENCE.key(chosen, ws)


def files_of(chosen, ws):
    """Every byte of the arrays and documents."""
    folder = folder_of(chosen, ws)
    parts = ("arrays", "documents")
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and set(parts) & set(p.parts)}
    assert len(found) > 12
    return found


def trained_by_hand(chosen, split, ws):
    """Plain SGD on the mean of the batch's squared loss, in float32 as the analysis trains; then in the kernel's precision."""
    module = network(chosen.model, split.train, ws)
    inputs, targets = torch.from_numpy(split.train.inputs), torch.from_numpy(split.train.targets)
    if chosen.training is not None:
        size = chosen.training.batch_size
        optimiser = torch.optim.SGD(module.parameters(), lr=chosen.training.learning_rate)
        for epoch in range(1, chosen.training.epochs + 1):
            order = np.random.default_rng([chosen.training.seed, epoch]).permutation(split.train.n)
            for start in range(0, split.train.n, size):
                batch = order[start : start + size]
                optimiser.zero_grad()
                (0.5 * ((module(inputs[batch]) - targets[batch]) ** 2).sum() / size).backward()
                optimiser.step()
    return module.eval().to(getattr(torch, chosen.dtype))


def by_hand(chosen, ws):
    """Both kernels and both outputs, from the images and one call of the kernel's function each."""
    split = load_split(chosen.dataset, chosen.test, ws)
    x, z = split.train.inputs, split.test_inputs
    k = split.train.outputs
    zeros = np.zeros((len(x), k)), np.zeros((len(z), k))
    if chosen.kernel == "two-layer":
        x, z = (np.stack([image / np.sqrt((image**2).sum()) for image in values.astype(np.float64)]) for values in (x, z))
        return two_layer_relu_ntk(x), two_layer_relu_ntk(z, x), *zeros
    if chosen.kernel == "infinite":
        shape = (1, -1, 1, 1)
        mean, std = split.train.mean.reshape(shape), split.train.std.reshape(shape)
        x, z = ((values.astype(np.float64) - mean) / std for values in (x, z))
        chain = chain_of(chosen.model.architecture, k, chosen.model.width, chosen.model.depth)
        start = chosen.model.initialisation
        return infinite_ntk(chain, x, initialisation=start), infinite_ntk(chain, z, x, initialisation=start), *zeros
    module = trained_by_hand(chosen, split, ws)
    x, z = (torch.from_numpy(values).to(getattr(torch, chosen.dtype)) for values in (x, z))
    kernels = (empirical_ntk(module, *pair, outputs=chosen.kernel).values for pair in ((x,), (z, x)))
    with torch.no_grad():
        return *kernels, module(x).numpy(), module(z).numpy()


CASES = [
    spec("two-layer"),
    spec("infinite"),
    spec("infinite", model={"architecture": "fcn", "width": 12, "depth": 2, "initialisation": "he"}),
    spec("pseudo"),
    spec("pseudo", training=None, dtype="float32"),
    spec("full"),
    spec("full", training=None, dtype="float32"),
]
BINARY = [spec(kernel, dataset=DATA | {"classes": ("3", "8")}) for kernel in ("two-layer", "infinite", "pseudo", "full")]


@pytest.mark.parametrize("chosen", [*CASES, *BINARY], ids=lambda s: f"{s.kernel}-{s.dtype}-{len(s.dataset.classes)}-{bool(s.training)}")
def test_a_result_is_what_the_definitions_say(ws, chosen):
    result, reporter = computed(chosen, ws)
    k_train, k_test, f_train, f_test = by_hand(chosen, ws)
    artifact = ws.store.open("influence", result.key)
    stored = artifact.read("k_train")
    k = 1 if len(chosen.dataset.classes) == 2 else 3
    assert stored.shape == ((14, 14, k, k) if chosen.kernel == "full" else (14, 14))
    assert result.k_test.shape == ((6, 14, k, k) if chosen.kernel == "full" else (6, 14))
    # One and the same function on the same images: only blocks of other sizes, and a training whose sums have another order, differ.
    # Training is in float32: a unit of 6e-8, some hundred operations a number; without it, the unit of the kernel's own precision.
    unit = 1e-12 if chosen.training is None and stored.dtype == np.float64 else 2e-5
    np.testing.assert_allclose(stored, k_train, atol=unit * np.abs(k_train).max(), rtol=0)
    np.testing.assert_allclose(result.k_test, k_test, atol=unit * np.abs(k_train).max(), rtol=0)
    np.testing.assert_allclose(result.f_train, f_train, atol=1e-5)
    np.testing.assert_allclose(result.f_test, f_test, atol=1e-5)

    symmetric = matrix(stored.astype(np.float64))
    symmetric = (symmetric + symmetric.T) / 2
    values, vectors = artifact.read("values"), artifact.read("vectors")
    assert (np.diff(values) >= 0).all()
    # Backward error of LAPACK's eigenvectors: a small multiple of N times the unit of float64, relative to the largest eigenvalue.
    np.testing.assert_allclose((vectors * values) @ vectors.T, symmetric, atol=1e-13 * len(values) * values[-1])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(values)), atol=1e-13 * len(values))
    np.testing.assert_array_equal(result.regression.eigen[0], np.maximum(values, 0))
    assert result.regression.ridge == 0 and result.regression.k == k and result.regression.blocks == (chosen.kernel == "full")

    closed = chosen.kernel in ("two-layer", "infinite")
    assert (result.parameters is None) == closed
    if not closed:
        assert result.parameters == 64 * 12 + 12 + 12 * k + k
    assert (result.epoch is None) == (chosen.training is None)
    if chosen.training is not None:
        assert result.epoch == pytest.approx(0.05 / 5)  # SCIENCE: learning rate over batch size, without momentum
    assert result.doctor.sound and result.doctor.columns == len(values)
    assert set(reporter.stages) == {IMAGES, PAIRS, SPECTRUM, *([TRAINING] if chosen.training else [])}
    assert {stage for stage, _ in reporter.reports} == set(reporter.stages)
    for stage, total in reporter.stages.items():
        done = [value for name, value in reporter.reports if name == stage]
        assert done == sorted(done) and done[-1] == pytest.approx(total), stage


def test_label_noise_concerns_the_training_images_only(ws):
    noisy, _ = computed(spec(), ws)
    clean, _ = computed(spec(dataset=DATA | {"label_noise": 0.0}), ws)
    assert (noisy.labels != noisy.true_labels).sum() == round(0.2 * 14)
    np.testing.assert_array_equal(noisy.true_labels, clean.labels)
    np.testing.assert_array_equal(noisy.test_labels, clean.test_labels)
    np.testing.assert_array_equal(noisy.k_test, clean.k_test)
    np.testing.assert_array_equal(noisy.regression.targets, np.eye(3)[noisy.labels])
    assert noisy.ids == clean.ids and noisy.test_ids == clean.test_ids and not set(noisy.ids) & set(noisy.test_ids)
    assert len(noisy.ids) == 14 and len(noisy.test_ids) == 6 and noisy.class_names == ("3", "5", "8")


def test_one_held_out_image(ws):
    result, _ = computed(spec(test=1), ws)
    look = Look(result, 0.01, inf, ws)
    subject = Subject.of(look, InfluenceView())
    assert subject.now.outputs.shape == (1, 3) and subject.target == 0
    assert subject.values.shape == (14,)
    assert len(groups_of(look).members) == 10
    assert noise_share(look).test_error.shape == (12,)


CANCELS = [
    *(("two-layer", stage) for stage in ((IMAGES, 1), (PAIRS, 1), (PAIRS, 230), (SPECTRUM, 0), (SPECTRUM, 1))),
    *(("full", stage) for stage in ((TRAINING, 1), (PAIRS, 1), (PAIRS, 230), (SPECTRUM, 0))),
    ("infinite", (PAIRS, 230)),
    ("pseudo", (TRAINING, 1)),
]


@pytest.mark.parametrize(("kernel", "stage"), CANCELS, ids=lambda part: part if isinstance(part, str) else f"{part[0]}-{part[1]}")
def test_cancelled_anywhere_it_goes_on_to_the_same_bytes(tmp_path, monkeypatch, kernel, stage):
    monkeypatch.setattr(base, "eigh", lambda matrix, waiting: waiting() or eigh(matrix))  # a small one would not ask in between
    chosen = spec(kernel)
    whole, broken = Workspace(Settings(cache_dir=tmp_path / "whole")), Workspace(Settings(cache_dir=tmp_path / "broken"))
    INFLUENCE.compute(chosen, whole, Recording())
    with pytest.raises(Cancelled):
        INFLUENCE.compute(chosen, broken, Recording(stop_at=stage))
    assert INFLUENCE.ready(chosen, broken) == (stage == (SPECTRUM, 1))  # that is told when all is stored
    INFLUENCE.compute(chosen, broken, Recording())
    assert files_of(chosen, broken) == files_of(chosen, whole)


@pytest.mark.parametrize(("kernel", "array", "before"), [("pseudo", "k_train", 0), ("full", "k_train", 0), ("pseudo", "k_test", 14 * 14)])
def test_finished_tiles_are_not_computed_again(ws, monkeypatch, kernel, array, before):
    monkeypatch.setattr(tiles_module, "TILE", 4)
    chosen, kept = spec(kernel), []
    with pytest.raises(Cancelled):
        INFLUENCE.compute(chosen, ws, Recording(stop_at=(PAIRS, before + 40)))
    drafts = ws.settings.cache_dir / "drafts" / "influence" / INFLUENCE.key(chosen, ws) / "arrays"
    done = {path: path.stat().st_mtime_ns for path in (drafts / array).rglob("c/**/*") if path.is_file()}
    assert 0 < len(done) < (16 if array == "k_train" else 8)

    def watching(values, waiting):
        kept.append({path: path.stat().st_mtime_ns for path in done})
        return eigh(values, waiting)

    monkeypatch.setattr(base, "eigh", watching)
    INFLUENCE.compute(chosen, ws, Recording())
    assert kept == [done]


@pytest.mark.parametrize("kernel", ["two-layer", "full"])
@pytest.mark.parametrize("array", ["k_train", "k_test", "vectors", "labels", "f_test"])
def test_damage_is_detected_repaired_and_said(ws, kernel, array):
    chosen = spec(kernel)
    INFLUENCE.compute(chosen, ws, Recording())
    before = files_of(chosen, ws)
    tile = next(path for path in (folder_of(chosen, ws) / "arrays" / array).rglob("c/**/*") if path.is_file())
    tile.write_bytes(tile.read_bytes()[:-5])
    fresh = Workspace(ws.settings)
    with pytest.raises(CorruptArtifact) as caught:
        INFLUENCE.open(chosen, fresh)
    assert caught.value.array == array
    job = catalogue.of(chosen).repair(caught.value, chosen, fresh)
    assert job.id == INFLUENCE.key(chosen, fresh) and not INFLUENCE.ready(chosen, fresh)
    catalogue.of(chosen).compute(chosen, fresh, Recording())
    assert files_of(chosen, fresh) == before
    assert any("damaged" in text for text in INFLUENCE.open(chosen, fresh).warnings)
    fresh.jobs.close()


def test_one_key_a_specification(ws):
    one = spec()
    different = [
        one,
        spec(test=7),
        spec(dataset=DATA | {"label_noise": 0.0}),
        spec(dataset=DATA | {"seed": 1}),
        *(spec(kernel) for kernel in ("infinite", "pseudo", "full")),
        spec("pseudo", training=None),
        spec("pseudo", dtype="float32"),
        spec("pseudo", training=TRAINED | {"epochs": 3}),
    ]
    assert len({INFLUENCE.key(chosen, ws) for chosen in different}) == len(different)
    for view in (InfluenceView(ridge=3.0), InfluenceView(time=2.5, target=3, basket=(1, 2), deed="relabel", label=1)):
        read, seen = ADDRESSES["influence"].read(ADDRESSES["influence"].write(one, view))
        assert INFLUENCE.key(read, ws) == INFLUENCE.key(one, ws) and seen == view  # λ and τ are looked at, not computed from


def test_a_second_request_is_the_same_job(ws):
    first, second = INFLUENCE.request(spec(), ws), INFLUENCE.request(spec(), ws)
    assert first.id == second.id == INFLUENCE.key(spec(), ws)
    assert len(ws.jobs.list(10)) == 1
    assert "Influence on Digits 3 | 5 | 8, 14 images, 20 % flipped · Infinite two-layer ReLU network" in first.title
    ws.jobs.close()


def test_computed_once(ws, monkeypatch):
    INFLUENCE.compute(spec(), ws, Recording())
    created = INFLUENCE.open(spec(), ws).created
    monkeypatch.setattr(base, "fill_kernels", None)  # would fail if it were called
    again = Recording()
    INFLUENCE.compute(spec(), ws, again)
    assert not again.stages and not again.reports  # nothing is read, so nothing is said to be
    assert INFLUENCE.open(spec(), ws).created == created and INFLUENCE.open(spec(), ws) is INFLUENCE.open(spec(), ws)


def test_a_training_that_diverges_is_refused_with_a_remedy(ws):
    with pytest.raises(ComputationError) as caught:
        INFLUENCE.compute(spec("pseudo", training=TRAINED | {"epochs": 40, "learning_rate": 30.0}), ws, Recording())
    assert "learning rate" in caught.value.remedy
    assert not any(entry.kind == "influence" for entry in ws.store.entries())


def test_too_few_images_for_both(ws):
    with pytest.raises(DataError) as caught:
        INFLUENCE.compute(spec(test=9000), ws, Recording())
    assert "9,000" in caught.value.message and "together" in caught.value.remedy


def own(ws, tmp_path, images, **values):
    """A data set of one's own, of two classes by turns; ``images`` (n, 8, 8) uint8."""
    np.savez(tmp_path / "set.npz", images=images.astype(np.uint8), labels=np.arange(len(images)) % 2)
    content = import_images(tmp_path / "set.npz", ws.settings, name="own").content_id
    return InfluenceSpec.model_validate({"dataset": {"name": "own", "own": content, "n": 8}, "test": 4} | values)


def random_images(n=12):
    return np.random.default_rng(0).integers(1, 256, (n, 8, 8))


def test_a_black_image_is_refused_with_a_remedy(ws, tmp_path):
    images = random_images()
    images[:3] = 0
    images[0, 0, 0] = 1  # one pixel is enough for a direction
    chosen = own(ws, tmp_path, images)
    for attempt in (lambda: INFLUENCE.forecast(chosen, ws), lambda: INFLUENCE.compute(chosen, ws, Recording())):
        with pytest.raises(DataError) as caught:
            attempt()
        assert "black" in caught.value.message and "another kernel" in caught.value.remedy
    INFLUENCE.compute(chosen.model_copy(update={"kernel": "infinite", "model": spec("infinite").model}), ws, Recording())


def duplicates(ws, tmp_path, **values):
    """Twelve images of which only three differ: among eight of them some repeat each other, whichever are drawn."""
    return own(ws, tmp_path, np.repeat(random_images(3), 4, axis=0), **values)


@pytest.mark.parametrize("values", [{}, {"kernel": "full", "model": NETWORK, "dtype": "float64"}], ids=["two-layer", "full"])
def test_duplicates_without_ridge_say_which_ridge_would_do(ws, tmp_path, values):
    chosen = duplicates(ws, tmp_path, **values)
    result, _ = computed(chosen, ws)
    endless, early = (Look(result, 0.0, time, ws) for time in (inf, 1.0))
    for ask in (
        endless.held,
        lambda: endless.influence(0),
        lambda: endless.without(0),
        lambda: groups_of(early),
        lambda: effect(early, InfluenceView(basket=(1,))),
    ):
        with pytest.raises(ComputationError) as caught:
            ask()
        assert "repeat each other" in caught.value.message
    least = float(caught.value.remedy.split("at least ")[1].split(",")[0])
    assert np.isfinite(Look(result, least, inf, ws).influence(0)).all()
    # A finite τ needs no ridge, and is as right as elsewhere.
    time = views.times(result)[12]
    kernel = ws.store.open("influence", result.key).read("k_train")
    residual = result.regression.targets - result.f_train
    found = Look(result, 0.0, time, ws).influence(0)
    y = 2.0 * result.test_labels[:1, None] - 1
    now = Look(result, 0.0, time, ws).held().outputs[:1]
    shift = brute(kernel, result.k_test[:1], residual, 1e-13, time)[0]  # the oracle divides by its eigenvalues
    expected = (np.square(now + shift - y).sum(1) - np.square(now - y).sum(1)) / 2
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    path = trajectory(endless, 0)
    assert np.isfinite(path.influence).all() and np.isfinite(path.loss).all() and inf not in path.times
