"""Training against torch's own optimiser and gradient flow; determinism, resumption, cancelling, divergence."""

import numpy as np
import pytest
import torch
from small_trainings import blobs, digest, small
from torch import nn

from ntkcore.errors import ComputationError, SpecError
from ntkcore.learnability import full_decay
from ntkcore.models import TrainingState, epoch_time, evaluate, train
from ntkcore.models.training import CHUNK
from ntkcore.specs import TrainingSpec


def reference_training(module, inputs, targets, spec, merge_single=False):
    """SGD by torch.optim on the batch's summed loss over the nominal batch size, the same order of images."""
    optimiser = torch.optim.SGD(module.parameters(), lr=spec.learning_rate, momentum=spec.momentum, weight_decay=spec.weight_decay)
    x, y = torch.tensor(inputs).double(), torch.tensor(targets).double()
    n = len(x)
    size = spec.batch_size or n
    for epoch in range(1, spec.epochs + 1):
        order = np.random.default_rng([spec.seed, epoch]).permutation(n)
        batches = [order[start : start + size] for start in range(0, n, size)]
        if merge_single and len(batches[-1]) == 1:
            batches[-2:] = [np.concatenate(batches[-2:])]
        module.train()
        for batch in batches:
            optimiser.zero_grad()
            (0.5 * (module(x[batch]) - y[batch]).square().sum() / size).backward()
            optimiser.step()
        module.eval()
        yield module(x).detach().numpy()


@pytest.mark.parametrize(
    ("n", "batch_size", "momentum", "decay"),
    [
        (37, 8, 0.0, 0.0),
        (37, 8, 0.9, 0.0),
        (37, 8, 0.0, 0.1),
        (37, 8, 0.9, 0.03),
        (37, 0, 0.5, 0.03),
        (CHUNK + 40, 0, 0.0, 0.0),
        (CHUNK + 40, CHUNK + 9, 0.9, 0.01),
        (5, 32, 0.0, 0.1),
    ],
)
def test_steps_are_those_of_torch_optim(n, batch_size, momentum, decay):
    """Float64; the sums are taken in another order, so a few hundred roundings of 1e-16 apart."""
    inputs, targets = blobs(n)
    spec = TrainingSpec(epochs=3, learning_rate=0.1, batch_size=batch_size, momentum=momentum, weight_decay=decay, seed=4)
    ours = [r.outputs for r in train(small().double(), inputs, targets, spec)][1:]
    for mine, reference in zip(ours, reference_training(small().double(), inputs, targets, spec), strict=True):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, reference, rtol=1e-9, atol=1e-11)


def test_with_batch_norm_a_last_single_image_joins_the_batch_before():
    inputs, targets = blobs(9)
    spec = TrainingSpec(epochs=2, learning_rate=0.002, batch_size=4, weight_decay=0.05)
    ours = [r.outputs for r in train(small("resnet20").double(), inputs, targets, spec)][1:]
    for mine, reference in zip(ours, reference_training(small("resnet20").double(), inputs, targets, spec, merge_single=True), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-7, atol=1e-9)


def test_batch_norm_cannot_learn_from_single_images():
    inputs, targets = blobs(4)
    with pytest.raises(SpecError, match="one image at a time"):
        train(small("resnet20"), inputs, targets, TrainingSpec(batch_size=1))
    with pytest.raises(SpecError, match="one image at a time"):
        train(small("resnet20"), inputs[:1], targets[:1], TrainingSpec(batch_size=0))
    assert len(list(train(small(), inputs, targets, TrainingSpec(batch_size=1, epochs=1)))) == 2
    assert len(list(train(small("resnet20"), inputs, targets, TrainingSpec(batch_size=1, epochs=0)))) == 1


@pytest.mark.parametrize(("batch_size", "momentum"), [(0, 0.0), (3, 0.0), (0, 0.5)])
def test_a_linear_network_follows_the_full_decay(batch_size, momentum):
    """K = X Xᵀ exactly. With hλ ≤ c = 0.005 per epoch, a mode λ decays by 1 - hλ instead of exp(-hλ), which is at most c / 2e of
    the initial error apart (at hλt = 1). The order within an epoch and momentum's lag of a few epochs each add errors of
    order c. So 5c of the largest initial error is ample; a time that is off by a factor of 2 is off by 25 %."""
    generator = np.random.default_rng(0)
    n, d, k, c, epochs = 6, 9, 2, 0.005, 1000
    x, y = generator.standard_normal((n, d)), generator.standard_normal((n, k))
    values, vectors = np.linalg.eigh(x @ x.T)
    torch.manual_seed(0)
    module = nn.Linear(d, k, bias=False).double()
    rate = c / values.max() * (batch_size or n) * (1 - momentum)
    spec = TrainingSpec(epochs=epochs, learning_rate=rate, batch_size=batch_size, momentum=momentum)
    outputs = np.stack([r.outputs for r in train(module, x, y, spec)])[::50]
    measured = np.linalg.norm(outputs - y, axis=2)
    predicted = full_decay(values, vectors, outputs[0] - y, np.arange(0, epochs + 1, 50) * epoch_time(spec, n))
    np.testing.assert_allclose(measured, predicted, atol=5 * c * measured[0].max())
    wrong = full_decay(values, vectors, outputs[0] - y, np.arange(0, epochs + 1, 50) * 2 * epoch_time(spec, n))
    assert np.abs(measured - wrong).max() > 20 * c * measured[0].max()  # the tolerance can tell


