"""The analyses in a notebook: three lines, the same store as the pages.

>>> from ntkcore.notebook import learnability, ranking
>>> result = learnability(dataset="mnist", classes=["7", "9"], model="cnn4")  # doctest: +SKIP
>>> ranking(result)  # doctest: +SKIP

>>> from ntkcore.notebook import comparison_table, convergence
>>> comparison_table(convergence(dataset="digits", widths=[32, 128]))  # doctest: +SKIP

>>> from ntkcore.notebook import influence, influences
>>> influences(influence(dataset="mnist", classes=["7", "9"]), ridge=1.0)  # doctest: +SKIP
"""

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ntkcore.analyses import convergence_views, influence_views, reliability_tables, reliability_views
from ntkcore.analyses.convergence import ConvergenceResult, open_convergence
from ntkcore.analyses.influence import InfluenceResult, open_influence
from ntkcore.analyses.learnability import LearnabilityResult, open_learnability
from ntkcore.analyses.learnability_views import judged, table
from ntkcore.analyses.requests import compute
from ntkcore.analyses.verification import open_verification
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.errors import SpecError
from ntkcore.permalink import read_convergence_query, read_influence_query, read_learnability_query, read_reliability_query
from ntkcore.specs import ConvergenceView, InfluenceView, ReliabilityView


