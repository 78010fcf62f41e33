"""The analyses in a notebook: a few lines, the same store and the same sentences as the pages.

>>> from ntkcore import notebook as ntk
>>> result = ntk.compute("learnability", dataset="mnist", classes=["7", "9"], model="cnn4")  # doctest: +SKIP
>>> ntk.table(result)  # doctest: +SKIP
>>> ntk.answer(result)  # doctest: +SKIP

Every analysis has a name, which is that of its page, address and command; what can be chosen are the names of its address. Each also has a
function of its own, ``influence(...)`` for ``compute("influence", ...)``, and some have tables of their own, such as :func:`influences`.
Numbers, columns and arrays of NumPy, pandas and torch are taken wherever Python's own are.
"""

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ntkcore.analyses import catalogue, defaults
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.duplicates.result import DuplicatesResult
from ntkcore.analyses.influence import views as influence_views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.prepared import prepared
from ntkcore.analyses.reliability import stochastic
from ntkcore.analyses.reliability.analysis import RELIABILITY
from ntkcore.analyses.reliability.network import NETWORK_IHVP
from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.verification import views as verification_views
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES, Query
from ntkcore.specs import Spec
from ntkcore.specs.active import ActiveSpec
from ntkcore.specs.influence import InfluenceView, VerificationSpec
from ntkcore.specs.information import InformationView, Score
from ntkcore.specs.learnability import LearnabilityView
from ntkcore.specs.reliability import ReliabilityView

Choice = str | int | float | bool | Sequence[str] | Sequence[int]


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


@dataclass(frozen=True)
class Asked:
    """What a name and its choices ask for, and how it is looked at."""

    analysis: Analysis[Any, Any, Any]
    spec: Spec
    view: Spec


def ask(name: str, query: Query, ws: Workspace) -> Asked:
    """What a query asks for, by an analysis's name; what it hangs on is computed first. A preparation that is filled in is told.

    Raises:
        AtlasError: there is no such analysis, or the query asks for nothing that can be.
    """
    analysis = catalogue.named(name)
    query, filled = prepared(query, ws)
    if filled:
        print(f"note: {filled}", file=sys.stderr)
    spec, view = defaults.read(ADDRESSES[name], query, ws)
    if analysis.after is not None:
        analysis.after.compute(spec, ws, PrintedProgress(ws.device))
    return Asked(analysis, analysis.asked(spec, view, ws), view)


def compute(what: str | Spec, **choices: Choice) -> Any:
    """Compute an analysis, or open it when it is stored.

    Args:
        what: its name, or its specification.
        choices: with a name, the names of its address and of the command line: ``dataset``, ``classes``, ``n``, ``model`` ...; what is
            left out has its default. ``python -m ntkcore NAME --help`` tells them all.

    Returns:
        Its result, for :func:`answer` and :func:`table`.

    Raises:
        AtlasError: says what is wrong and what to do.
    """
    ws = workspace()
    if isinstance(what, str):
        asked = ask(what, _query(choices), ws)
        analysis, spec = asked.analysis, asked.spec
    else:
        analysis, spec = catalogue.of(what), what
    analysis.compute(spec, ws, PrintedProgress(ws.device))
    return analysis.open(spec, ws)


def open(what: str | Spec, **choices: Choice) -> Any:
    """Open a stored analysis, as :func:`compute` without computing.

    Raises:
        AtlasError: it is not stored, or nothing that can be.
    """
    if isinstance(what, str):
        ws, analysis = workspace(), catalogue.named(what)
        spec, view = defaults.read(ADDRESSES[what], _query(choices), ws)
        return analysis.open(analysis.asked(spec, view, ws), ws)
    return catalogue.of(what).open(what, workspace())


def answer(result: Any, name: str = "", **looks: Choice) -> tuple[str, ...]:
    """What a result says, in the sentences of its page.

    Args:
        result: from :func:`compute`.
        name: of the analysis that looks at it, where several do ("reliability", "information"); "" for its own.
        looks: names of its address that say how it is looked at: ``ridge``, ``time``, ``target`` ...
    """
    analysis, view = _looked(result, name, looks)
    return analysis.answer(result, view, workspace())


def table(result: Any, name: str = "", **looks: Choice) -> pd.DataFrame:
    """A result's numbers; arguments as of :func:`answer`."""
    analysis, view = _looked(result, name, looks)
    return analysis.table(result, view, workspace())


