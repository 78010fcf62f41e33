"""LL4AL: a small head that predicts each sample's loss, trained by pairwise ranking beside the network (Yoo & Kweon 2019; SCIENCE.md §8).

The head takes features of some layers, each averaged over pixels, through a linear layer and a ReLU of its own, and joins them in one
number. Only which of two samples has the larger loss is learned: losses shrink in training, and the head need not follow. Differs from the
source by the squared loss, and by the layers: there a residual network's four blocks, here inputs of at most four layers with weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels.checks import as_batch, as_samples, check_model, own_copy

Float = NDArray[np.float64]

_TAPPED = 4  # layers, as in the source
_PASS = 256  # samples of a pass without gradients


@dataclass(frozen=True, slots=True)
class LossTraining:
    """How the network and its head are trained: SGD on ``mean_batch ½ ‖f - y‖² + weight × ranking``.

    Attributes:
        epochs, rate, batch, momentum, decay: of both; a last batch of one sample joins the one before.
        weight: of the ranking loss, the source's λ = 1.
        margin: ξ, by which the predicted losses of a pair are to differ at least.
        reach: share of the epochs in which the ranking loss moves the network too (the source: 120 of 200); after it the head alone.
        width: numbers that a layer's features become.
        seed: of the head's weights and the order of the samples.
    """

    epochs: int
    rate: float
    batch: int = 32
    momentum: float = 0.9
    decay: float = 0.0
    weight: float = 1.0
    margin: float = 1.0
    reach: float = 0.6
    width: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.width) < 1 or self.batch < 2 or not (isfinite(self.rate) and self.rate > 0):
            raise DataError(
                f"The epochs are {self.epochs}, the rate {self.rate}, the samples of a batch {self.batch}, the width {self.width}.",
                "Choose at least 1 epoch, 2 samples of a batch and a width of 1, and a rate above 0.",
            )
        if not (0 <= self.momentum < 1 and self.decay >= 0 and 0 <= self.reach <= 1 and self.weight > 0 and self.margin > 0):
            raise DataError(
                f"The momentum is {self.momentum}, the decay {self.decay}, the reach {self.reach}, the weight {self.weight}, the margin "
                f"{self.margin}.",
                "Choose a momentum from 0 to below 1, a decay of at least 0, a reach from 0 to 1, a weight and a margin above 0.",
            )


class LossHead(nn.Module):
    """Features of layers, each (b, c, ...), to one number for each sample (b,)."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(nn.Linear(size, width) for size in channels)
        self.joined = nn.Linear(len(channels) * width, 1)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        parts = [torch.relu(own(pooled(values))) for own, values in zip(self.each, features, strict=True)]
        result: Tensor = self.joined(torch.cat(parts, 1))[:, 0]
        return result


@dataclass(frozen=True, slots=True)
class LossPredictor:
    """A network and its head, trained, in eval mode; ``layers`` names those whose inputs the head sees."""

    network: nn.Module
    head: LossHead
    layers: tuple[str, ...]

    def losses(self, x: Tensor | np.ndarray) -> Float:
        """Predicted losses (m,) of samples (m, ...), large first: their order means something, their size does not."""
        samples, like = as_samples(x), next(self.head.parameters())
        with torch.no_grad():
            parts = [self.head(_run(self.network, self.layers, as_batch(part, like))[1]) for part in samples.split(_PASS)]
        return np.asarray(torch.cat(parts).double().cpu().numpy())


def ranking_loss(predicted: Tensor, losses: Tensor, margin: float = 1.0) -> Tensor:
    """``(2 / B) sum_pairs max(0, -s (l̂_i - l̂_j) + ξ)``, s = +1 where l_i > l_j, else -1; the first sample is paired with the last.

    Args:
        predicted: (B,) l̂; of an odd B the one in the middle is in no pair.
        losses: (B,) l; no gradient goes through them.
        margin: ξ.
    """
    pairs = len(losses) // 2
    apart = (predicted - predicted.flip(0))[:pairs]
    larger = (losses.detach() > losses.detach().flip(0))[:pairs]
    return (margin - torch.where(larger, apart, -apart)).clamp_min(0).sum() / pairs