class PrintedProgress:
    """Progress on standard error: one line rewritten in place on a terminal, else a line when a stage is done."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._totals: dict[str, float] = {}
        self._shown = 0.0
        self._finished: set[str] = set()

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Announce the stages."""
        self._totals = {name: total for name, _, total, _ in stages}

    def report(self, stage: str, done: float) -> None:
        """Show the stage's progress, at most five times a second."""
        total = self._totals.get(stage, 0.0)
        if not sys.stderr.isatty():
            if done >= total and stage not in self._finished:
                self._finished.add(stage)
                print(f"{stage}: done", file=sys.stderr)
            return
        if time.monotonic() - self._shown > 0.2 or done >= total:
            self._shown = time.monotonic()
            share = f"{100 * done / total:3.0f} %" if total else ""
            print(f"\r{stage}: {share}\033[K", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A callback for the core that reports to ``stage``."""
        total = self._totals.get(stage, 0.0)
        return lambda done, of: self.report(stage, total * done / max(of, 1))

    def warn(self, text: str) -> None:
        """Print a remark."""
        print(f"note: {text}", file=sys.stderr)


def learnability(**choices: str | int | float | bool | Sequence[str]) -> LearnabilityResult:
    """Compute (or open, when stored) a learnability analysis.

    Args:
        choices: the names of a page's address and of the command line: ``dataset``, ``classes``, ``n``, ``seed``, ``noise``,
            ``model``, ``width``, ``depth``, ``weights``, ``start`` (kind of initialisation), ``init`` (its seed), ``epochs``, ``rate``,
            ``batch``, ``momentum``, ``decay``, ``shuffle``, ``at`` (epoch of the kernel), ``full`` (coupled dynamics), ``dtype``.
            What is left out has its default.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    return compute_learnability({name: _text(value) for name, value in choices.items()}, workspace())


def ranking(result: LearnabilityResult) -> pd.DataFrame:
    """All images, hardest (smallest k(x,x)) first."""
    return table(result, judged(result), np.lexsort((np.arange(len(result.score)), result.score)))


def convergence(**choices: str | int | float | Sequence[str] | Sequence[int]) -> ConvergenceResult:
    """Compute (or open, when stored) how pseudo-NTK and full kernel compare over width and training.

    Args:
        choices: the names of the page's address and of the command line: ``dataset``, ``classes``, ``n``, ``seed``, ``noise``,
            ``test`` (held-out images), ``model``, ``depth``, ``widths``, ``seeds``, ``start`` (kind of initialisation), ``looks``
            (epochs), ``rate``, ``batch``, ``momentum``, ``decay``, ``shuffle``, ``ridge``, ``dtype``. What is left out has its default.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    return compute_convergence({name: _text(value) for name, value in choices.items()}, workspace())[0]


def comparison_table(result: ConvergenceResult) -> pd.DataFrame:
    """One row per comparison (width, seed, epoch), with every number."""
    return convergence_views.table(result)


def influence(**choices: str | int | float | Sequence[str]) -> InfluenceResult:
    """Compute (or open, when stored) a kernel on training and held-out images, from which :func:`influences` answers at once.

    Args:
        choices: the names of the page's address and of the command line: ``dataset``, ``classes``, ``n``, ``seed``, ``noise``, ``test``
            (held-out images), ``kernel`` ("two-layer", "infinite", "pseudo", "full"), ``model``, ``width``, ``depth``, ``weights``,
            ``start`` (kind of initialisation), ``init`` (its seed), ``epochs`` (before the kernel is taken), ``rate``, ``batch``,
            ``momentum``, ``decay``, ``shuffle``, ``dtype``. What is left out has its default.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    return compute_influence({name: _text(value) for name, value in choices.items()}, workspace())[0]


def influences(result: InfluenceResult, target: int | None = None, ridge: float = 0.01, time: float | None = None) -> pd.DataFrame:
    """All training images with their influence on one held-out image, the most helpful first.

    Args:
        result: from :func:`influence`.
        target: the held-out image; None: the one of the largest loss.
        ridge: λ.
        time: τ; None: the end of training.

    Raises:
        AtlasError: there is no such held-out image, or λ is too small for this kernel.
    """
    view = InfluenceView(ridge=ridge, time=time, target=target)
    if problem := influence_views.missing_from(result, view):
        raise SpecError(problem, "Name one of those.")
    ws = workspace()
    now = influence_views.held(result, view, ws)
    chosen = influence_views.target_of(result, view, influence_views.tests_shown(result, view, now), now)
    return influence_views.table(result, influence_views.influence(result, view, chosen, ws))


def reliability(**choices: str | int | float | Sequence[str]) -> InfluenceResult:
    """Compute (or open, when stored) what :func:`error_rates` answers from: the result of :func:`influence`, with its choices.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    return compute_reliability({name: _text(value) for name, value in choices.items()}, workspace())[0]


def error_rates(result: InfluenceResult) -> pd.DataFrame:
    """One row per λ: the IHVP method's mean and median error rate, Theorem 3's lower bound, the share of pairs that satisfy it."""
    return reliability_tables.sweep_table(reliability_views.sweep(result, workspace()))


def compute_reliability(query: dict[str, str | list[str]], ws: Workspace) -> tuple[InfluenceResult, ReliabilityView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = read_reliability_query(query)
    reliability_views.require_one_kernel(spec)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_influence(spec, ws), view


def compute_influence(query: dict[str, str | list[str]], ws: Workspace) -> tuple[InfluenceResult, InfluenceView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = read_influence_query(query)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_influence(spec, ws), view


def verifications(
    result: InfluenceResult, widths: Sequence[int], target: int | None = None, ridge: float = 0.01, time: float | None = None
) -> pd.DataFrame:
    """Real leave-one-out retraining of the 40 images most influential on one held-out image, a row for each width (IF-NTK Table 1).

    Args:
        result, target, ridge: as for :func:`influences`.
        widths: units of the two-layer networks; a network's own kernel has none to choose, and one row.
        time: τ; None: that of the paper, 5.

    Returns:
        Columns ``width``, ``images``, ``pearson``, ``spearman`` between predicted and real influence, ``rate``, ``steps``, ``seconds``.
    """
    ws, found = workspace(), []
    view = InfluenceView(ridge=ridge, time=time or influence_views.PAPER_TIME, target=target)
    now = influence_views.held(result, view, ws)
    chosen = influence_views.target_of(result, view, influence_views.tests_shown(result, view, now), now)
    values = influence_views.influence(result, view, chosen, ws)
    for width in widths if result.spec.kernel == "two-layer" else (0,):
        seen = view.model_copy(update={"verify": width}) if width else view
        spec = influence_views.to_verify(result, seen, values)
        compute(spec, ws, PrintedProgress(ws.device))
        made = open_verification(spec, ws)
        pearson, spearman = made.correlations(chosen)
        row = {"width": width, "images": len(spec.removed), "pearson": pearson, "spearman": spearman}
        found.append(row | {"rate": made.rate, "steps": made.steps, "seconds": made.seconds})
    return pd.DataFrame(found)


def compute_learnability(query: dict[str, str | list[str]], ws: Workspace) -> LearnabilityResult:
    """Compute what a query names, in this process, and open it."""
    spec, _ = read_learnability_query(query)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_learnability(spec, ws)


def compute_convergence(query: dict[str, str | list[str]], ws: Workspace) -> tuple[ConvergenceResult, ConvergenceView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = read_convergence_query(query)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_convergence(spec, ws), view


def _text(value: object) -> str | list[str]:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return repr(value) if isinstance(value, float) else str(value)
