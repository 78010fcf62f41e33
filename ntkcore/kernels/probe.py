"""What a few samples tell about a network: which operations use which parameters, exact norms."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import ModelError
from ntkcore.kernels.checks import as_batch
from ntkcore.kernels.features import squared_norms
from ntkcore.kernels.general import plain_gradients

TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-8}
"""Relative differences that rounding may explain on one sample."""

PROBED = 3
"""Samples that a network is looked at on: with two of them, axes of two look alike."""

_CHECKED = 2  # combinations of all outputs whose gradients are compared
REENTRANT = "Use checkpoint(..., use_reentrant=False)."
_LOOKED_AT = 64  # samples that tell what is usual
_UNUSUAL = 1e3  # times the size of most samples


def probes(x: Tensor, like: Tensor) -> list[Tensor]:
    """Samples (3, ...) on which a network is looked at, those to be tried first first.

    What is found on them is held for all samples: they are therefore like the samples ``x`` but like none of them, different from each
    other where all of ``x`` are equal, and in the range of their values. The last are samples of ``x``.
    """
    few = _usual(as_batch(x[:_LOOKED_AT], like))
    count = len(few)
    own = few[torch.arange(PROBED, device=few.device) % count].clone()
    draw = np.random.default_rng(0)
    rows = torch.from_numpy(draw.integers(0, count, (PROBED, *few.shape[1:]))).to(few.device)
    mixed = few.gather(0, rows)
    if not (few.is_floating_point() or few.is_complex()):  # tokens: each place has one of those that were there
        if bool((few == few[:1]).all()) and few.device.type == "cpu":  # a GPU ends the process where a token is out of its range
            mixed = torch.stack([sample.flatten().roll(shift).view_as(sample) for shift, sample in enumerate(own)])
        lower = mixed.clone()
        if few.dtype != torch.bool:
            lower[-1] //= 2  # no two rows have the same largest token
        return [lower, mixed, own]
    noise = torch.from_numpy(draw.standard_normal(mixed.shape)).to(mixed)
    if few.is_complex():
        return [own + (few.abs().max() / 10 + 0.1) * noise, own]
    low, high = few.min(), few.max()
    if low == high:  # blank
        return [mixed + noise / 2, own]
    return [(0.75 * own + 0.25 * mixed + 0.1 * (high - low) * noise).clamp(low, high), own]


def _usual(few: Tensor) -> Tensor:
    """Without samples so much larger than most that what they overflow would be held against the layers."""
    if not (few.is_floating_point() or few.is_complex()):
        return few
    sizes = few.abs().flatten(1).amax(1)
    seen = sizes[sizes > 0]
    return few[sizes <= _UNUSUAL * seen.median()] if len(seen) else few


def checking_seeds(outputs: Tensor) -> Tensor:
    """(c, k) fixed random combinations of the outputs (., k): every output, and so every head, takes part in each."""
    drawn = np.random.default_rng(0).standard_normal((min(outputs.shape[1], _CHECKED), outputs.shape[1]))
    return torch.from_numpy(drawn).to(outputs)


def reference_norms(model: nn.Module, values: Sequence[Tensor]) -> dict[str, Tensor]:
    """Plain autograd's squared norms (c, rows) of the gradients of :func:`checking_seeds`, per parameter.

    Args:
        model: the network.
        values: outputs (1, k) of each row's sample alone.

    Raises:
        ModelError: the outputs have no gradients.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    parameters = [p for _, p in named]
    norms = []
    try:
        for outputs in values:
            found = [plain_gradients(scalar, parameters) for scalar in checking_seeds(outputs) @ outputs[0]]
            norms.append([torch.stack([squared_norms(g[i].flatten()) for g in found]) for i in range(len(named))])
    except Exception as error:  # an operation may have any reason
        reentrant = "use_reentrant" in str(error)
        raise ModelError(
            f"The gradients of the network's outputs cannot be taken: {str(error).strip().splitlines()[0]}",
            REENTRANT if reentrant else "Replace the operation by one that can be differentiated and changes nothing in place.",
        ) from error
    return {name: torch.stack([row[i] for row in norms], 1) for i, (name, _) in enumerate(named)}


def activation_numbers(model: nn.Module, probe: Tensor) -> int:
    """Values that the layers without inner layers put out for one sample."""
    return sum(activation_sizes(model, probe))


def activation_sizes(model: nn.Module, probe: Tensor) -> list[int]:
    """For each layer without inner layers, the values that it puts out for one sample, in the order of a pass."""
    sizes: list[int] = []

    def note(module: nn.Module, args: object, output: object) -> None:
        sizes.extend(part.numel() for part in (output if isinstance(output, tuple) else (output,)) if isinstance(part, Tensor))

    leaves = [m for m in model.modules() if next(m.children(), None) is None and not isinstance(m, torch.jit.ScriptModule)]  # no hooks
    handles = [module.register_forward_hook(note) for module in leaves]
    try:
        with torch.no_grad():
            model(probe[:1].clone())
    finally:
        for handle in handles:
            handle.remove()
    return sizes


def owners_of(model: nn.Module) -> dict[int, list[tuple[str, nn.Module]]]:
    """For each parameter tensor, by id, the layers that hold it directly."""
    owners: dict[int, list[tuple[str, nn.Module]]] = {}
    for name, module in model.named_modules():
        for p in module.parameters(recurse=False):
            owners.setdefault(id(p), []).append((name, module))
    return owners


def close(found: Tensor, name: str, reference: dict[str, Tensor], probe_dtype: torch.dtype) -> bool:
    """Equal (c, rows) to rounding, row by row; parameters whose true gradient vanishes (a bias before a normalisation) hold rounding
    errors only."""
    expected = reference[name][:, : found.shape[1]]
    noise = torch.finfo(probe_dtype).eps * torch.stack(list(reference.values())).sum(0).amax(0)[: found.shape[1]]
    return bool(((found - expected).abs().amax(0) <= TOLERANCE[probe_dtype] * expected.amax(0) + noise).all())