def train_loss_predictor(
    model: nn.Module,
    x: Tensor | np.ndarray,
    targets: Tensor | np.ndarray,
    training: LossTraining,
    *,
    learn: Callable[[nn.Module], object] = nn.Module.train,
    progress: Callable[[int, int], None] | None = None,
) -> LossPredictor:
    """Train a copy of the network, from the weights that it has, and a new head beside it.

    Args:
        model: maps (b, ...) to (b, k), in eval mode. It is not changed.
        x: (n, ...), n at least 2.
        targets: (n, k).
        training: of both.
        learn: puts the network into the mode in which it is trained.
        progress: called with the samples done and in all, after each step; may raise ``Cancelled``.

    Raises:
        ModelError: fewer than two layers with weights, so that there are no features between; and as for ``empirical_ntk``.
        DataError: samples or targets that cannot be used.
        ComputationError: training diverged.
    """
    like = check_model(model).detach()
    samples, y = as_samples(x), as_samples(targets, "targets")
    if len(samples) < 2 or len(y) != len(samples):
        raise DataError(f"There are {len(samples)} samples and {len(y)} targets.", "Give two samples at least, and a target for each.")
    samples, y = as_batch(samples, like), y.to(like)
    network, layers = own_copy(model).eval(), _tapped(model, samples[:2])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(training.seed)
        head = LossHead([pooled(values).shape[1] for values in _run(network, layers, samples[:2])[1]], training.width).to(like)
    both = [parameter for parameter in (*network.parameters(), *head.parameters()) if parameter.requires_grad]
    descent = torch.optim.SGD(both, training.rate, training.momentum, weight_decay=training.decay)
    reached, done = training.reach * training.epochs, 0
    for epoch in range(training.epochs):
        learn(network)
        for batch in _batches(len(samples), epoch, training):
            outputs, features = _run(network, layers, samples[batch])
            losses = (outputs - y[batch]).square().sum(1) / 2
            guessed = head(features if epoch < reached else [values.detach() for values in features])
            total = losses.mean() + training.weight * ranking_loss(guessed, losses, training.margin)
            if not bool(torch.isfinite(total)):
                raise ComputationError(
                    f"Training the loss predictor diverged in epoch {epoch + 1} at the learning rate {training.rate:g}.",
                    f"Choose a smaller learning rate, for example {training.rate / 4:.2g}.",
                )
            descent.zero_grad()
            total.backward()
            descent.step()
            done += len(batch)
            if progress is not None:
                progress(done, training.epochs * len(samples))
        network.eval()
    return LossPredictor(network, head.eval(), layers)


def pooled(values: Tensor) -> Tensor:
    """Features (b, c, ...) averaged over all but samples and channels (b, c)."""
    return values.flatten(2).mean(2) if values.ndim > 2 else values


def _batches(n: int, epoch: int, training: LossTraining) -> list[Tensor]:
    order = torch.from_numpy(np.random.default_rng([training.seed, epoch]).permutation(n))
    parts = list(order.split(training.batch))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _tapped(model: nn.Module, few: Tensor) -> tuple[str, ...]:
    """At most four layers with weights, evenly, the last one among them; not the first, whose input is the sample."""
    named = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    order: list[str] = []
    with _watching(named, lambda name, _: order.append(name)), torch.no_grad():
        model(few)
    later = list(dict.fromkeys(order))[1:]
    if not later:
        raise ModelError("The network has no two layers with weights, so no features between.", "Choose a network with a hidden layer.")
    at = np.unique(np.linspace(0, len(later), min(_TAPPED, len(later)) + 1)[1:].round().astype(int) - 1)
    return tuple(later[i] for i in at)


def _run(network: nn.Module, layers: Sequence[str], x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Outputs (b, k) and the inputs of the layers."""
    seen: dict[str, Tensor] = {}
    with _watching({name: network.get_submodule(name) for name in layers}, seen.__setitem__):
        outputs: Tensor = network(x)
    return outputs, [seen[name] for name in layers]


@contextmanager
def _watching(modules: Mapping[str, nn.Module], tell: Callable[[str, Tensor], None]) -> Iterator[None]:
    """While it lasts each layer's name and input are told when it runs."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _, arguments: tell(name, arguments[0])

    held = [module.register_forward_pre_hook(hook(name)) for name, module in modules.items()]
    try:
        yield
    finally:
        for handle in held:
            handle.remove()
