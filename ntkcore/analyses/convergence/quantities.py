"""The quantities of the convergence page's charts: what each is, how it is drawn, and which figure of the thesis it is."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ntkcore.analyses.convergence.comparison import Comparison
from ntkcore.convergence import relative_difference

LABELS = {
    "full": "full kernel",
    "pseudo": "pseudo-NTK",
    "first": "first logit",
    "network": "network",
    "on": "on the diagonal, Σ|Θ_oo|",
    "off": "off the diagonal, Σ|Θ_op|",
    "now": "against the network then",
    "end": "against it at the last epoch",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a comparison, as a chart shows it.

    Attributes:
        name: its key in ``QUANTITIES``.
        title: of its chart.
        axis: label of its axis, with the unit.
        log: whether its axis is logarithmic.
        figure: the thesis's figure, "" when it has none.
        note: one sentence on how to read it.
        slope: whether a power law over the width is fitted, through the series of the cheap kernel, or the last one.
        guide: whether the n^(-1/2) of the theory belongs beside it.
        values: of a comparison and a cheap form ("pseudo", "first"): series name to number, NaN where not defined.
        low, high: bounds of its values where it has any.
        signed: whether 0 parts its values into better and worse.
        at_end: more values, which need the comparison of the same network at the last epoch looked at, too: of a comparison, that
            one, and a cheap form.
        solved: the kernels ("cheap", "full") whose regression all its values rest on, or ("own",) each on its own kernel's.
    """

    name: str
    title: str
    axis: str
    log: bool
    figure: str
    note: str
    slope: bool
    guide: bool
    values: Callable[[Comparison, str], Mapping[str, float]]
    low: float | None = None
    high: float | None = None
    signed: bool = False
    at_end: Callable[[Comparison, Comparison, str], Mapping[str, float]] | None = None
    solved: tuple[str, ...] = ()

    def jittered(self, point: Comparison, cheap: str, name: str) -> bool:
        """Whether the value of a comparison that is called ``name`` rests on a regression that needed a jitter."""
        forms = {"cheap": cheap, "own": name}
        return any(point.jitter.get(forms.get(held, held), 0.0) > 0 for held in self.solved)


def _magnitudes(point: Comparison, cheap: str) -> dict[str, float]:
    return {"on": point.on, "off": point.off}


def _cheap(field: str, point: Comparison, cheap: str) -> dict[str, float]:
    """A quantity that the cheap kernel alone has."""
    return {cheap: getattr(point, field).get(cheap, float("nan"))}


def _difference(field: str, point: Comparison, cheap: str) -> dict[str, float]:
    """Relative difference between the cheap kernel's number and the full one's."""
    values = getattr(point, field)
    return {cheap: relative_difference(values[cheap], values["full"]) if values else float("nan")}


def _smallest(point: Comparison, cheap: str) -> dict[str, float]:
    """Relative difference of the smallest eigenvalues, where neither is lost in rounding (else the condition number is infinite)."""
    known = all(math.isfinite(point.condition.get(form, math.nan)) for form in (cheap, "full"))
    return _difference("smallest", point, cheap) if known else {cheap: math.nan}


def _each(field: str, forms: tuple[str, ...], point: Comparison, cheap: str) -> dict[str, float]:
    """The number of every form."""
    values = getattr(point, field)
    return {form: values.get(form, float("nan")) for form in ("full", cheap, *forms)}


def _gain(point: Comparison, network: Comparison, cheap: str) -> float:
    """Percentage points by which regression with the cheap kernel is right more often than the other comparison's network."""
    return 100 * (point.accuracy.get(cheap, math.nan) - network.accuracy.get("network", math.nan))


def _gain_now(point: Comparison, cheap: str) -> dict[str, float]:
    return {"now": _gain(point, point, cheap)}


def _gain_at_end(point: Comparison, last: Comparison, cheap: str) -> dict[str, float]:
    return {"end": _gain(point, last, cheap)}


def _rank(point: Comparison, cheap: str) -> dict[str, float]:
    """Effective ranks as (n k) × (n k) kernels: Θ̂ ⊗ I has every eigenvalue k times, hence k times the rank of Θ̂."""
    return {"full": point.rank.get("full", float("nan")), cheap: point.k * point.rank.get(cheap, float("nan"))}


