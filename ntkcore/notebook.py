"""The analyses in a notebook: three lines, the same store as the pages.

>>> from ntkcore.notebook import learnability, ranking
>>> result = learnability(dataset="mnist", classes=["7", "9"], model="cnn4")  # doctest: +SKIP
>>> ranking(result)  # doctest: +SKIP

>>> from ntkcore.notebook import comparison_table, convergence
>>> comparison_table(convergence(dataset="digits", widths=[32, 128]))  # doctest: +SKIP

>>> from ntkcore.notebook import influence, influences
>>> influences(influence(dataset="mnist", classes=["7", "9"]), ridge=1.0)  # doctest: +SKIP

>>> from ntkcore.notebook import information, information_table
>>> information_table(information(dataset="mnist", classes=["4", "9"]), ridge=1.0)  # doctest: +SKIP
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from ntkcore.analyses.catalogue import STUDIES
from ntkcore.analyses.convergence import views as convergence_views
from ntkcore.analyses.convergence.analysis import ConvergenceResult, open_convergence
from ntkcore.analyses.influence import views as influence_views
from ntkcore.analyses.influence.analysis import InfluenceResult, open_influence
from ntkcore.analyses.information import views as information_views
from ntkcore.analyses.learnability.analysis import LearnabilityResult, open_learnability
from ntkcore.analyses.learnability.views import judged, table
from ntkcore.analyses.reliability import answer as reliability_network
from ntkcore.analyses.reliability import tables as reliability_tables
from ntkcore.analyses.reliability import views as reliability_views
from ntkcore.analyses.reliability.network import NetworkIhvp, open_network_ihvp
from ntkcore.analyses.requests import compute
from ntkcore.analyses.verification import views as verification_views
from ntkcore.analyses.verification.analysis import Verification, open_verification
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.errors import SpecError
from ntkcore.permalink import CONVERGENCE, INFLUENCE, INFORMATION, LEARNABILITY, RELIABILITY, Address, Query
from ntkcore.specs import (
    ConvergenceSpec,
    ConvergenceView,
    InfluenceSpec,
    InfluenceView,
    InformationView,
    LearnabilitySpec,
    ReliabilityView,
    Spec,
    VerificationSpec,
)

S = TypeVar("S", LearnabilitySpec, ConvergenceSpec, InfluenceSpec)
V = TypeVar("V", bound=Spec)


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
    return compute_learnability(_query(choices), workspace())


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
    return compute_convergence(_query(choices), workspace())[0]


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
    return compute_influence(_query(choices), workspace())[0]


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
    return compute_reliability(_query(choices), workspace())[0]


def error_rates(result: InfluenceResult) -> pd.DataFrame:
    """One row per λ: the IHVP method's mean and median error rate, Theorem 3's lower bound, the share of pairs that satisfy it."""
    return reliability_tables.sweep_table(reliability_views.sweep(result, workspace()))


def on_network(
    result: InfluenceResult, target: int | None = None, view: ReliabilityView | None = None, ws: Workspace | None = None
) -> NetworkIhvp:
    """The IHVP method on a real network beside retraining, for the 40 images most influential on one held-out image; minutes.

    Args:
        result: from :func:`reliability`.
        target: the held-out image; None: the view's, else the one of the largest loss.
        view: λ (``ridge``), τ (``time``), width (``verify``), LiSSA's depth (``steps``), ``minibatch`` and ``runs``.
        ws: where it is kept.

    Raises:
        AtlasError: there is no such network or held-out image, or λ is 0.
    """
    view, ws = view or ReliabilityView(), ws or workspace()
    _, chosen = _moment(result, view.target if target is None else target, view.ridge, view.time, ())
    spec = reliability_network.to_compare(result, view, chosen, ws)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_network_ihvp(spec, ws)


def network_errors(found: NetworkIhvp) -> pd.DataFrame:
    """One row per estimate of :func:`on_network`: Pearson, Spearman and mean error rate against retraining."""
    return reliability_network.agreement_table(found)


def information(**choices: str | int | float | Sequence[str]) -> InfluenceResult:
    """Compute (or open, when stored) what :func:`information_table` answers from: the result of :func:`influence`, with its choices.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    return compute_information(_query(choices), workspace())[0]


def information_table(result: InfluenceResult, ridge: float = 0.01, time: float | None = None) -> pd.DataFrame:
    """All training images with their unique information in nats (Unique-info eqs. 8, 16; σ = 1), the most informative first.

    Args:
        result: from :func:`information`.
        ridge: λ.
        time: τ; None: the end of training.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training.
    """
    return information_views.table(result, InformationView(ridge=ridge, time=time), workspace())


def study(name: str, **choices: str | int | float | Sequence[str]) -> pd.DataFrame:
    """Compute (or open, when stored) a study of the information page, and give its table; minutes.

    Args:
        name: which, as on the command line.
        choices: the names of the page's address.

    Raises:
        AtlasError: there is no such study, or it cannot be had; says what to do.
    """
    return compute_study(name, _query(choices), workspace())[0]


