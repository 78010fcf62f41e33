"""An active learning study, looked at: curves over labels, differences, labels needed, what was chosen; nothing is trained here."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntkcore.active.comparison import Friedman, Means, area, friedman, holm, labels_needed, means, paired_tests
from ntkcore.analyses.study import Pieces
from ntkcore.specs.active import CEILING, STRATEGIES, ActiveSpec, ActiveView

Float = NDArray[np.float64]
Study = Pieces[ActiveSpec]
QUERY, TRAINING = 0, 1
"""Columns of the seconds."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A strategy's means over the seeds, at some numbers of labels."""

    name: str
    labels: tuple[int, ...]
    means: Means


@dataclass(frozen=True, slots=True)
class Row:
    """A strategy in numbers.

    Attributes:
        name: of the strategy.
        needed: labels at which its mean accuracy first is the level, NaN where it never is; each: (seeds,) of every seed by itself.
        area, areas: mean accuracy on the way, over the seeds, and (seeds,) of each.
        final: mean accuracy with all labels.
        seconds, training: means of a choice and of the training before it.
        p, alone: of the paired t-test of areas against the reference, with Holm's correction and without; NaN for the reference, the
            ceiling and for one seed.
    """

    name: str
    needed: float
    each: Float
    area: float
    areas: Float
    final: float
    seconds: float
    training: float
    p: float
    alone: float


@dataclass(frozen=True, slots=True)
class Apart:
    """How far a strategy is ahead of the reference after a cycle: share of the held-out images, half its 95 % interval, and p."""

    labels: int
    difference: float
    half: float
    p: float


@dataclass(frozen=True, slots=True)
class Pick:
    """That a strategy chose an image: in which repeat, from 0, and cycle, from 1, and as which of the cycle's choices, from 1."""

    strategy: str
    repeat: int
    cycle: int
    place: int


def reference(spec: ActiveSpec) -> str:
    """What the others are compared with: random where it competes, else the first."""
    return "random" if "random" in spec.strategies else competing(spec)[0]


def competing(spec: ActiveSpec) -> tuple[str, ...]:
    """The strategies that are compared: all but the ceiling, unless it is alone."""
    return tuple(name for name in spec.strategies if name != CEILING) or spec.strategies


def by_strategy(found: Study, name: str) -> Float:
    """An array of the study as (strategies, seeds, ...)."""
    values, spec = found[name], found.spec
    return np.swapaxes(values.reshape(spec.seeds, len(spec.strategies), *values.shape[1:]), 0, 1)


def curves(found: Study) -> list[Curve]:
    """Accuracy over labels."""
    labels = found.spec.protocol.labels
    return [Curve(name, labels, means(values)) for name, values in zip(found.spec.strategies, by_strategy(found, "accuracy"), strict=True)]


def differences(found: Study) -> list[Curve]:
    """Accuracy less the reference's, seed by seed, of all others."""
    spec, values = found.spec, by_strategy(found, "accuracy")
    base = values[spec.strategies.index(reference(spec))]
    labels = spec.protocol.labels
    return [Curve(name, labels, means(one - base)) for name, one in zip(spec.strategies, values, strict=True) if name != reference(spec)]


def query_seconds(found: Study) -> list[Curve]:
    """Seconds of a choice over the labels that it is made from."""
    labels, seconds = found.spec.protocol.labels[:-1], by_strategy(found, "seconds")[:, :, :-1, QUERY]
    return [Curve(name, labels, means(values)) for name, values in zip(found.spec.strategies, seconds, strict=True)]


def level_of(found: Study, view: ActiveView) -> float:
    """The accuracy that labels are counted for: the view's, or the whole percents that the reference reaches at the end."""
    if view.level is not None:
        return view.level / 100
    last = by_strategy(found, "accuracy")[found.spec.strategies.index(reference(found.spec)), :, -1].mean()
    return floor(100 * float(last) - 1e-9) / 100  # below it also where it is a whole number, to rounding


def cycle_of(found: Study, view: ActiveView) -> int:
    """The cycle that is looked at, from 1: the view's, or the middle one."""
    return view.cycle or (found.spec.protocol.cycles + 1) // 2


def shown(found: Study, view: ActiveView) -> tuple[str, ...]:
    """The strategies in charts and galleries: the view's, or all."""
    return tuple(name for name in found.spec.strategies if name in view.only or not view.only)