def test_epoch_time():
    assert epoch_time(TrainingSpec(learning_rate=0.1, batch_size=32), 1000) == pytest.approx(0.1 / 32)
    assert epoch_time(TrainingSpec(learning_rate=0.1, batch_size=0), 1000) == pytest.approx(0.1 / 1000)
    assert epoch_time(TrainingSpec(learning_rate=0.1, batch_size=32, momentum=0.9), 1000) == pytest.approx(1 / 32)


def test_a_record_is_what_the_network_gives_in_eval_mode_and_stays():
    inputs, targets = blobs()
    module = small("resnet20")
    records = []
    for record in train(module, inputs, targets, TrainingSpec(epochs=2, learning_rate=0.01, batch_size=8)):
        assert not any(part.training for part in module.modules())
        assert np.array_equal(record.outputs, evaluate(module, inputs))
        records.append((record, record.outputs.copy(), record.state.to_bytes()))
    assert not np.array_equal(records[0][1], records[2][1])
    assert all(np.array_equal(record.outputs, outputs) and record.state.to_bytes() == data for record, outputs, data in records)


def test_progress_changes_nothing_rises_and_ends_at_the_total():
    inputs, targets = blobs(30)
    spec = TrainingSpec(epochs=3, learning_rate=0.01, batch_size=8)
    calls = []
    with_progress = digest(train(small(), inputs, targets, spec, progress=lambda done, total: calls.append((done, total))))
    assert with_progress == digest(train(small(), inputs, targets, spec))
    done = [d for d, _ in calls]
    assert done == sorted(set(done))
    assert {total for _, total in calls} == {done[-1]}
    resumed = []
    state = TrainingState.from_bytes(with_progress[1][2])
    list(train(small(), inputs, targets, spec, resume=state, progress=lambda d, _: resumed.append(d)))
    assert resumed == done[-len(resumed) :]


@pytest.mark.parametrize("rate", [4.0, 100.0])
def test_divergence_says_where_and_what_to_do(rate):
    inputs, targets = blobs()
    with pytest.raises(
        ComputationError, match=rf"diverged in epoch \d+ at the learning rate {rate:g}.*smaller learning rate, for example {rate / 4:.2g}"
    ):
        list(train(small("fcn"), inputs, targets, TrainingSpec(epochs=5, learning_rate=rate, batch_size=8)))


def test_outputs_that_are_no_numbers_before_training_are_not_blamed_on_the_rate():
    inputs, targets = blobs()
    with pytest.raises(ComputationError, match="before any training"):
        next(train(small(), np.full_like(inputs, np.nan), targets, TrainingSpec()))


def test_shapes_are_checked_before_anything_runs():
    inputs, targets = blobs()
    for wrong in (targets[:-1], targets[:, 0]):
        with pytest.raises(ValueError, match=r"^targets: "):
            train(small(), inputs, wrong, TrainingSpec())


def test_weight_decay_alone_shrinks_the_weights():
    """Where the outputs are the targets, the gradient is 0 and a step multiplies each weight by 1 - rate decay."""
    module = nn.Linear(3, 2).double()
    inputs = np.zeros((4, 3))
    with torch.no_grad():
        module.bias.zero_()
    before = module.weight.detach().clone()
    list(train(module, inputs, np.zeros((4, 2)), TrainingSpec(epochs=3, learning_rate=0.5, batch_size=2, weight_decay=0.1)))
    torch.testing.assert_close(module.weight.detach(), before * (1 - 0.5 * 0.1) ** 6, rtol=1e-12, atol=0)


def test_frozen_parameters_stay():
    inputs, targets = blobs()
    module = small()
    module.network[0].weight.requires_grad_(False)
    before = module.network[0].weight.clone()
    list(train(module, inputs, targets, TrainingSpec(epochs=1, momentum=0.5, weight_decay=0.1)))
    assert torch.equal(module.network[0].weight, before)


def test_evaluation_is_the_same_for_any_batch_and_leaves_the_mode():
    inputs, _ = blobs(23)
    module = small("resnet20").double().train()
    whole = evaluate(module, inputs)
    assert whole.shape == (23, 3)
    for size in (1, 7, 100):
        np.testing.assert_allclose(evaluate(module, inputs, size), whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(evaluate(module, torch.tensor(inputs)), whole, rtol=1e-12, atol=1e-13)
    assert all(part.training for part in module.modules())
    with pytest.raises(ValueError, match="batch_size"):
        evaluate(module, inputs, 0)
