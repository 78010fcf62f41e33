"""Batch normalisation in training: by each batch's statistics, or by those that are there, which then stay.

Whatever else behaves otherwise in training (dropout, stochastic depth, heads beside the last) is off: the descent that the kernel describes
has none of it, and draws no random numbers.
"""

from collections.abc import Iterator

from torch import nn


def freeze_statistics(module: nn.Module) -> None:
    """Let the statistics stay as they are in training."""
    for part in _normalising(module):
        part.frozen_statistics = True  # type: ignore[assignment]  # a mark, which copies keep


def has_batch_norm(module: nn.Module) -> bool:
    """Whether ``module`` normalises over the batch in training."""
    return next(_learning(module), None) is not None


def learn(module: nn.Module) -> None:
    """Training mode: what normalises over the batch does so; all else is in eval mode."""
    module.eval()
    for part in _learning(module):
        part.train()


def _normalising(module: nn.Module) -> Iterator[nn.Module]:
    return (part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm))


def _learning(module: nn.Module) -> Iterator[nn.Module]:
    return (part for part in _normalising(module) if not getattr(part, "frozen_statistics", False))
