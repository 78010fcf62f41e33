"""The analysis from specification to stored result, against the pieces it is made of."""

import numpy as np
import pytest
import scipy.stats
import torch
from recording import Recording

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.materials.network import TRAINING_METHOD, network
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_images, load_dataset
from ntkcore.errors import Cancelled, CorruptArtifact, DataError
from ntkcore.specs.learnability import LearnabilitySpec

SPEC = LearnabilitySpec.model_validate(
    {
        "dataset": {"classes": ("3", "5", "8"), "n": 300, "label_noise": 0.1},
        "model": {"width": 16, "depth": 1},
        "training": {"epochs": 3},
    }
)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def files_of(ws, spec):
    """Every byte of the arrays and documents of an analysis, by name; times and notes of the making are left out."""
    found = {}
    kernel = kernel_key(spec.kernel, ws)
    for kind, key in (*LEARNABILITY.artifacts(spec, ws), ("kernel", kernel), ("spectrum", kernel)):
        folder = ws.settings.cache_dir / "artifacts" / kind / key
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "arrays" in path.parts:
                found[kind, str(path.relative_to(folder))] = path.read_bytes()
    assert len(found) > 10
    return found


def explicit_scores(spec, ws, after=0):
    """k(x,x) by one backward pass per image and output, in float64, after some epochs of plain SGD in float32."""
    dataset = load_dataset(spec.dataset, ws.settings)
    module = network(spec.model, dataset, ws)
    inputs, targets = torch.from_numpy(dataset.inputs), torch.from_numpy(dataset.targets)
    optimiser = torch.optim.SGD(module.parameters(), lr=spec.training.learning_rate)
    for epoch in range(1, after + 1):
        order = np.random.default_rng([spec.training.seed, epoch]).permutation(dataset.n)
        for start in range(0, dataset.n, spec.training.batch_size):
            batch = order[start : start + spec.training.batch_size]
            optimiser.zero_grad()
            (0.5 * ((module(inputs[batch]) - targets[batch]) ** 2).sum() / spec.training.batch_size).backward()
            optimiser.step()
    module = module.double()
    scores = []
    for x in torch.from_numpy(dataset.inputs).double():
        total = 0.0
        outputs = module(x[None])[0]
        for output in outputs:
            gradients = torch.autograd.grad(output, list(module.parameters()), retain_graph=True)
            total += sum(float((g**2).sum()) for g in gradients)
        scores.append(total / len(outputs))
    return np.array(scores)


def test_result_is_what_the_definitions_say(ws):
    reporter = Recording()
    LEARNABILITY.compute(SPEC, ws, reporter)
    result = LEARNABILITY.open(SPEC, ws)
    # float32 gradients of a three-layer network: relative rounding of about 1e-6 an operation, a few hundred summed.
    np.testing.assert_allclose(result.score, explicit_scores(SPEC, ws), rtol=1e-4)
    assert result.outputs.shape == (4, 300, 3)
    correct = result.outputs.argmax(-1) == result.labels
    for image in range(300):
        wrong = np.flatnonzero(~correct[:, image])
        first = 0 if len(wrong) == 0 else wrong[-1] + 1
        assert result.learned[image] == (first if first < 4 else np.inf)
    assert result.correlation.rho == pytest.approx(scipy.stats.spearmanr(result.score, result.learned).statistic, abs=1e-12)
    assert result.correlation.low <= result.correlation.rho <= result.correlation.high
    assert (result.labels != result.true_labels).sum() == 30
    # The stored spectrum is that of a kernel whose diagonal is the score.
    spectrum = ws.store.open("spectrum", kernel_key(SPEC.kernel, ws))
    diagonal = (spectrum.read("vectors") ** 2) @ spectrum.read("values")
    np.testing.assert_allclose(diagonal, result.score, rtol=1e-4)
    assert {stage for stage, _ in reporter.reports} == set(reporter.stages)
    assert all(0 <= done <= reporter.stages[stage] + 1e-9 for stage, done in reporter.reports)


@pytest.mark.parametrize("stage", ["Training", "Scores k(x,x)", "Full kernel", "Spectrum", "Coupled dynamics", "Statistics"])
def test_cancelled_anywhere_it_goes_on_to_the_same_bytes(tmp_path, monkeypatch, stage):
    from ntkcore.settings import Settings

    whole, broken = Workspace(Settings(cache_dir=tmp_path / "whole")), Workspace(Settings(cache_dir=tmp_path / "broken"))
    LEARNABILITY.compute(SPEC, whole, Recording())
    with pytest.raises(Cancelled):
        LEARNABILITY.compute(SPEC, broken, Recording(stop_at=(stage, 1)))
    assert not LEARNABILITY.ready(SPEC, broken)
    LEARNABILITY.compute(SPEC, broken, Recording())
    assert files_of(broken, SPEC) == files_of(whole, SPEC)