def _time(point: Comparison, cheap: str) -> dict[str, float]:
    """Microseconds a pair, each pair counted once."""
    pairs = point.n * (point.n + 1) / 2
    return {form: 1e6 * point.seconds.get(form, float("nan")) / pairs for form in ("full", cheap)}


_ALL = (
    Quantity(
        "magnitudes", "Magnitude on and off the diagonal", "mean over pairs", True, "Fig. 3.2",
        "How diagonal the k × k blocks Θ(x, x′) are: the further apart the lines, the better one number stands for a block.",
        False, False, _magnitudes,
    ),
    Quantity(
        "frobenius", "Difference of the kernels", "‖Θ̂ ⊗ I − Θ‖ / ‖Θ‖", True, "Fig. 3.3",
        "The whole kernel of the training images: 0 is perfect, 1 is as wrong as taking zero instead.",
        True, True, partial(_cheap, "frobenius"),
    ),
    Quantity(
        "pair_error", "Difference of a pair’s block", "mean over pairs of ‖Θ̂ I − Θ‖ / ‖Θ‖", True, "Fig. A.10",
        "The ratio of Theorem 3.3.1, pair by pair; the theory lets it fall at least as w^(−1/2) at initialisation.",
        True, True, partial(_cheap, "pair_error"),
    ),
    Quantity(
        "largest", "Largest eigenvalue", "relative difference of λ_max", True, "Fig. 3.4",
        "|λ_max(Θ̂) − λ_max(Θ)| / λ_max(Θ): how far the fastest direction of training is off.",
        True, False, partial(_difference, "largest"),
    ),
    Quantity(
        "smallest", "Smallest eigenvalue", "relative difference of λ_min", True, "Fig. 3.5",
        "|λ_min(Θ̂) − λ_min(Θ)| / |λ_min(Θ)|; left out where the smallest eigenvalue of either kernel is lost in rounding.",
        False, False, _smallest,
    ),
    Quantity(
        "condition", "Condition number", "relative difference of λ_max / λ_min", True, "Fig. 3.6",
        "Left out where the smallest eigenvalue of either kernel is rounding, so that there is no condition number.",
        False, False, partial(_difference, "condition"),
    ),
    Quantity(
        "prediction", "Outputs of kernel regression", "‖f̂ − f‖ / ‖f‖ on held-out images", True, "Fig. 3.7",
        "The n × n regression (eq. 3.5) against the nk × nk one (eq. 3.4).",
        True, False, partial(_cheap, "prediction_difference"), solved=("cheap", "full"),
    ),
    Quantity(
        "agreement", "Same class as the full kernel", "share of held-out images", False, "",
        "How often the two regressions name the same class.",
        False, False, partial(_cheap, "agreement"), 0.0, 1.0, solved=("cheap", "full"),
    ),
    Quantity(
        "accuracy", "Accuracy", "share of held-out images right", False, "Figs. 3.8–3.10",
        "Both kernel regressions and the network they are taken from.",
        False, False, partial(_each, "accuracy", ("network",)), 0.0, 1.0, solved=("own",),
    ),
    Quantity(
        "gain", "Regression against the network", "accuracy gained, in points", False, "Figs. 3.11, 3.12",
        "Above 0, regression with the cheap kernel is right more often: than the network it is from, and than that network trained on.",
        False, False, _gain_now, signed=True, at_end=_gain_at_end, solved=("cheap",),
    ),
    Quantity(
        "rank", "Effective rank", "directions, of n k", True, "",
        "exp of the entropy of the eigenvalues; every eigenvalue of the cheap kernel counts k times, as in Θ̂ ⊗ I.",
        False, False, _rank,
    ),
    Quantity(
        "alignment", "Alignment with the labels", "⟨K, yyᵀ⟩ / ‖K‖ ‖y‖²", False, "",
        "How much of the kernel points to the labels; the cheap kernel as Θ̂ ⊗ I.",
        False, False, partial(_each, "alignment", ()),
    ),
    Quantity(
        "time", "Time of the kernels", "microseconds a pair", True, "Fig. 3.1",
        "Measured while computing the training images’ kernels; left out where that was interrupted.",
        False, False, _time,
    ),
)  # fmt: skip

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