def compute_study(name: str, query: Query, ws: Workspace) -> tuple[pd.DataFrame, str]:
    """Compute the study that a query names, in this process: its table, and the key it is stored under."""
    found = next((found for found in STUDIES if found.kind == name), None)
    if found is None:
        raise SpecError(f"There is no study {name!r}.", f"Choose one of: {', '.join(study.kind for study in STUDIES)}.")
    asked = found.asked(*INFORMATION.read(query))
    compute(asked, ws, PrintedProgress(ws.device))
    parts = found.open(asked, ws)
    return found.table(parts), parts.key


def compute_information(query: Query, ws: Workspace) -> tuple[InfluenceResult, InformationView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = _computed(INFORMATION, query, ws)
    return open_influence(spec, ws), view


def compute_reliability(query: Query, ws: Workspace) -> tuple[InfluenceResult, ReliabilityView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = RELIABILITY.read(query)
    reliability_views.require_one_kernel(spec)
    compute(spec, ws, PrintedProgress(ws.device))
    return open_influence(spec, ws), view


def compute_influence(query: Query, ws: Workspace) -> tuple[InfluenceResult, InfluenceView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = _computed(INFLUENCE, query, ws)
    return open_influence(spec, ws), view


def verifications(
    result: InfluenceResult,
    widths: Sequence[int],
    target: int | None = None,
    ridge: float = 0.01,
    time: float | None = None,
    remove: Sequence[int] = (),
) -> pd.DataFrame:
    """Real leave-one-out retraining of the 40 images most influential on one held-out image, a row for each width (IF-NTK Table 1).

    Args:
        result, target, ridge: as for :func:`influences`.
        widths: units of the two-layer networks; a network's own kernel has none to choose, and one row.
        time: τ; None: that of the paper, 5.
        remove: training images to leave out instead, each once.

    Returns:
        Columns ``width``, ``images``, ``pearson``, ``spearman``, ``median_relative_error`` between predicted and real influence, ``rate``,
        ``steps``, ``seconds``.
    """
    view, chosen = _moment(result, target, ridge, time, remove)
    asked = verification_views.ticked(result, view) if remove else verification_views.leading(result, view, chosen, workspace())
    return verification_views.width_table(_retrained(asked, widths), chosen)


def removals(
    result: InfluenceResult, images: Sequence[int], widths: Sequence[int], ridge: float = 0.01, time: float | None = None
) -> pd.DataFrame:
    """Real retraining without some training images together, a row for each width.

    Args:
        result, widths, ridge, time: as for :func:`verifications`.
        images: the training images that are left out together.

    Returns:
        Columns ``width``; predicted by the kernel ``accuracy``, ``accuracy_after``, ``loss_change`` (mean over the held-out images), and
        the same of the network with ``retrained_`` before them; ``pearson``, ``spearman`` and ``median_relative_error`` between the
        held-out images' predicted and real changes of loss; ``seconds``.
    """
    view, _ = _moment(result, None, ridge, time, images)
    return verification_views.removal_table(_retrained(verification_views.whole_basket(result, view), widths))


def _moment(
    result: InfluenceResult, target: int | None, ridge: float, time: float | None, basket: Sequence[int]
) -> tuple[InfluenceView, int]:
    """What is looked at, and the held-out image that is.

    Raises:
        SpecError: an image that does not exist.
    """
    view = InfluenceView(ridge=ridge, time=time or influence_views.PAPER_TIME, target=target, basket=tuple(basket))
    if problem := influence_views.missing_from(result, view):
        raise SpecError(problem, "Name one of those.")
    now = influence_views.held(result, view, workspace())
    return view, influence_views.target_of(result, view, influence_views.tests_shown(result, view, now), now)


def _retrained(asked: VerificationSpec, widths: Sequence[int]) -> list[Verification]:
    """The verification at each width; a network's own kernel has none to choose."""
    ws, found = workspace(), []
    for spec in [asked] if asked.width is None else [verification_views.at_width(asked, width) for width in widths]:
        compute(spec, ws, PrintedProgress(ws.device))
        found.append(open_verification(spec, ws))
    return found


def compute_learnability(query: Query, ws: Workspace) -> LearnabilityResult:
    """Compute what a query names, in this process, and open it."""
    spec, _ = _computed(LEARNABILITY, query, ws)
    return open_learnability(spec, ws)


def compute_convergence(query: Query, ws: Workspace) -> tuple[ConvergenceResult, ConvergenceView]:
    """Compute what a query names, in this process, and open it; with what it looks at."""
    spec, view = _computed(CONVERGENCE, query, ws)
    return open_convergence(spec, ws), view


def _computed(address: Address[S, V], query: Query, ws: Workspace) -> tuple[S, V]:
    spec, view = address.read(query)
    compute(spec, ws, PrintedProgress(ws.device))
    return spec, view


def _query(choices: Mapping[str, object]) -> Query:
    return {name: _text(value) for name, value in choices.items()}


def _text(value: object) -> str | list[str]:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return repr(value) if isinstance(value, float) else str(value)