def _looked(result: Any, name: str, looks: Mapping[str, Choice]) -> tuple[Analysis[Any, Any, Any], Spec]:
    analysis = catalogue.named(name) if name else catalogue.of(result.spec)
    view = ADDRESSES[analysis.name].read(_query(looks))[1]
    if problem := analysis.missing(result, view):
        raise SpecError(problem, "Name one of those.")
    return analysis, view


def learnability(**choices: Choice) -> LearnabilityResult:
    """``compute("learnability", ...)``: which images are easy, which are hard."""
    return compute("learnability", **choices)


def ranking(result: LearnabilityResult) -> pd.DataFrame:
    """All images, hardest (smallest k(x,x)) first."""
    return LEARNABILITY.table(result, LearnabilityView(), workspace())


def convergence(**choices: Choice) -> ConvergenceResult:
    """``compute("convergence", ...)``: pseudo-NTK against full kernel over width and training."""
    return compute("convergence", **choices)


def comparison_table(result: ConvergenceResult) -> pd.DataFrame:
    """One row per comparison (width, seed, epoch), with every number."""
    return table(result)


def influence(**choices: Choice) -> InfluenceResult:
    """``compute("influence", ...)``: a kernel on training and held-out images, from which :func:`influences` answers at once."""
    return compute("influence", **choices)


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
    view = InfluenceView(ridge=_own(ridge), time=_ending(time), target=_own(target))
    return INFLUENCE.table(result, _present(result, view), workspace())


def reliability(**choices: Choice) -> InfluenceResult:
    """``compute("reliability", ...)``: the result of :func:`influence`, from which :func:`error_rates` answers."""
    return compute("reliability", **choices)


def error_rates(result: InfluenceResult) -> pd.DataFrame:
    """One row per λ: the IHVP method's mean and median error rate, Theorem 3's lower bound, the share of pairs that satisfy it."""
    return RELIABILITY.table(result, ReliabilityView(), workspace())


def on_network(result: InfluenceResult, target: int | None = None, view: ReliabilityView | None = None) -> NetworkIhvp:
    """The IHVP method on a real network beside retraining, for the 40 images most influential on one held-out image; minutes.

    Args:
        result: from :func:`reliability`.
        target: the held-out image; None: the view's, else the one of the largest loss.
        view: λ (``ridge``), τ (``time``), width (``verify``), LiSSA's depth (``steps``), ``minibatch`` and ``runs``.

    Raises:
        AtlasError: there is no such network or held-out image, or λ is 0.
    """
    view = view or ReliabilityView()
    view = view if target is None else view.model_copy(update={"target": _own(target)})
    return compute(NETWORK_IHVP.asked(result.spec, view, workspace()))


def network_errors(found: NetworkIhvp) -> pd.DataFrame:
    """One row per estimate of :func:`on_network`: Pearson, Spearman and mean error rate against retraining."""
    return stochastic.agreement_table(found)


def information(**choices: Choice) -> InfluenceResult:
    """``compute("information", ...)``: the result of :func:`influence`, from which :func:`information_table` answers."""
    return compute("information", **choices)


def information_table(
    result: InfluenceResult,
    ridge: float = 0.01,
    time: float | None = None,
    *,
    score: Score = "held-out",
    descent: float | None = None,
    averaged: bool = False,
) -> pd.DataFrame:
    """All training images with their unique information in nats (Unique-info eqs. 8, 16; σ = 1), the most informative first.

    Args:
        result: from :func:`information`.
        ridge: λ.
        time: τ, or steps; None: the end of training.
        score: what a removal changes: the outputs of the "held-out" or the "training" images, or the mean training "loss".
        descent: rate of gradient descent, whose steps ``time`` counts; None: gradient flow.
        averaged: a removal keeps the averaged loss's rate and λ, as the authors' code does, not the summed one's.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training, or the rate so large that the descent diverges.
    """
    view = InformationView(ridge=_own(ridge), time=_ending(time), score=score, descent=_own(descent), averaged=averaged)
    return INFORMATION.table(result, view, workspace())


def noise_table(
    result: InfluenceResult, ridge: float = 0.01, time: float | None = None, rate: float = 0.01, batch: int = 1
) -> pd.DataFrame:
    """All training images with their information in the weights by SGD's own noise and by Langevin's (Unique-info Prop. 5.1, eq. 15).

    Args:
        result: from :func:`information`.
        ridge: λ.
        time: τ; None: the end of training.
        rate: η of SGD; ``batch`` b, images of a step.

    Returns:
        Without the columns of SGD's noise where that cannot be had; ``answer`` says why.
    """
    believe = {"show": "noise", "rate": _own(rate), "batch": _own(batch)}
    view = InformationView.model_validate({"ask": "believe", "ridge": _own(ridge), "time": _ending(time), "believe": believe})
    return INFORMATION.table(result, view, workspace())


