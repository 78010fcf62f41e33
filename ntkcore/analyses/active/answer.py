"""What an active learning study says, in sentences."""

from math import isnan

from ntkcore.analyses.active import views
from ntkcore.analyses.active.views import Row, Study
from ntkcore.analyses.words import duration, fixed, number, percent
from ntkcore.specs.active import STRATEGIES, ActiveView

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def answer(found: Study, view: ActiveView) -> tuple[str, ...]:
    """Who needs the fewest labels, how far that is from chance, what a choice costs, and what classes were not seen."""
    level = views.level_of(found, view)
    every, competing = views.rows(found, level), views.competing(found.spec)
    rows = [row for row in every if row.name in competing]
    ceiling = "".join(_ceiling(found, row, level) for row in every if row.name not in competing)
    return tuple(text for text in (_first(found, view, rows, level), ceiling, _overall(found, rows), _cost(rows), *remarks(found)) if text)


def _first(found: Study, view: ActiveView, rows: list[Row], level: float) -> str:
    spec, goal = found.spec, f"{100 * level:g} %"
    base = views.reference(spec)
    other = next(row for row in rows if row.name == base)
    seeds = f"{_count(spec.seeds)} seed{'' if spec.seeds == 1 else 's'}"
    reached = [row for row in rows if not isnan(row.needed)]
    if not reached:
        best = max(rows, key=lambda row: row.final)
        return (
            f"No strategy reaches {goal} with {spec.protocol.labels[-1]:,} labels: {named(best.name)} comes closest, with "
            f"{percent(best.final)} ({seeds})."
        )
    best = min(reached, key=lambda row: (row.needed, -row.area))
    said = f"{named(best.name, first=True)} reaches {goal} with {_labels(best.needed)} labels"
    if len(rows) == 1:
        return f"{said} ({seeds})."
    if best.name == base:
        next_best = min((row for row in rows if row.name != base), key=lambda row: (_last(row.needed), -row.area))
        return f"{said}, before all others: {_needs(next_best, best)} ({seeds}{_apart(found, view, next_best.name)})."
    return f"{said}; {_needs(other, best)} ({seeds}{_apart(found, view, best.name)})."


def _apart(found: Study, view: ActiveView, name: str) -> str:
    if found.spec.seeds < 2:
        return ""
    said = views.apart(found, name, views.cycle_of(found, view))
    return (
        f", difference {fixed(100 * said.difference, 1)} ± {fixed(100 * said.half, 1)} percentage points at {said.labels:,} labels, "
        f"{probability(said.p)}"
    )


def _overall(found: Study, rows: list[Row]) -> str:
    test = views.overall(found)
    if test is None:
        return ""
    best = max(rows, key=lambda row: row.area)
    return (
        f"On average on the way to {found.spec.protocol.labels[-1]:,} labels {named(best.name)} has most right, "
        f"{percent(best.area, 3)}; that the {_count(len(rows))} strategies do equally well has {probability(test.p)} (Friedman)."
    )


def _ceiling(found: Study, row: Row, level: float) -> str:
    said = "does not reach" if isnan(row.needed) else "reaches"
    least = "" if isnan(row.needed) else f" with {_labels(row.needed)} labels"
    return f"The best of {found.spec.batches:,} random batches a cycle, chosen by their labels, {said} {100 * level:g} %{least}."


def _cost(rows: list[Row]) -> str:
    slow, quick = max(rows, key=lambda row: row.seconds), min(rows, key=lambda row: row.seconds)
    if slow is quick:
        return f"A choice takes {duration(slow.seconds)}, a training {duration(slow.training)}."
    training = sum(row.training for row in rows) / len(rows)
    return (
        f"A choice takes {named(slow.name)} {_seconds(slow.seconds)} and {named(quick.name)} {_seconds(quick.seconds)}; "
        f"a training takes {_seconds(training)}."
    )


def remarks(found: Study) -> tuple[str, ...]:
    """What classes were without a label, at first and until the last choice."""
    spec, said = found.spec, []
    alone = int((found["first"][:: len(spec.strategies)] > 0).sum(1).min())
    first = views.unseen(found, 0)
    if alone == 1:
        said.append("In some repeat the first labelled images are all of one class: until others are chosen the network knows no other.")
    elif first:
        _, seeds, classes = first[0]
        said.append(
            f"In {seeds} of {spec.seeds} repeats no image of some class is labelled at first (up to {_count(classes)} "
            f"class{'' if classes == 1 else 'es'}): the network cannot name it until one is chosen."
        )
    for name, seeds, _ in views.unseen(found, spec.protocol.cycles):
        said.append(f"{named(name, first=True)} leaves a class without any label to the end, in {seeds} of {spec.seeds} repeats.")
    return tuple(said)


def probability(p: float) -> str:
    """p as a person writes it."""
    return "p below 0.001" if p < 0.001 else f"p = {number(p, 2)}"


def named(name: str, first: bool = False) -> str:
    """A strategy within a sentence, or as its first word."""
    title = STRATEGIES[name]
    return title[0].lower() + title[1:] if not first and title.split()[0][1:].islower() else title


def _needs(row: Row, best: Row) -> str:
    name = named(row.name)
    if isnan(row.needed):
        return f"{name} does not"
    return f"{name} needs {'as many' if _labels(row.needed) == _labels(best.needed) else _labels(row.needed)}"


def _labels(count: float) -> str:
    return f"{round(count):,}"


def _last(count: float) -> float:
    return float("inf") if isnan(count) else count


def _seconds(seconds: float) -> str:
    return f"{number(1000 * seconds, 2)} ms" if seconds < 1 else f"{number(seconds, 2)} s"


def _count(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"
