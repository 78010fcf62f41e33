"""Training states: bytes and back, exactly; anything else is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.errors import DataError
from ntkcore.models import TrainingState
from ntkcore.models.state import capture, restore_momentum


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1))


def test_bytes_and_back():
    module = network()
    module[0].weight.data = module[0].weight.data.to(memory_format=torch.channels_last)  # not in C order
    momentum = {name: torch.rand_like(p) for name, p in module.named_parameters()}
    state = capture(7, module, momentum)
    data = state.to_bytes()
    assert data == state.to_bytes()
    back = TrainingState.from_bytes(data)
    assert back.epoch == 7
    assert back.to_bytes() == data
    fresh, zeros = network(), {name: torch.zeros_like(p) for name, p in module.named_parameters()}
    back.load_into(fresh)
    restore_momentum(back, zeros)
    assert all(torch.equal(value, module.state_dict()[name]) for name, value in fresh.state_dict().items())
    assert all(torch.equal(zeros[name], momentum[name]) for name in momentum)
    assert back.arrays["model/1.num_batches_tracked"].shape == ()


def test_a_state_is_a_copy():
    module = network()
    state = capture(0, module, {})
    before = state.arrays["model/3.bias"].copy()
    with torch.no_grad():
        module[3].bias.add_(1.0)
    assert np.array_equal(state.arrays["model/3.bias"], before)


def test_bytes_do_not_depend_on_the_order_of_the_names():
    arrays = {f"model/{name}": np.full(3, float(number)) for number, name in enumerate("abcdefgh")}
    assert TrainingState(1, arrays).to_bytes() == TrainingState(1, dict(reversed(arrays.items()))).to_bytes()


@pytest.mark.parametrize("spoil", [lambda b: b"", lambda b: b[:-1], lambda b: b"junk" * 100, lambda b: b"\xff" * 8 + b[8:]])
def test_damaged_bytes_are_refused(spoil):
    data = capture(1, network(), {}).to_bytes()
    with pytest.raises(DataError, match="damaged"):
        TrainingState.from_bytes(spoil(data))


def test_other_safetensors_files_are_refused():
    from safetensors.numpy import save

    for arrays in ({"weight": np.zeros(2)}, {"epoch": np.zeros(1)}, {"epoch": np.array(-1)}, {"epoch": np.array(1), "weight": np.zeros(2)}):
        with pytest.raises(DataError, match="not a training state"):
            TrainingState.from_bytes(save(arrays))


@pytest.mark.parametrize(
    "other",
    [nn.Linear(8, 1), nn.Sequential(nn.Conv2d(1, 2, 5), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1)), network().double()],
    ids=["names", "shapes", "precision"],
)
def test_another_network_is_refused(other):
    with pytest.raises(DataError, match="saved training state"):
        capture(1, network(), {}).load_into(other)
