"""How far an influence is known to be true: what retraining measured, in one quiet line that leads to the evidence."""

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.verification.analysis import measured, speaking
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.verification.views import time_of
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.influence import InfluenceView
from pages.shared import words

ANCHOR = "is-it-true"
"""Of the part of the page that shows the evidence."""


def measured_line(result: InfluenceResult, view: InfluenceView, target: int | None = None, *, linked: bool = True) -> str | None:
    """What retraining said of one held-out image's influences: HTML for a quiet paragraph; None where nothing was retrained.

    Args:
        result, view: what is looked at.
        target: the held-out image; None: the one that the view shows.
        linked: whether it ends in a link to the evidence, further down the page.
    """
    ws = workspace()
    found = measured(result.spec, ws)
    if not found:
        return None
    if target is None:
        now = views.held(result, view, ws)
        target = views.target_of(result, view, views.tests_shown(result, view, now), now)
    one = speaking(found, view.ridge, time_of(view), target, view.verify)
    if one is None:
        return None
    return _said(result, view, one, target) + (f' <a href="#{ANCHOR}">The evidence</a>' if linked else "")


def agreement(found: Verification, target: int | None) -> str:
    """Pearson, Spearman and the median relative error, in words."""
    pearson, spearman = found.correlations(target)
    error = found.error(target)
    return (
        f"Pearson {words.signed(pearson)}, Spearman {words.signed(spearman)}, "
        f"median error {f'{100 * error:.0f} %' if error < 10 else f'{words.number(error, 2)} times'}"
    )


def _said(result: InfluenceResult, view: InfluenceView, one: Verification, target: int) -> str:
    spec, count = one.spec, len(one.spec.removed)
    which = f"{count} ticked ones" if spec.target is None else f"the {count} most influential on held-out image {spec.target}"
    whose = "" if spec.target == target else f", for held-out image {target}"
    elsewhere = (spec.ridge, spec.time) != (view.ridge, view.time)
    there = f"At λ = {words.number(spec.ridge)} and τ = {words.number(spec.time)} checked" if elsewhere else "Checked"
    network = "the network" if spec.width is None else f"a network of {spec.width:,} units"
    return (
        f"{there} by retraining {network} on the {len(result.labels):,} images without each of {which}{whose}: "
        f"{agreement(one, target)} ({words.when(one.created)})."
    )