def study(name: str, **choices: Choice) -> pd.DataFrame:
    """Compute (or open, when stored) a study of the information page, and give its table; minutes.

    Args:
        name: which, as on the command line.
        choices: the names of the page's address.

    Raises:
        AtlasError: there is no such study, or it cannot be had; says what to do.
    """
    return table(compute(name, **choices))


def active(**choices: Choice) -> Pieces[ActiveSpec]:
    """``compute("active", ...)``: strategies of active learning compete, with labels that are known; minutes."""
    return compute("active", **choices)


def duplicates(**choices: Choice) -> DuplicatesResult:
    """``compute("duplicates", ...)``: which images are there more than once, with which labels."""
    return compute("duplicates", **choices)


def image_map(**choices: Choice) -> MapResult:
    """``compute("map", ...)``: the images on the plane of the network's own kernel, and who is near whom."""
    return compute("map", **choices)


def compare(**choices: Choice) -> CompareResult:
    """``compute("compare", ...)``: two kernels on the same images; B's choices begin with ``b_``, as ``b_model="cnn4"``."""
    return compute("compare", **choices)


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
    ws = workspace()
    basket = tuple(_own(remove))
    look = InfluenceView(ridge=_own(ridge), time=_ending(time) or influence_views.PAPER_TIME, target=_own(target), basket=basket)
    view = _present(result, look)
    chosen = Subject.of(Look.of(result, view.ridge, view.time, ws), view).target
    asked = verification_views.ticked(result, view) if basket else verification_views.leading(result, view, chosen, ws)
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
    look = InfluenceView(ridge=_own(ridge), time=_ending(time) or influence_views.PAPER_TIME, basket=tuple(_own(images)))
    return verification_views.removal_table(_retrained(verification_views.whole_basket(result, _present(result, look)), widths))


def additions(
    result: InfluenceResult, images: Sequence[int], widths: Sequence[int], ridge: float = 0.01, time: float | None = None
) -> pd.DataFrame:
    """Real retraining with some held-out images learned, too, with their labels, a row for each width.

    Args:
        result, widths, ridge, time: as for :func:`verifications`.
        images: the held-out images that are added together.

    Returns:
        The columns of :func:`removals`, over the held-out images that were not added.
    """
    time = _ending(time) or influence_views.PAPER_TIME
    look = InfluenceView(ridge=_own(ridge), time=time, deed="add", picked=tuple(_own(images)))
    return verification_views.removal_table(_retrained(verification_views.whole_basket(result, _present(result, look)), widths))


def _present(result: InfluenceResult, view: InfluenceView) -> InfluenceView:
    """The view, whose images exist.

    Raises:
        SpecError: one does not.
    """
    if problem := influence_views.missing_from(result, view):
        raise SpecError(problem, "Name one of those.")
    return view


def _retrained(asked: VerificationSpec, widths: Sequence[int]) -> list[Verification]:
    """The verification at each width; a network's own kernel has none to choose."""
    specs = [asked] if asked.width is None else [verification_views.at_width(asked, width) for width in _own(widths)]
    ws, found = workspace(), []
    for spec in specs:
        VERIFICATION.compute(spec, ws, PrintedProgress(ws.device))
        found.append(VERIFICATION.open(spec, ws))
    return found


def _query(choices: Mapping[str, object]) -> Query:
    return {name.replace("_", "-"): _text(_own(value)) for name, value in choices.items()}


def _own(value: Any) -> Any:
    """A number, a column or an array of any library as Python's own number or list.

    Raises:
        SpecError: a table.
    """
    if getattr(value, "ndim", 1) > 1:
        raise SpecError(f"A table of the shape {tuple(value.shape)} is no choice.", "Give one of its columns.")
    if isinstance(value, np.longdouble):
        return float(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return [_own(one) for one in value]
    return value


def _ending(time: Any) -> float | None:
    """A time of training; the end, None, for one that is infinite."""
    time = _own(time)
    return None if time is not None and math.isinf(time) else time


def _text(value: object) -> str | list[str]:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return repr(value) if isinstance(value, float) else str(value)
