"""What a comparison says, in sentences of plain text: the same on the page, in a terminal and in a report."""

from math import isnan

import numpy as np

from ntkcore.analyses.compare.look import Agreement, Look
from ntkcore.analyses.materials.thumbnails import noun
from ntkcore.analyses.words import fixed, number, percent, signed


def sentences(look: Look) -> tuple[str, ...]:
    """How alike the rankings are, which images lead in both, and what both predict."""
    kind = noun(look.one.pack, look.ws)
    found = look.agreement
    return _order(look, found, kind), _leading(look, found, kind), _predictions(look, kind)


def correlation_words(found: Agreement) -> str:
    """ρ with its interval: the part of a sentence that a page sets in bold."""
    rho = found.spearman
    return f"Spearman’s ρ = {signed(rho.rho)}, {100 * rho.level:.0f} % interval {signed(rho.low)} to {signed(rho.high)}"


def _order(look: Look, found: Agreement, kind: str) -> str:
    rho, title = found.spearman, look.titles[look.view.score].partition(", ")[0]  # without its unit
    these = f"these {rho.n:,} {kind}s"
    if not rho.defined:
        return f"Whether A and B rank {these} alike by {title} cannot be said: {rho.reason}."
    if rho.low <= 0 <= rho.high:
        how = "in no common order"
    elif rho.rho < 0:
        how = "in opposite orders"
    else:
        how = "almost alike" if rho.low >= 0.9 else "alike" if rho.low >= 0.7 else "somewhat alike"
    return f"By {title} A and B rank {these} {how}: {correlation_words(found)}; Kendall’s τ = {signed(found.kendall)}."


def _leading(look: Look, found: Agreement, kind: str) -> str:
    alignment = look.result.alignment
    alike = "" if isnan(alignment) else f" The centred alignment of their kernels is {fixed(alignment)}."
    chance = number(found.chance, 2)
    return f"Of the {found.leading:,} {kind}s that are largest in A {found.shared:,} are so in B, too ({chance} by chance).{alike}"


def _predictions(look: Look, kind: str) -> str:
    one, two = (side.held() for side in look.sides)
    first, second = (percent(float(held.correct.mean()), 3) for held in (one, two))
    same = percent(float(np.mean(one.predicted == two.predicted)), 3)
    return f"Of the {len(one.loss):,} held-out {kind}s A classifies {first} right and B {second}; they predict the same for {same}."
