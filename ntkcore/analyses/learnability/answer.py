"""The plain answer on top of the learnability page: whether k(x,x) predicted the order of learning, and how far training came.

k(x,x) is said to have predicted the order only where the bootstrap interval of ρ leaves 0 out; the theory lets ρ be negative.
"""

import numpy as np

from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.words import percent, signed
from ntkcore.learnability import GROUP_NAMES, group_accuracy

STRONG = ("not clearly", "earlier", "later")
"""What a page may set in bold, beside ρ."""


def answer(look: Look) -> tuple[str, ...]:
    """Two sentences: what k(x,x) predicted, and what training reached in each group."""
    return _order(look), _reached(look)


def _order(look: Look) -> str:
    result = look.result
    rho, epoch = result.correlation, result.spec.kernel_epoch
    if len(result.outputs) == 1:
        return "The network was not trained, so there is no order of learning to compare with: choose some epochs under Training."
    if not rho.defined:
        return f"Whether k(x,x) predicted the order of learning cannot be said here: {rho.reason}"
    numbers = f"Spearman ρ = {signed(rho.rho)}, {100 * rho.level:.0f} % interval {signed(rho.low)} to {signed(rho.high)}"
    if epoch:
        before = int((result.learned <= epoch).sum())
        numbers += f" (in hindsight for the {before:,} images already learned when the kernel was taken, after epoch {epoch})"
    if rho.low <= 0 <= rho.high:
        return f"On these {rho.n:,} images k(x,x) did not clearly predict the order of learning: {numbers}, which includes 0."
    if rho.rho < 0:
        return f"On these {rho.n:,} images a larger k(x,x) went with being learned earlier, as the theory says: {numbers}."
    return f"On these {rho.n:,} images a larger k(x,x) went with being learned later, the opposite of what the theory says: {numbers}."


def _reached(look: Look) -> str:
    """How many of each group are right in the end, were so from the start, or never came to be."""
    result, last = look.result, len(look.result.outputs) - 1
    accuracy = group_accuracy(result.outputs[-1:], result.labels, look.groups)[0]
    sizes = [len(members) for members in look.groups.members()]
    shares = [
        f"{percent(share, 3)} of the {size:,} {name}"
        for name, size, share in zip(GROUP_NAMES, sizes, map(float, accuracy), strict=True)
        if size
    ]
    listed = shares[0] if len(shares) == 1 else f"{', '.join(shares[:-1])} and {shares[-1]}"
    if not last:
        return f"Without training the network is right on {listed} images."
    start, never = int((result.learned == 0).sum()), int(np.isinf(result.learned).sum())
    return (
        f"After epoch {last} the network is right on {listed} images; {_were(start)} right from before training on, "
        f"{_were(never)} not learned by then."
    )


def _were(count: int) -> str:
    return f"{count:,} {'was' if count == 1 else 'were'}"
