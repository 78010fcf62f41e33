"""What the studies of groups say, in sentences: which source, a sub-class, adversarial examples (Unique-info §6, Figs. 2a, 9, 10)."""

from collections.abc import Sequence

import numpy as np

from ntkcore.analyses.information.groups.scores import attacked, mostly_before, pooled, pooled_kind, rare_found, times_as_much
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.words import number, share
from ntkcore.information.detection import Estimate
from ntkcore.specs.groups import AdversarialSpec, SourcesSpec, SubclassSpec


def estimate(found: Estimate | None, digits: int = 3) -> str:
    """A number with its 95 % interval; "–" for none."""
    if found is None:
        return "–"
    value, low, high = (number(end, digits) for end in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def sources(pieces: Pieces[SourcesSpec], names: Sequence[str]) -> tuple[str, ...]:
    """The source whose images carry most beside the one whose carry least; ``names`` of the sources, for people."""
    first, last, times = most_and_least(pieces)
    more, less = names[first], names[last]
    if times is None:
        return ("No source’s images tell anything of their own at this time: nothing has been learned yet.",)
    if times.low <= 1:
        return (f"The images of {more} and {less} carry about as much unique information each: {estimate(times, 2)} times as much.",)
    return (
        f"An image of {more} carries {number(times.value, 2)} times as much unique information as one of {less} "
        f"(95 % interval {number(times.low)} to {number(times.high)}).",
    )


def most_and_least(pieces: Pieces[SourcesSpec]) -> tuple[int, int, Estimate | None]:
    """The sources whose images carry most and least, and how many times as much; None where the least have none."""
    every = [pooled(pieces, place) for place in range(len(pieces.spec.sources))]
    order = np.argsort([-values.mean() for values in every], kind="stable")
    first, last = int(order[0]), int(order[-1])
    return first, last, times_as_much(every[first], every[last])


def subclass(pieces: Pieces[SubclassSpec], count: int) -> str:
    """Whether the rare images, so many, carry more than the common ones of their class."""
    spec = pieces.spec
    times = rare_over_common(pieces, count)
    if times is None:
        return f"No image of {spec.common} tells anything of its own at this time: nothing has been learned yet."
    begin, only = ("Yes", "") if times.low > 1 else ("Not by this score", "only ") if times.high < 1 else ("It cannot be told", "")
    return (
        f"{begin}: with {count:,} images of {spec.rare} among {spec.common_count:,} of {spec.common}, one of {spec.rare} carries {only}"
        f"{how_many(times)} as much unique information as one of {spec.common}."
    )


def rare_over_common(pieces: Pieces[SubclassSpec], count: int) -> Estimate | None:
    """How many times as much a rare image carries as a common one; None where the common ones carry nothing."""
    return times_as_much(pooled_kind(pieces, count, 0), pooled_kind(pieces, count, 1))


def how_many(times: Estimate) -> str:
    """A factor, with its interval."""
    return f"{number(times.value, 2)} times (95 % interval {number(times.low)} to {number(times.high)})"


def rare_ones(pieces: Pieces[SubclassSpec], count: int) -> str:
    """How well F-SI finds the rare images, so many, among those of their class."""
    spec = pieces.spec
    areas = [rare_found(pieces, repeat, count).auc.value for repeat in range(spec.repeats)]
    return (
        f"F-SI ranks an image of {spec.rare} above one of {spec.common} in {100 * float(np.mean(areas)):.0f} % of all pairs (50 % by "
        f"chance; repeats {', '.join(f'{area:.2f}' for area in areas)}); the network’s labels call both {spec.rare} or {spec.common}."
    )


def adversarial(pieces: Pieces[AdversarialSpec]) -> tuple[str, ...]:
    """Whether adversarial images carry more than normal ones, and how much of it was theirs before the attack."""
    said = attacked(pieces)
    times, before = said.ratio, said.before_ratio
    if times is None or before is None:
        return ("No normal image tells anything of its own at this time: nothing has been learned yet.",)
    mostly = times.low > 1 and mostly_before(said)
    return (
        f"{'Yes, on average' if times.low > 1 else 'Not by this score'}: an adversarial image carries {estimate(times)} times as much "
        "unique information as a normal one.",
        f"Before the attack the same images carried {estimate(before)} times as much as the others"
        + (": most of it is which images can be attacked, not the attack." if mostly else "."),
    )


def attacks(pieces: Pieces[AdversarialSpec]) -> tuple[str, ...]:
    """How many images were attacked and fooled their network, and what became of accuracy."""
    said, spec = attacked(pieces), pieces.spec
    wanted = max(1, round(spec.share * spec.dataset.n)) * spec.repeats
    short = "" if said.found == wanted else f", fewer than the {wanted:,} wanted"
    return (
        f"FGSM with ε = {spec.epsilon:g} changed the class of {said.found:,} of {said.tried:,} images tried, among {said.right:,} that the "
        f"attacked networks had right{short}; they replace their originals.",
        f"Held-out accuracy {share(said.accuracy[0])} with the clean images, {share(said.accuracy[1])} with these.",
    )