def rows(found: Study, level: float) -> list[Row]:
    """Every strategy in numbers."""
    spec, labels, values = found.spec, found.spec.protocol.labels, by_strategy(found, "accuracy")
    seconds = by_strategy(found, "seconds")
    areas = area(labels, values)  # (strategies, seeds)
    p, alone = _against(areas, spec)
    return [
        Row(
            name=name,
            needed=labels_needed(labels, values[place].mean(0), level),
            each=np.array([labels_needed(labels, one, level) for one in values[place]]),
            area=float(areas[place].mean()),
            areas=areas[place],
            final=float(values[place, :, -1].mean()),
            seconds=float(seconds[place, :, :-1, QUERY].mean()),
            training=float(seconds[place, :, :-1, TRAINING].mean()),
            p=p[place],
            alone=alone[place],
        )
        for place, name in enumerate(spec.strategies)
    ]


def apart(found: Study, name: str, cycle: int) -> Apart:
    """A strategy and the reference after a cycle; p of the paired t-test there, with Holm's correction over all strategies."""
    spec, values = found.spec, by_strategy(found, "accuracy")[:, :, cycle]
    place, base = spec.strategies.index(name), spec.strategies.index(reference(spec))
    said = means((values[place] - values[base])[:, None])
    half = float(said.high[0] - said.value[0])
    return Apart(spec.protocol.labels[cycle], float(said.value[0]), half, _against(values, spec)[0][place])


def overall(found: Study) -> Friedman | None:
    """Friedman's test of the areas; None for fewer than three strategies or two seeds."""
    spec = found.spec
    compared = [spec.strategies.index(name) for name in competing(spec)]
    if spec.seeds < 2 or len(compared) < 3:
        return None
    return friedman(area(spec.protocol.labels, by_strategy(found, "accuracy")[compared]).T)


def _against(values: Float, spec: ActiveSpec) -> tuple[list[float], list[float]]:
    """p of every strategy's ``values`` (strategies, seeds) against the reference's, corrected and as they are."""
    base = spec.strategies.index(reference(spec))
    found, alone = [nan] * len(values), [nan] * len(values)
    others = [place for place, name in enumerate(spec.strategies) if place != base and name in competing(spec)]
    if spec.seeds > 1 and others:
        each = paired_tests(values.T).p[base]
        for place, p in zip(others, holm(each[others]), strict=True):
            found[place], alone[place] = float(p), float(each[place])
    return found, alone


def picks(found: Study, seed: int, cycle: int) -> NDArray[np.intp]:
    """(strategies, query) images chosen in a cycle, from 1, of a seed, in the order chosen."""
    return by_strategy(found, "picks")[:, seed, cycle - 1].astype(np.intp)


def norms(found: Study, seed: int, cycle: int) -> Float:
    """(strategies, query) their k(x,x) before training."""
    return np.asarray(by_strategy(found, "norms")[:, seed, cycle - 1])


def chosen(found: Study, image: int) -> list[Pick]:
    """Who chose an image and when, in all repeats: by strategy, then by repeat. A repeat's strategy chooses an image once at most."""
    where = np.argwhere(by_strategy(found, "picks") == image)
    return [Pick(found.spec.strategies[place], seed, cycle + 1, turn + 1) for place, seed, cycle, turn in where.tolist()]


def hardness(found: Study, image: int, repeat: int) -> tuple[float, float] | None:
    """k(x,x) of an image before training in a repeat, and the share of the images chosen there that have a larger one.

    None where nobody chose it in that repeat: no other image's was measured.
    """
    numbers, values = (by_strategy(found, name)[:, repeat].ravel() for name in ("picks", "norms"))
    of_image = dict(zip(numbers.astype(int).tolist(), values.tolist(), strict=True))  # the network is the same for all strategies
    if image not in of_image:
        return None
    others = np.array([value for number, value in of_image.items() if number != image])
    return of_image[image], float(np.mean(others > of_image[image])) if len(others) else 0.0


def balance(found: Study, cycle: int) -> Float:
    """(strategies, classes) labels of each class after a cycle, mean over the seeds."""
    first, picked = by_strategy(found, "first"), by_strategy(found, "picked")[:, :, :cycle]
    each = np.stack([(picked == place).sum((2, 3)) for place in range(first.shape[2])], axis=2)
    return np.asarray((first + each).mean(1))


