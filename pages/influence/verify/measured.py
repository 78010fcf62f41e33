"""How far an influence is known to be true: what retraining measured, in one quiet line that leads to the evidence."""

import html

from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.verification.analysis import measured, speaking
from ntkcore.analyses.verification.answer import checked_sentence
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.verification.views import time_of
from pages.shared import words

ANCHOR = "is-it-true"
"""Of the part of the page that shows the evidence."""


def measured_line(subject: Subject, target: int | None = None) -> str | None:
    """What retraining said of one held-out image's influences: HTML for a quiet paragraph; None where nothing was retrained.

    Args:
        subject: what is looked at.
        target: the held-out image; None: the one that is chosen.
    """
    view, target = subject.view, subject.target if target is None else target
    one = speaking(measured(subject.result.spec, subject.look.ws), view.ridge, time_of(view), target, view.verify)
    if one is None:
        return None
    said = html.escape(checked_sentence(one, view.ridge, time_of(view), target))
    return f'{said} ({words.when(one.created)}). <a href="#{ANCHOR}">The evidence</a>'


def how(found: Verification) -> str:
    """How a verification was made."""
    spec = found.spec
    return (
        f"λ = {words.number(spec.ridge)}, τ = {words.number(spec.time)}: {found.steps:,} steps of {words.number(found.rate)}, "
        f"in {words.duration(found.seconds)}, {words.when(found.created)}."
    )
