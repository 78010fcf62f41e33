"""The plain answer on top of the reliability page: how far IHVP is off at one λ, where to trust it, and what Theorem 3 says."""

from ntkcore.analyses.reliability.views import Summary, counts
from ntkcore.analyses.words import number, percent


def answer(now: Summary) -> tuple[str, ...]:
    """Five sentences: the error rate and the lights first, then the lower bound, who satisfies it, and what weighs on the mean."""
    trusted, careful, doubtful = counts(now)
    every = "All" if now.held == now.pairs else f"Only {now.held:,} of"
    left_out = f"; {now.zero:,} pairs with no influence at all are left out" if now.zero else ""
    return (
        f"At λ = {number(now.ridge)}, IHVP misses the true influence by {percent(now.mean)} on average over all pairs, "
        f"and by {percent(now.median)} at the median.",
        f"Of {trusted + careful + doubtful:,} held-out images, trust it on {trusted:,}, with care on {careful:,}, and not on {doubtful:,}.",
        f"Theorem 3’s lower bound of the error rate: {percent(now.bound)}, from λ_min = {number(now.least)}.",
        f"{every} {now.pairs:,} pairs satisfy its exact inequality.",
        f"Pairs whose influence is almost 0 weigh on the mean{left_out}.",
    )
