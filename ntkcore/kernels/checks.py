"""What is refused before any kernel is computed, each with the reason and the remedy."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError, ModelError
from ntkcore.kernels.copies import copied, own


def as_samples(x: Tensor | np.ndarray, name: str = "x") -> Tensor:
    """``x`` (n, ...) as a tensor on its own device.

    Raises:
        DataError: not an array, no samples, or a value that is NaN, infinite or masked.
    """
    if isinstance(x, np.ndarray):
        x = _from_numpy(x, name)
    if not isinstance(x, Tensor):
        raise DataError(f"{name} is {type(x).__name__}, not an array.", "Give a numpy array or a torch tensor of shape (n, ...).")
    if x.layout != torch.strided or x.is_meta or x.is_quantized or x.is_nested:
        raise DataError(f"{name} is not an array with a value at each place.", "Give a dense array (x.to_dense(), x.dequantize()).")
    if type(x) is not Tensor:
        x = x.detach().as_subclass(Tensor)
    if x.is_floating_point() and x.itemsize == 1:  # few operations know these
        x = x.to(torch.float32)
    if x.dtype in (torch.uint16, torch.uint32, torch.uint64):  # nor these
        wide = x.to(torch.int64)
        if x.dtype == torch.uint64 and bool((wide < 0).any()):
            raise DataError(f"{name} holds whole numbers of 2^63 and more.", "Give smaller numbers (torch.int64).")
        x = wide
    if x.ndim < 2 or x.shape[0] == 0:
        raise DataError(f"{name} has the shape {tuple(x.shape)}: no samples in it.", "Give an array of shape (n, ...), n at least 1.")
    if (x.is_floating_point() or x.is_complex()) and not finite(x):
        _refuse_samples(~torch.isfinite(x).flatten(1).all(1), name, "contain NaN or infinite values", "Remove or repair these samples.")
    if x.is_inference():
        with torch.inference_mode(False):
            return x.clone()
    return x.detach() if x.requires_grad else x


def _from_numpy(x: np.ndarray, name: str) -> Tensor:
    """Of numbers in any order of bytes and in memory."""
    if x.dtype.kind not in "fiu":
        raise DataError(f"{name} holds {x.dtype} values, not numbers.", "Give an array of float32 or float64, or of integer tokens.")
    if isinstance(x, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(x)
        if hidden.any():
            bad = torch.from_numpy(hidden.reshape(len(x), -1).any(1))
            _refuse_samples(bad, name, "have values that are masked", "Fill these values (x.filled(...)) or leave these samples out.")
        x = np.ma.getdata(x)
    x = np.asarray(x)
    dtype = np.dtype(np.float64) if x.dtype.kind == "f" and x.dtype.itemsize > 8 else x.dtype.newbyteorder("=")
    if dtype != x.dtype or not x.dtype.isnative:
        x = x.astype(dtype)
    return torch.from_numpy(np.ascontiguousarray(x) if x.flags.writeable else x.copy(order="C"))


def _refuse_samples(bad: Tensor, name: str, what: str, remedy: str) -> None:
    raise DataError(f"{int(bad.sum())} of the {len(bad)} samples of {name} {what} (first: sample {int(bad.nonzero()[0, 0])}).", remedy)


def finite(x: Tensor) -> bool:
    """Whether all values are; where their sum is (one pass instead of four), they are."""
    total = (x.detach() if x.requires_grad else x).sum()
    return math.isfinite(abs(total.item())) or bool(torch.isfinite(x).all())


def as_batch(x: Tensor, like: Tensor) -> Tensor:
    """A piece of the samples on the model's device, in order in memory; floating point values in the model's dtype."""
    dtype = like.dtype if x.is_floating_point() else like.dtype.to_complex() if x.is_complex() else None
    return x.to(like.device, dtype).contiguous()


def placed(model: nn.Module, device: torch.device | str | None, dtype: torch.dtype | None = None) -> nn.Module:
    """The model on ``device`` in ``dtype``: itself where it is so already (or they are None), else a copy.

    Raises:
        ModelError: it is no network, or cannot be copied.
        DataError: there is no such device.
    """
    inner = getattr(model, "_orig_mod", model)  # a compiled model's hooks are those of the module inside
    if not isinstance(inner, nn.Module):
        raise ModelError(f"The network is {inner!r:.60}, not a torch module.", "Give an instance of torch.nn.Module.")
    if device is None and dtype is None:
        return inner
    target = None if device is None else _device(device)
    held = [*inner.parameters(), *inner.buffers()]
    here = target is None or all(t.device.type == target.type and target.index in (None, t.device.index) for t in held)
    precise = dtype is None or all(p.dtype in (dtype, dtype.to_complex()) for p in inner.parameters() if _numbers(p))
    if here and precise:
        return inner
    made = own_copy(inner)
    with torch.inference_mode(False), torch.no_grad():
        if target is not None:
            made.to(target)
        return made if dtype is None else made._apply(lambda t: t.to(_of(t, dtype)) if _numbers(t) else t)


def own_copy(model: nn.Module) -> nn.Module:
    """A copy with weights of its own, which are ordinary ones, also where the network's were made in inference mode.

    Raises:
        ModelError: it cannot be copied.
    """
    with torch.inference_mode(False), torch.no_grad():
        made = copied(model, own)
    if made is None:
        raise ModelError(
            f"The network ({type(model).__name__}) cannot be copied to another device, precision or mode.",
            "Convert it yourself (model.to), or give a network that copy.deepcopy can copy.",
        )
    return made


def _device(wish: torch.device | str) -> torch.device:
    try:
        found = torch.device(wish)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:  # torch says either
        raise DataError(f"There is no device {str(wish)!r} here.", "Choose another, such as cpu, or leave it out.") from error
    return found


def _numbers(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _of(tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
    return dtype.to_complex() if tensor.is_complex() else dtype


def check_model(model: nn.Module, *, complex_weights: bool = False) -> Tensor:
    """Refuse a network that has no well-defined kernel as it stands; returns a tensor on its device and in its (real) precision.

    Raises:
        ModelError: nothing to train, mixed or unsupported dtypes, several devices, values that are not finite, layers in training mode
            that are random or mix samples; complex weights, where they are not asked for.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained:
        raise ModelError("The network has no trainable parameters, so its kernel is zero.", "Set requires_grad on the parameters to study.")
    if any(nn.parameter.is_lazy(p) for p in model.parameters()):
        raise ModelError("The network has parameters that do not exist yet (lazy layers).", "Run it once on an example first.")
    if not complex_weights and any(p.is_complex() for p in model.parameters()):
        raise ModelError("The network has complex weights.", "Write them as pairs of real ones (torch.view_as_real).")
    dtypes = {p.dtype.to_real() if p.is_complex() else p.dtype for p in model.parameters() if _numbers(p)}
    if len(dtypes) != 1 or not dtypes <= {torch.float32, torch.float64}:
        names = ", ".join(sorted(str(d).removeprefix("torch.") for d in dtypes))
        raise ModelError(f"The network's parameters are {names}.", "Convert it to one precision by model.float() or model.double().")
    if len({p.device for p in model.parameters()}) != 1:
        raise ModelError("The network's parameters are on several devices.", "Move it to one device.")
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if _numbers(value) and not finite(value):
            raise ModelError(
                f"The network's {name!r} contains NaN or infinite values.",
                "Train again with a smaller learning rate, or reload the weights.",
            )
    for name, module in model.named_modules():
        reason = _unfit(module)
        if reason:
            remedy = "Call model.eval() first." if "training mode" in reason else "Replace the layer or change this option."
            raise ModelError(f"The layer {name!r} ({type(module).__name__}) {reason}.", remedy)
    real = [p for p in trained if not p.is_complex()]
    return real[0] if real else torch.empty(0, dtype=trained[0].dtype.to_real(), device=trained[0].device)


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