def test_kernel_is_shared_between_trainings(ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    longer = SPEC.model_copy(update={"training": SPEC.training.model_copy(update={"epochs": 4})})
    reporter = Recording()
    LEARNABILITY.compute(longer, ws, reporter)
    kinds = [entry.kind for entry in ws.store.entries()]
    assert kinds.count("diagonal") == kinds.count("spectrum") == 1
    assert kinds.count("training") == 2
    np.testing.assert_array_equal(LEARNABILITY.open(longer, ws).outputs[:4], LEARNABILITY.open(SPEC, ws).outputs)


def test_kernel_after_training_is_of_the_trained_network(ws):
    later = SPEC.model_copy(update={"kernel_epoch": 2, "full_kernel": False})
    LEARNABILITY.compute(later, ws, Recording())
    LEARNABILITY.compute(SPEC, ws, Recording())
    later_result, first = LEARNABILITY.open(later, ws), LEARNABILITY.open(SPEC, ws)
    assert not np.allclose(later_result.score, first.score)
    np.testing.assert_array_equal(later_result.outputs, first.outputs)
    assert later_result.full is None
    # The oracle: explicit gradients of a network trained for two epochs by the training's own definition, written out again.
    np.testing.assert_allclose(later_result.score, explicit_scores(later, ws, after=2), rtol=1e-4)


@pytest.mark.parametrize("kind", ["training", "diagonal", "learnability"])
@pytest.mark.parametrize("harm", ["flip", "truncate", "delete"])
def test_a_damaged_tile_is_detected_recomputed_and_said(ws, kind, harm):
    LEARNABILITY.compute(SPEC, ws, Recording())
    before = files_of(ws, SPEC)
    key = dict(LEARNABILITY.artifacts(SPEC, ws))[kind]
    tiles = [p for p in (ws.settings.cache_dir / "artifacts" / kind / key).rglob("c/**/*") if p.is_file()]
    tile = max(tiles)
    content = bytearray(tile.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
        tile.write_bytes(content)
    elif harm == "truncate":
        tile.write_bytes(content[: len(content) // 2])
    else:
        tile.unlink()
    fresh = Workspace(ws.settings)
    with pytest.raises(CorruptArtifact) as caught:
        LEARNABILITY.open(SPEC, fresh)
    fresh.store.reopen(caught.value)
    assert not LEARNABILITY.ready(SPEC, fresh)
    LEARNABILITY.compute(SPEC, fresh, Recording())
    assert files_of(fresh, SPEC) == before
    assert any("damaged" in text for text in LEARNABILITY.open(SPEC, fresh).warnings)


def test_damage_met_while_computing_heals_itself(ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    key = dict(LEARNABILITY.artifacts(SPEC, ws))
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "diagonal" / key["diagonal"]).rglob("c/*") if p.is_file())
    tile.write_bytes(b"")
    other = SPEC.model_copy(update={"training": SPEC.training.model_copy(update={"epochs": 2})})
    fresh, reporter = Workspace(ws.settings), Recording()
    LEARNABILITY.compute(other, fresh, reporter)
    assert any("damaged" in text for text in reporter.warnings)
    np.testing.assert_allclose(LEARNABILITY.open(other, fresh).score, explicit_scores(SPEC, ws), rtol=1e-4)


def test_key_follows_the_content_of_an_own_set_and_the_specification(ws, tmp_path):
    ids = []
    for level in (10, 20):
        images = np.full((8, 8, 8), level, np.uint8) + np.arange(8, dtype=np.uint8)[:, None, None]
        np.savez(tmp_path / "set.npz", images=images, labels=np.arange(8) % 2)
        ids.append(import_images(tmp_path / "set.npz", ws.settings, name="same name").content_id)
    specs = [LearnabilitySpec.model_validate({"dataset": {"name": "own", "own": i, "n": 8}}) for i in ids]
    keys = {LEARNABILITY.key(spec, ws) for spec in (*specs, SPEC, SPEC.model_copy(update={"dtype": "float64"}))}
    assert len(keys) == 4


def test_a_draft_from_another_device_is_begun_anew(ws):
    with pytest.raises(Cancelled):
        LEARNABILITY.compute(SPEC, ws, Recording(stop_at=("Training", 700)))
    with ws.store.draft(
        "training", dict(LEARNABILITY.artifacts(SPEC, ws))["training"], identity_of(SPEC.run, TRAINING_METHOD.version, (TRAINING_METHOD,))
    ) as draft:
        draft.create("outputs", (4, 300, 3), "float32", (1, 300, 3))
        assert len(draft.missing("outputs")) < 4
        draft.put_json("made", {"device": "cuda"})
    reporter = Recording()
    LEARNABILITY.compute(SPEC, ws, reporter)
    assert any("another device" in text for text in reporter.warnings)
    assert LEARNABILITY.open(SPEC, ws).outputs.shape[0] == 4


def test_a_long_tile_can_be_cancelled_half_way(ws):
    """A kernel of one tile still reports on the way."""
    reporter = Recording()
    LEARNABILITY.compute(SPEC.model_copy(update={"model": SPEC.model.model_copy(update={"width": 64})}), ws, reporter)
    inside = [done for stage, done in reporter.reports if stage == "Scores k(x,x)" and 0 < done < 300]
    assert inside


def test_zero_epochs_and_no_kernel(ws):
    bare = LearnabilitySpec.model_validate(
        {"dataset": {"classes": ("0", "1"), "n": 20}, "model": {"width": 4}, "training": {"epochs": 0}, "full_kernel": False}
    )
    LEARNABILITY.compute(bare, ws, Recording())
    result = LEARNABILITY.open(bare, ws)
    assert result.outputs.shape == (1, 20, 1)


def test_more_images_than_there_are(ws):
    with pytest.raises(DataError) as caught:
        LEARNABILITY.compute(SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"n": 5000})}), ws, Recording())
    assert caught.value.remedy