def overlap(found: Study, cycle: int) -> Float:
    """(strategies, strategies) share of the images chosen until a cycle that both chose, mean over the seeds."""
    chosen = by_strategy(found, "picks")[:, :, :cycle].reshape(len(found.spec.strategies), found.spec.seeds, -1)
    return np.array([[np.mean([np.isin(a, b).mean() for a, b in zip(one, other, strict=True)]) for other in chosen] for one in chosen])


def unseen(found: Study, cycle: int) -> list[tuple[str, int, int]]:
    """Of strategies in some of whose seeds a class has no label after a cycle: name, seeds, and most such classes of one of them."""
    first, picked = by_strategy(found, "first"), by_strategy(found, "picked")[:, :, :cycle]
    each = first + np.stack([(picked == place).sum((2, 3)) for place in range(first.shape[2])], axis=2)
    missing = (each == 0).sum(2)
    said = zip(found.spec.strategies, missing, strict=True)
    return [(name, int((counts > 0).sum()), int(counts.max())) for name, counts in said if counts.any()]


def missing_from(found: Study, view: ActiveView) -> str:
    """What the view names that the study has not, a sentence; "" when nothing."""
    if view.cycle is not None and view.cycle > found.spec.protocol.cycles:
        return f"There is no cycle {view.cycle}: this study has {found.spec.protocol.cycles}."
    if absent := [name for name in view.only if name not in found.spec.strategies]:
        return f"{absent[0]!r} does not compete in this study: {', '.join(found.spec.strategies)} do."
    if view.repeat >= found.spec.seeds:
        return f"There is no repeat {view.repeat}: this study has {found.spec.seeds}, from 0 on."
    if view.image is not None and view.image >= found.spec.dataset.n:
        return f"There is no image {view.image:,}: they are 0 to {found.spec.dataset.n - 1:,}."
    return ""


def table(found: Study, level: float) -> pd.DataFrame:
    """A row for each strategy."""
    against = reference(found.spec)
    return pd.DataFrame(
        [
            {
                "strategy": STRATEGIES[row.name],
                f"labels for {100 * level:g} %": row.needed,
                "area under accuracy": row.area,
                "accuracy at the end": row.final,
                "seconds of a choice": row.seconds,
                "seconds of a training": row.training,
                f"p against {against} (area, paired t, Holm)": row.p,
                f"p against {against} (area, paired t)": row.alone,
            }
            for row in rows(found, level)
        ]
    )


def curve_table(curves: Sequence[Curve], what: str) -> pd.DataFrame:
    """Means and 95 % intervals, a row for each strategy and number of labels."""
    return pd.DataFrame(
        [
            {"strategy": STRATEGIES[one.name], "labels": labels, what: value, "low": low, "high": high}
            for one in curves
            for labels, value, low, high in zip(one.labels, one.means.value, one.means.low, one.means.high, strict=True)
        ]
    )


def seed_table(found: Study) -> pd.DataFrame:
    """Everything that was measured, a row for each strategy, seed and cycle."""
    accuracy, seconds, labels = by_strategy(found, "accuracy"), by_strategy(found, "seconds"), found.spec.protocol.labels
    return pd.DataFrame(
        [
            {
                "strategy": STRATEGIES[name],
                "repeat": seed,
                "labels": labels[cycle],
                "accuracy": accuracy[place, seed, cycle],
                "seconds of the choice": seconds[place, seed, cycle, QUERY],
                "seconds of the training": seconds[place, seed, cycle, TRAINING],
            }
            for place, name in enumerate(found.spec.strategies)
            for seed in range(found.spec.seeds)
            for cycle in range(len(labels))
        ]
    )


def pick_table(found: Study, class_names: Sequence[str], ids: Sequence[str]) -> pd.DataFrame:
    """Every image that was chosen, a row each."""
    numbers, norms = by_strategy(found, "picks").astype(int), by_strategy(found, "norms")
    classes = by_strategy(found, "picked").astype(int)
    return pd.DataFrame(
        [
            {
                "strategy": STRATEGIES[found.spec.strategies[place]],
                "repeat": seed,
                "cycle": cycle + 1,
                "place": turn + 1,
                "image": int(numbers[place, seed, cycle, turn]),
                "id": ids[int(numbers[place, seed, cycle, turn])],
                "label": class_names[int(classes[place, seed, cycle, turn])],
                "k(x,x) before training": norms[place, seed, cycle, turn],
            }
            for place, seed, cycle, turn in np.ndindex(*numbers.shape)
        ]
    )
