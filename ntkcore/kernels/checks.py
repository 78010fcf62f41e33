"""What is refused before any kernel is computed, each with the reason and the remedy."""

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError, ModelError


def as_samples(x: Tensor | np.ndarray, name: str = "x") -> Tensor:
    """``x`` (n, ...) as a tensor on its own device.

    Raises:
        DataError: not an array, no samples, or a value that is NaN or infinite.
    """
    if isinstance(x, np.ndarray):
        if not (np.issubdtype(x.dtype, np.floating) or np.issubdtype(x.dtype, np.integer)):
            raise DataError(f"{name} holds {x.dtype} values, not numbers.", "Give an array of float32 or float64, or of integer tokens.")
        x = torch.from_numpy(np.ascontiguousarray(x) if x.flags.writeable else x.copy())
    if not isinstance(x, Tensor):
        raise DataError(f"{name} is {type(x).__name__}, not an array.", "Give a numpy array or a torch tensor of shape (n, ...).")
    if x.ndim < 2 or x.shape[0] == 0:
        raise DataError(f"{name} has the shape {tuple(x.shape)}: no samples in it.", "Give an array of shape (n, ...), n at least 1.")
    if x.is_floating_point() and not finite(x):
        bad = ~torch.isfinite(x).flatten(1).all(1)
        first = int(bad.nonzero()[0, 0])
        raise DataError(
            f"{int(bad.sum())} of the {len(x)} samples of {name} contain NaN or infinite values (first: sample {first}).",
            "Remove or repair these samples.",
        )
    return x.detach() if x.requires_grad else x


def finite(x: Tensor) -> bool:
    """Whether all values are; where their sum is (one pass instead of four), they are."""
    return math.isfinite((x.detach() if x.requires_grad else x).sum()) or bool(torch.isfinite(x).all())


def as_batch(x: Tensor, like: Tensor) -> Tensor:
    """A piece of the samples on the model's device; floating point values in the model's dtype."""
    return x.to(like.device, like.dtype if x.is_floating_point() else None)


def placed(model: nn.Module, device: torch.device | str | None) -> nn.Module:
    """The model on ``device``: itself where it is there already (or ``device`` is None), else a copy."""
    inner = getattr(model, "_orig_mod", model)  # a compiled model's hooks are those of the module inside
    if device is None:
        return inner
    target = torch.device(device)
    here = {parameter.device for parameter in inner.parameters()} | {buffer.device for buffer in inner.buffers()}
    same = all(d.type == target.type and target.index in (None, d.index) for d in here)
    return inner if same else copy.deepcopy(inner).to(target)


def check_model(model: nn.Module) -> Tensor:
    """Refuse a network that has no well-defined kernel as it stands; returns one of its trained parameters.

    Raises:
        ModelError: nothing to train, mixed or unsupported dtypes, several devices, values that are not finite, layers in training mode
            that are random or mix samples.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained:
        raise ModelError("The network has no trainable parameters, so its kernel is zero.", "Set requires_grad on the parameters to study.")
    if any(nn.parameter.is_lazy(p) for p in model.parameters()):
        raise ModelError("The network has parameters that do not exist yet (lazy layers).", "Run it once on an example first.")
    dtypes = {p.dtype for p in model.parameters() if p.is_floating_point()}
    if len(dtypes) != 1 or not dtypes <= {torch.float32, torch.float64}:
        names = ", ".join(sorted(str(d).removeprefix("torch.") for d in dtypes))
        raise ModelError(f"The network's parameters are {names}.", "Convert it to one precision by model.float() or model.double().")
    if len({p.device for p in model.parameters()}) != 1:
        raise ModelError("The network's parameters are on several devices.", "Move it to one device.")
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and not finite(value):
            raise ModelError(
                f"The network's {name!r} contains NaN or infinite values.",
                "Train again with a smaller learning rate, or reload the weights.",
            )
    for name, module in model.named_modules():
        reason = _unfit(module)
        if reason:
            remedy = "Call model.eval() first." if "training mode" in reason else "Replace the layer or change this option."
            raise ModelError(f"The layer {name!r} ({type(module).__name__}) {reason}.", remedy)
    return trained[0]


def _unfit(module: nn.Module) -> str | None:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        if module.running_mean is None:
            return "has no running statistics, so that each sample's output depends on the others"
        if module.training:
            return "is in training mode, where each sample's output depends on the others in its batch"
    if isinstance(module, nn.modules.instancenorm._InstanceNorm) and module.training and module.track_running_stats:
        return "is in training mode, where it changes its running statistics"
    if isinstance(module, nn.modules.dropout._DropoutNd) and module.training and module.p > 0:
        return "is in training mode, where it drops units at random"
    if isinstance(module, nn.RNNBase | nn.MultiheadAttention) and module.training and module.dropout > 0:
        return "is in training mode, where it drops units at random"
    if type(module).__name__ == "StochasticDepth" and module.training:
        return "is in training mode, where it skips layers at random"
    if isinstance(module, nn.RReLU) and module.training:
        return "is in training mode, where its slope is random"
    if isinstance(module, nn.Embedding) and module.scale_grad_by_freq:
        return "scales its gradients by how often a token occurs (scale_grad_by_freq), which is not the gradient of the output"
    return None
