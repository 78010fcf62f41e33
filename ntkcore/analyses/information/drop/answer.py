"""What dropping images costs, in sentences (Unique-info §6, Fig. 2c)."""

from ntkcore.analyses.information.drop.views import TOLERATED, Cost, cost
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.words import number, share
from ntkcore.specs.summary import DropView, SummaryStudySpec


def answer(pieces: Pieces[SummaryStudySpec], drop: DropView) -> tuple[str, ...]:
    """What the share costs that the view drops, by the judge that it chose, and up to which share it costs next to nothing."""
    n = pieces.spec.influence.dataset.n
    if drop.share == 0:
        return (to_keep(n, drop),)
    judge = judge_of(pieces, drop)
    said = cost(pieces, judge, drop.share)
    if said is None:
        return ("Dropping so many of the least informative leaves a class without any image: drop fewer.",)
    whose = "" if judge == "kernel" else " of the network trained anew"
    return (
        f"{verdict(said)}: test accuracy{whose} {share(said.own.value)} instead of {share(said.whole.value)}, against "
        f"{share(said.random.value)} when as many are dropped at random and {share(said.top.value)} when the most informative go.",
        f"{f'Up to {said.most} % can go' if said.most else f'Not even {said.first} % can go'} for at most "
        f"{number(100 * TOLERATED)} percentage points.",
    )


def judge_of(pieces: Pieces[SummaryStudySpec], drop: DropView) -> str:
    """What is trained on the images kept: the view's choice, where the study trained a network."""
    return drop.judge if pieces.spec.model is not None else "kernel"


def verdict(said: Cost) -> str:
    """Whether so many can go."""
    return f"{said.percent} % of the images can go" if said.most >= said.percent else f"Dropping {said.percent} % of the images costs"


def to_keep(n: int, drop: DropView) -> str:
    """What the list of n images keeps; needs no study."""
    return f"The list keeps {kept(n, drop)} images: what is least informative goes first, scored anew after every {number(drop.step)} %."


def kept(n: int, drop: DropView) -> str:
    """How many of n images the list keeps, and n; at least one stays."""
    return f"{n - min(round(drop.share / 100 * n), n - 1):,} of {n:,}"
