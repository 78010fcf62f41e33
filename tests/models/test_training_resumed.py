"""A training that was interrupted, cancelled or repeated comes to the same bytes."""

import hashlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import blobs, digest, small
from soaked import soaked

from ntkcore.errors import Cancelled, DataError
from ntkcore.models import TrainingState, build_model, train
from ntkcore.models.training import _deterministic
from ntkcore.specs import ModelSpec, TrainingSpec

ROOT = Path(__file__).resolve().parents[2]


WAYS = [(0.0, 0.0), (0.9, 0.0), (0.9, 1e-3)]  # momentum and weight decay
RESUMED = [(architecture, *way) for architecture in ("cnn3", "resnet20", "fcn", "wrn16") for way in WAYS]
FEW = [("cnn3", *way) for way in WAYS] + [(architecture, *WAYS[-1]) for architecture in ("resnet20", "fcn", "wrn16")]


@pytest.mark.parametrize(("architecture", "momentum", "decay"), soaked(RESUMED, *FEW))
def test_resumed_training_is_byte_identical(architecture, momentum, decay):
    inputs, targets = blobs(21)
    spec = TrainingSpec(epochs=4, learning_rate=0.02, batch_size=4, momentum=momentum, weight_decay=decay)
    whole = digest(train(small(architecture), inputs, targets, spec))
    assert [entry[0] for entry in whole] == [0, 1, 2, 3, 4]
    for stop in (0, 1, 3, 4):
        other = build_model(
            ModelSpec(architecture=architecture, width=None if "resnet" in architecture else 6, seed=9), input_shape=(1, 8, 8), outputs=3
        )
        state = TrainingState.from_bytes(whole[stop][2])
        assert digest(train(other, inputs, targets, spec, resume=state)) == whole[stop + 1 :]


def test_a_state_of_another_training_is_refused():
    inputs, targets = blobs()
    plain = next(train(small(), inputs, targets, TrainingSpec(epochs=1))).state
    with pytest.raises(DataError, match="momentum/"):
        train(small(), inputs, targets, TrainingSpec(epochs=1, momentum=0.5), resume=plain)
    with pytest.raises(DataError):
        train(small("fcn"), inputs, targets, TrainingSpec(epochs=1), resume=plain)


def test_cancelled_at_any_call():
    inputs, targets = blobs(20)
    spec = TrainingSpec(epochs=2, learning_rate=0.01, batch_size=8)
    total = []
    list(train(small(), inputs, targets, spec, progress=lambda *_: total.append(1)))
    assert len(total) == 3 + 2 * 3  # an evaluation is one pass here, an epoch three steps
    for stop in range(1, len(total) + 1):
        module, calls = small("resnet20"), []

        def cancel(done, _total, calls=calls, stop=stop):
            calls.append(done)
            if len(calls) == stop:
                raise Cancelled

        with pytest.raises(Cancelled):
            list(train(module, inputs, targets, spec, progress=cancel))
        assert len(calls) == stop
        assert not any(part.training for part in module.modules())


def training_digest():
    """Hash of all outputs and states of short trainings; the source of this function also runs in a fresh process."""
    generator = np.random.default_rng(0)
    inputs = generator.random((40, 1, 28, 28), dtype=np.float32)
    targets = generator.standard_normal((40, 2)).astype(np.float32)
    result = hashlib.sha256()
    for architecture in ("cnn4", "fcn", "resnet20"):
        model = build_model(ModelSpec(architecture=architecture), input_shape=(1, 28, 28), outputs=2)
        for record in train(model, inputs, targets, TrainingSpec(epochs=1, momentum=0.5)):
            result.update(record.outputs.tobytes() + record.state.to_bytes())
    return result.hexdigest()


def test_twice_here_and_in_a_fresh_process_with_as_many_threads_the_bytes_are_the_same():
    script = (
        "import hashlib, sys, torch, numpy as np\n"
        "from ntkcore.models import build_model, train\n"
        "from ntkcore.specs import ModelSpec, TrainingSpec\n"
        f"torch.set_num_threads({torch.get_num_threads()})\n{inspect.getsource(training_digest)}\nprint(training_digest())"
    )
    fresh = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert training_digest() == training_digest() == fresh.stdout.strip()


def test_on_a_gpu_the_exact_settings_hold_inside_and_the_callers_come_back():
    """The settings exist without a GPU, too."""

    def settings_now():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.allow_tf32,
        )

    before = settings_now()
    with pytest.raises(Cancelled), _deterministic("cuda:0"):
        assert settings_now() == (True, False, True, False, False)
        raise Cancelled
    assert settings_now() == before
    with _deterministic("cpu"):
        assert settings_now() == before
