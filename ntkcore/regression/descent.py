"""How a regression is trained: by gradient flow, whose time is τ, or by gradient descent, whose time counts steps (SCIENCE.md §3, §5).

What has been learned along a direction of rate a (an eigenvalue of ``A = K + λ I``) is ``1 - e^(-τ a)`` of it by the flow, and
``1 - (1 - η a)^t`` after t steps of rate η. Both are contour integrals ``(1 / 2 pi i) ∮ g(s) F(s) ds`` over F's poles s = -a, with
``g(s) = e^(s τ)`` and ``(1 + η s)^t``, so that leave-one-out is the same for both but for the nodes and their weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, pi

import numpy as np
from numpy.typing import NDArray

from ntkcore.errors import ComputationError
from ntkcore.regression.contour import Window, windows

Float = NDArray[np.float64]

FEW = 40
"""Steps up to which the contour is a circle: at fewer the parabolas' accuracy suffers from the logarithm's other branches."""
_CIRCLE = 128  # nodes on it; conjugate ones are paired
_RADIUS = 10 ** (12 / _CIRCLE)  # what a circle of M nodes leaves out is that of t + M steps, over its radius to the M: 1e-12


@dataclass(frozen=True, slots=True)
class Flow:
    """Gradient flow: time is τ, learning rate times steps as the rate goes to 0."""

    def checked(self, time: float) -> float:
        """The time, if it is one."""
        if not time >= 0:
            raise ValueError(f"time: expected at least 0, got {time}")
        return float(time)

    def grown(self, rates: Float, time: float) -> Float:
        """``(1 - e^(-τ a)) / a`` of rates a, at least 0: τ where a = 0."""
        safe = np.where(rates > 0, rates, 1.0)
        return np.where(rates > 0, -np.expm1(-time * safe) / safe, time)

    def left(self, rates: Float, time: float) -> Float:
        """``e^(-τ a)``: the share that is not learned."""
        return np.exp(-time * rates)

    def spread(self, one: Float, other: Float, time: float) -> Float:
        """What noise along two directions has come to: ``(1 - e^(-τ (a + b))) / (a + b)``."""
        return self.grown(one + other, time)

    def windows(self, times: Sequence[float], rates: Float) -> list[Window]:
        """Nodes and weights for times above 0; those near each other share nodes."""
        return windows(times)


@dataclass(frozen=True, slots=True)
class Steps:
    """Gradient descent of a rate on the summed loss: time counts steps.

    Attributes:
        rate: η, above 0, and below ``2 / a`` of every rate a, where it is used: beyond that it diverges.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 < self.rate < inf:
            raise ValueError(f"rate: expected a number above 0, got {self.rate}")

    def checked(self, time: float) -> float:
        """The time, if it is one."""
        if not time >= 0 or (time != inf and time != int(time)):
            raise ValueError(f"time: expected a whole number of steps, or inf, got {time}")
        return float(time)

    def grown(self, rates: Float, time: float) -> Float:
        """``(1 - (1 - η a)^t) / a`` of rates a, at least 0: η t where a = 0."""
        self._require_stable(rates)
        safe = np.where(rates > 0, rates, 1.0)
        learned = 1.0 if isinf(time) else -_powered_less_one(self.rate * safe, time)
        return np.where(rates > 0, learned / safe, self.rate * time)

    def left(self, rates: Float, time: float) -> Float:
        """``(1 - η a)^t``."""
        self._require_stable(rates)
        return np.power(1 - self.rate * rates, time)

    def spread(self, one: Float, other: Float, time: float) -> Float:
        """``η sum_(j < t) ((1 - η a) (1 - η b))^j``."""
        self._require_stable(np.maximum(one, other))
        joint = one + other - self.rate * one * other  # (1 - η a) (1 - η b) = 1 - η joint
        safe = np.where(joint > 0, joint, 1.0)
        learned = 1.0 if isinf(time) else -_powered_less_one(self.rate * safe, time)
        return np.where(joint > 0, learned / safe, self.rate * time)

    def windows(self, times: Sequence[float], rates: Float) -> list[Window]:
        """Nodes and weights for numbers of steps above 0, each on its own."""
        self._require_stable(rates)
        return [self._circle(time) if time <= FEW else self._parabolas(time, float(rates.max())) for time in dict.fromkeys(times)]

    def _circle(self, time: float) -> Window:
        """``u = 1 + η s`` on a circle about 0, which holds every ``1 - η a`` and 1."""
        u = _RADIUS * np.exp(1j * pi * (2 * np.arange(_CIRCLE // 2) + 1) / _CIRCLE)
        return Window((time,), (u - 1) / self.rate, (2 / (_CIRCLE * self.rate) * u ** (time + 1))[None])

    def _parabolas(self, time: float, largest: float) -> Window:
        """``1 + η s = e^(η z)`` with z on the flow's contour, for ``η a < 1``; with the other sign another for those above."""
        (flow,) = windows([self.rate * time])
        grown = np.expm1(self.rate * flow.nodes)
        parts = [grown / self.rate, -(grown + 2) / self.rate][: 2 if self.rate * largest > 1 else 1]
        weights = flow.weights[0] * (grown + 1)
        nodes: NDArray[np.complex128] = np.concatenate(parts)
        signed: NDArray[np.complex128] = np.concatenate([weights, (-1) ** (int(time) + 1) * weights])[: len(nodes)]
        return Window((time,), nodes, signed[None])

    def _require_stable(self, rates: Float) -> None:
        """Refuse rates at which the descent diverges."""
        if self.rate * float(rates.max()) >= 2:
            raise ComputationError(
                f"Gradient descent at the rate {self.rate:g} diverges here: the steepest direction allows less than "
                f"{2 / float(rates.max()):.3g}.",
                "Choose a smaller rate.",
            )


Descent = Flow | Steps


def _powered_less_one(small: Float, time: float) -> Float:
    """``(1 - x)^t - 1`` for x in (0, 2), without cancellation where x is small."""
    below = np.where(small < 0.5, small, 0.0)
    return np.where(small < 0.5, np.expm1(time * np.log1p(-below)), np.power(1 - small, time) - 1)
