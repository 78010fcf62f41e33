"""The state of a training run: enough to go on from it byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from torch import Tensor, nn

from ntkcore.errors import DataError

_EPOCH = "epoch"
_MODEL = "model/"
_MOMENTUM = "momentum/"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A network and its optimiser after ``epoch`` epochs.

    Attributes:
        epoch: epochs done.
        arrays: copies of all parameters and buffers as ``model/<name>`` and of the momentum of each parameter as
            ``momentum/<name>`` (without momentum there are none).
    """

    epoch: int
    arrays: Mapping[str, NDArray]

    def to_bytes(self) -> bytes:
        """The state in safetensors format. Equal states give equal bytes."""
        # The epoch is a tensor: several metadata entries would be written in no fixed order.
        return save({_EPOCH: np.array(self.epoch, dtype=np.int64), **self.arrays})

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrainingState":
        """The state that :meth:`to_bytes` wrote.

        Raises:
            DataError: ``data`` is damaged or is something else.
        """
        try:
            arrays = load(data)
        except (SafetensorError, ValueError, KeyError) as error:
            raise DataError("A saved training state is damaged.", "Delete it and train again from the start.") from error
        epoch = arrays.pop(_EPOCH, None)
        known = all(key.startswith((_MODEL, _MOMENTUM)) for key in arrays)
        if epoch is None or epoch.shape != () or epoch.dtype != np.int64 or epoch < 0 or not known:
            raise DataError("A saved file is not a training state.", "Delete it and train again from the start.")
        return cls(int(epoch), arrays)

    def load_into(self, module: nn.Module) -> None:
        """Copies the parameters and buffers into ``module``, on its device.

        Raises:
            DataError: names, shapes or dtypes are not this module's.
        """
        _copy(self.arrays, _MODEL, module.state_dict())


def capture(epoch: int, module: nn.Module, momentum: Mapping[str, Tensor]) -> TrainingState:
    """A copy of the state of ``module`` and of the momentum of its parameters, on the CPU."""
    model = {f"{_MODEL}{name}": _array(value) for name, value in module.state_dict().items()}
    return TrainingState(epoch, model | {f"{_MOMENTUM}{name}": _array(value) for name, value in momentum.items()})


def restore_momentum(state: TrainingState, momentum: Mapping[str, Tensor]) -> None:
    """Copies the momentum in ``state`` into the given tensors.

    Raises:
        DataError: names, shapes or dtypes differ.
    """
    _copy(state.arrays, _MOMENTUM, momentum)


def _copy(arrays: Mapping[str, NDArray], prefix: str, target: Mapping[str, Tensor]) -> None:
    found = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    remedy = "Train again from the start."
    for name in sorted(found.keys() ^ target.keys()):
        raise DataError(f"The saved training state belongs to another network or training ({prefix}{name}).", remedy)
    with torch.no_grad():
        for name, tensor in target.items():
            value = torch.from_numpy(np.array(found[name]))
            if value.shape != tensor.shape or value.dtype != tensor.dtype:
                raise DataError(f"The saved training state has another shape or precision ({prefix}{name}).", remedy)
            tensor.copy_(value)


def _array(value: Tensor) -> NDArray:
    return np.array(value.detach().cpu().numpy(), order="C", copy=True)
