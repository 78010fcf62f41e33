"""What one or two samples tell about a network: whether a kernel is defined, which operations use which parameters, exact norms."""

from collections import Counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import vmap

from ntkcore.errors import ModelError
from ntkcore.kernels.features import squared_norms
from ntkcore.kernels.general import plain_gradients, quiet_vmap

TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-8}
"""Relative differences that rounding may explain on one sample."""

_CHECKED = 2  # combinations of all outputs whose gradients are compared


def checked_outputs(model: nn.Module, probe: Tensor) -> Tensor:
    """Outputs (1, k) of the first sample alone, after the checks that make a kernel between samples meaningful."""
    try:
        outputs, again, alone = model(probe), model(probe), model(probe[:1])
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError) as error:
        raise ModelError(
            f"The network cannot take samples of shape {tuple(probe.shape[1:])} ({probe.dtype}): {error}",
            "Choose a network made for these inputs, or give inputs of its shape.",
        ) from error
    for value in (outputs, again, alone):
        if not isinstance(value, Tensor) or value.ndim != 2:
            got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ModelError(f"The network's output is {got}, not (batch, outputs).", "Make it return one row of numbers per sample.")
    if outputs.shape[0] != probe.shape[0] or alone.shape != (1, outputs.shape[1]) or not outputs.shape[1]:
        raise ModelError(
            f"For {probe.shape[0]} samples the network returns the shape {tuple(outputs.shape)}.",
            "Make it return one row of numbers per sample.",
        )
    if alone.dtype not in TOLERANCE:
        raise ModelError(f"The network's outputs are {alone.dtype}.", "Make it compute in one precision, float32 or float64.")
    if not torch.isfinite(outputs).all():
        raise ModelError("The network's outputs are NaN or infinite on the first samples.", "Check its weights and the inputs' scale.")
    scale = TOLERANCE[alone.dtype] * outputs.abs().max()
    if (outputs - again).abs().max() > scale:
        raise ModelError(
            "The network gives different outputs for the same input.", "Switch off what is random in it, usually by model.eval()."
        )
    if (outputs[0] - alone[0]).abs().max() > scale:
        raise ModelError(
            "A sample's output depends on the other samples in its batch, so the kernel is not defined.",
            "Use model.eval(), or remove what mixes samples.",
        )
    if not alone.requires_grad:
        raise ModelError(
            "The network's outputs do not depend on any trainable parameter.",
            "Set requires_grad, and do not run the network under torch.no_grad().",
        )
    return alone


def count_uses(outputs: Tensor) -> Counter[int]:
    """How many operations of the graph take each parameter, by the tensor's id."""
    uses: Counter[int] = Counter()
    seen, waiting = set(), [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for following, _ in node.next_functions:
            variable = getattr(following, "variable", None)
            if variable is not None:
                uses[id(variable)] += 1
            waiting.append(following)
    return uses


def checking_seeds(outputs: Tensor) -> Tensor:
    """(c, k) fixed random combinations of the outputs (., k): every output, and so every head, takes part in each."""
    drawn = np.random.default_rng(0).standard_normal((min(outputs.shape[1], _CHECKED), outputs.shape[1]))
    return torch.from_numpy(drawn).to(outputs)


def reference_norms(model: nn.Module, outputs: Tensor) -> dict[str, Tensor]:
    """Plain autograd's squared norms (c,) of the gradients of :func:`checking_seeds` on one sample's outputs (1, k), per parameter."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    found = [plain_gradients(scalar, [p for _, p in named]) for scalar in checking_seeds(outputs) @ outputs[0]]
    return {name: torch.stack([squared_norms(g[i].flatten()) for g in found]) for i, (name, _) in enumerate(named)}


def path_depends_on_values(model: nn.Module, probe: Tensor) -> bool:
    """Whether the forward pass turns tensor values into Python decisions, which vmap refuses by name."""
    try:
        with torch.no_grad(), quiet_vmap():
            vmap(lambda sample: model(sample.unsqueeze(0))[0])(probe)
    except Exception as error:  # any other refusal of vmap says nothing about the network
        return "data-dependent control flow" in str(error) or "calling .item()" in str(error)
    return False


def activation_numbers(model: nn.Module, probe: Tensor) -> int:
    """Values that the layers without inner layers put out for one sample."""
    sizes: list[int] = []

    def note(module: nn.Module, args: object, output: object) -> None:
        sizes.extend(part.numel() for part in (output if isinstance(output, tuple) else (output,)) if isinstance(part, Tensor))

    handles = [module.register_forward_hook(note) for module in model.modules() if next(module.children(), None) is None]
    try:
        with torch.no_grad():
            model(probe[:1])
    finally:
        for handle in handles:
            handle.remove()
    return sum(sizes)


def owners_of(model: nn.Module) -> dict[int, list[tuple[str, nn.Module]]]:
    """For each parameter tensor, by id, the layers that hold it directly."""
    owners: dict[int, list[tuple[str, nn.Module]]] = {}
    for name, module in model.named_modules():
        for p in module.parameters(recurse=False):
            owners.setdefault(id(p), []).append((name, module))
    return owners


def close(found: Tensor, name: str, reference: dict[str, Tensor], probe_dtype: torch.dtype) -> bool:
    """Equal to rounding; parameters whose true gradient vanishes (a bias before a normalisation) hold rounding errors only."""
    expected = reference[name]
    noise = torch.finfo(probe_dtype).eps * torch.stack(list(reference.values())).sum(0).max()
    return bool((found - expected).abs().max() <= TOLERANCE[probe_dtype] * expected.max() + noise)
