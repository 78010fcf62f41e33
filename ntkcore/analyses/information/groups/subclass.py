"""Is a sub-class under-sampled? (Unique-info §6 and A.6, Fig. 9)

One class is made of two, which its labels do not tell apart: few images of the one, many of the other. If the rare ones' images carry
more unique information, F-SI finds them without knowing that there are two. Each count of rare images is a piece of the study; all pieces
of a repeat look at one kernel, since fewer images are the first of more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.information.groups import answer
from ntkcore.analyses.information.groups.composed import Composed, compose, content_of_source, contents_of
from ntkcore.analyses.information.groups.kernel import (
    COMPOSED_METHOD,
    OFTEN,
    composed_kernel,
    effort,
    forecast_study,
    going_on,
    is_stored,
    require_untrained,
    right,
    time_of,
)
from ntkcore.analyses.information.groups.scores import by_kind, piece_of
from ntkcore.analyses.information.groups.sources import facts
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.information import functional_information
from ntkcore.information.detection import detect
from ntkcore.models import weights_content
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import GroupSpec, SourceSpec, SubclassSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

PAPER = ("cat", "dog", "deer")
"""Rare, common and other class of the paper."""


@dataclass(frozen=True)
class Numbers:
    """Images of the three classes, repeats, and the count of rare images whose scores are shown."""

    counts: tuple[int, ...]
    common_count: int
    other_count: int
    test: int
    repeats: int
    count: int


USUAL = Numbers((10, 25, 50, 100, 250, 500), 500, 500, 300, OFTEN, 50)
"""Where nobody says how many and the set has enough."""
_TRAINED = 0.7  # of a class, at most, where nobody says how many: the others can be held out
KINDS = ("rare", "common", "other")


def roles(names: tuple[str, ...], view: InformationView) -> tuple[str, str, str]:
    """The rare, the common and the other class: those chosen, else the paper's where the set has them, else its first.

    Raises:
        SpecError: fewer than three classes.
    """
    if len(names) < 3:
        raise SpecError(
            "A sub-class needs three classes: two that are made one, and another.", "Choose a data set of three classes or more, or all."
        )
    chosen = view.groups.rare, view.groups.common, view.groups.other
    usual = PAPER if set(PAPER) <= set(names) else names[:3]
    free = [name for name in (*usual, *names) if name not in chosen]
    found = []
    for place, name in enumerate(chosen):
        found.append(name or (usual[place] if usual[place] in free else free[0]))
        free = [other for other in free if other != found[-1]]
    return found[0], found[1], found[2]


def _sizes(have: tuple[int, int, int], view: InformationView, part: float) -> dict[str, Any]:
    """Images of the three classes: those chosen, else so large a part of the usual numbers as there are, a part of them held out.

    Args:
        have: images of the rare, the common and the other class.
    """
    chosen = view.groups
    most, shown = round(part * USUAL.common_count), USUAL.count if chosen.count is None else chosen.count
    rare, common, other = (max(2, min(most, int(_TRAINED * count))) for count in have)
    usual = chosen.counts or [count for count in USUAL.counts if count <= rare] or [rare]
    counts = tuple(sorted({*usual, *([shown] if chosen.count or (chosen.counts and shown <= rare) else [])}))
    trained = counts[-1], chosen.common_count or common, chosen.other_count or other

    def fits(test: int) -> bool:
        held = [_of_test(count, trained[1], trained[2], test, chosen.held) for count in counts]
        return all(n + max(one[place] for one in held) <= of for place, (n, of) in enumerate(zip(trained, have, strict=True)))

    held = max(3, round(part * USUAL.test))
    test = chosen.test or next((test for test in range(held, 2, -1) if fits(test)), held)
    return {"counts": counts, "common_count": trained[1], "other_count": trained[2], "test": test}


def subclass_asked(spec: InfluenceSpec, view: InformationView, ws: Workspace, repeats: int, part: float) -> SubclassSpec:
    """The study that the page's choice asks for.

    Args:
        repeats: draws.
        part: of the usual numbers of images that those not chosen are, at most.

    Raises:
        SpecError: too few classes, the same class twice, or a kernel after training.
    """
    require_untrained(spec)
    source = SourceSpec(name=spec.dataset.name, own=spec.dataset.own)
    found = facts(source, ws)
    names, counts = spec.dataset.classes or found.class_names, dict(zip(found.class_names, found.counts, strict=True))
    rare, common, other = roles(names, view)
    if unknown := [name for name in (rare, common, other) if name not in names]:
        raise SpecError(f"There is no class {unknown[0]!r} here.", f"Choose among {', '.join(names[:12])}.")
    size = _sizes((counts[rare], counts[common], counts[other]), view, part)
    try:
        return SubclassSpec(
            kernel=spec.kernel,
            model=spec.model,
            dtype=spec.dtype,
            compression=spec.compression,
            ridge=view.ridge,
            time=view.flow_time,
            seed=spec.dataset.seed,
            repeats=repeats,
            source=source,
            rare=rare,
            common=common,
            other=other,
            held=view.groups.held,
            **size,
        )
    except ValidationError as error:
        raise unasked(error, "Choose other numbers.") from error


def count_of(spec: SubclassSpec, view: InformationView) -> int:
    """The count of rare images that a view looks at, or the nearest that was studied."""
    wanted = view.groups.count or USUAL.count
    return min(spec.counts, key=lambda count: abs(count - wanted))


def _of_test(rare: int, common: int, other: int, test: int, held: str) -> tuple[int, int, int]:
    """Of ``test`` held-out images those of the three classes, by their training images: in the same shares, or ``"equal"`` parts.

    There is at least one of each. The rest goes to the other class, so that all counts of rare images have ``test`` of them.
    """
    if held == "equal":
        third = test // 3
        return third, third, test - 2 * third
    first, second = (max(1, round(test * part / (rare + common + other))) for part in (rare, common))
    return first, second, max(1, test - first - second)


def held_counts(spec: SubclassSpec, count: int) -> tuple[int, int, int]:
    """Held-out images of the three when there are ``count`` rare ones."""
    return _of_test(count, spec.common_count, spec.other_count, spec.test, spec.held)


def groups_of(spec: SubclassSpec) -> tuple[GroupSpec, GroupSpec, GroupSpec]:
    """The three groups with as many images as any count needs."""
    held = [held_counts(spec, count) for count in spec.counts]
    most = [max(found[place] for found in held) for place in range(3)]
    counts = spec.counts[-1], spec.common_count, spec.other_count
    both = f"{spec.rare} or {spec.common}"
    made = [
        GroupSpec(name=name, source=spec.source, classes=(name,), labels=(label,), n=n, test=test)
        for name, label, n, test in zip((spec.rare, spec.common, spec.other), (both, both, spec.other), counts, most, strict=True)
    ]
    return made[0], made[1], made[2]


def images(spec: SubclassSpec, repeat: int, ws: Workspace) -> Composed:
    """The images of one repeat, with the most rare ones."""
    return compose(groups_of(spec), (f"{spec.rare} or {spec.common}", spec.other), spec.seed + repeat, ws)


def rows_of(spec: SubclassSpec, count: int) -> np.ndarray:
    """Which of a repeat's training images are there when ``count`` of them are rare."""
    most = spec.counts[-1]
    return np.r_[0:count, most : most + spec.common_count + spec.other_count]


def _drawn(spec: SubclassSpec, repeat: int) -> SubclassSpec:
    """What the kernel of one repeat depends on."""
    return spec.model_copy(update={"repeats": 1, "seed": spec.seed + repeat, "ridge": 0.0, "time": None})


def subclass_table(pieces: Pieces[SubclassSpec]) -> pd.DataFrame:
    """A row for each repeat and count: mean F-SI of the three in nats, ROC-AUC of finding the rare ones, held-out accuracies."""
    spec = pieces.spec
    rows = []
    for repeat in range(spec.repeats):
        for count in spec.counts:
            rare, common, other = by_kind(pieces, repeat, count)
            hits = pieces["accuracy"][piece_of(spec, repeat, count)]
            found = detect(np.r_[rare, common], np.arange(count + spec.common_count) < count)
            rows.append(
                {"repeat": repeat, "rare": spec.rare, "common": spec.common, "other": spec.other, "count": count}
                | {kind: values.mean() for kind, values in zip(KINDS, (rare, common, other), strict=True)}
                | {"ratio": rare.mean() / common.mean() if common.mean() > 0 else np.nan, "auc": found.auc.value}
                | {f"accuracy_{kind}": hit for kind, hit in zip(KINDS, hits, strict=True)}
            )
    return pd.DataFrame(rows)


class Subclass(Study[SubclassSpec, InformationView]):
    """Is a sub-class under-sampled?"""

    kind, version, uses = "subclass", 1, (COMPOSED_METHOD, KERNEL_METHOD, TRAINING_METHOD)
    spec, view = SubclassSpec, InformationView
    word = "study: an under-sampled sub-class"

    def title(self, spec: SubclassSpec, ws: Workspace) -> str:
        """Which class among which, against which, of which images."""
        return f"Under-sampled sub-class: {spec.rare} among {spec.common} against {spec.other}, {facts(spec.source, ws).title}"

    def content(self, spec: SubclassSpec, ws: Workspace) -> Mapping[str, str]:
        """Content hashes of the images, and of weights."""
        weights = {} if spec.model is None else {"weights": weights_content(spec.model, ws.settings.weights_paths)}
        return {"data": content_of_source(spec.source, ws)} | weights

    def forecast(self, spec: SubclassSpec, ws: Workspace) -> Forecast:
        """The repeats' kernels that are not stored, then the scores at every count.

        Raises:
            DataError: there are too few images of a class.
        """
        found = images(spec, 0, ws)
        content = contents_of(groups_of(spec), ws)
        kernels = sum(not is_stored(_drawn(spec, repeat), spec.chosen(), content, ws) for repeat in range(spec.repeats))
        n, solves = found.split.train.n, 2.0 * len(spec.counts)
        return forecast_study(spec, found.split.train, n, len(found.test_group), ws, kernels=kernels, solves=solves)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> SubclassSpec:
        """What the page's choice asks for; see :func:`subclass_asked`."""
        wished = (subclass_asked(spec, view, ws, repeats, part) for repeats, part in effort(view.groups.repeats))
        return affordable(self, list(dict.fromkeys(wished)), ws)

    def shown(self, spec: SubclassSpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        dataset = DatasetSpec(name=spec.source.name, own=spec.source.own, n=InfluenceSpec().dataset.n, seed=spec.seed)
        names = ("rare", "common", "other", "counts", "common_count", "other_count", "test", "held", "repeats")
        groups = {name: getattr(spec, name) for name in names} | {"study": "subclass", "count": spec.counts[0]}
        view = {"ask": "groups", "ridge": spec.ridge, "time": spec.time, "groups": groups}
        return spec.chosen(dataset=dataset), InformationView.model_validate(view)

    def pieces(self, spec: SubclassSpec) -> int:
        """One for each draw and count of the rare sub-class."""
        return spec.repeats * len(spec.counts)

    def shapes(self, spec: SubclassSpec, ws: Workspace) -> Shapes:
        """``scores``: F-SI in nats of the rare, the common and the other images, NaN for those rare ones that this count leaves out;
        ``accuracy`` (3,): held-out, of each of the three.
        """
        return {"scores": (spec.counts[-1] + spec.common_count + spec.other_count,), "accuracy": (3,)}

    def piece(self, spec: SubclassSpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A repeat at one count of rare images, on the repeat's kernel."""
        repeat, place = divmod(number, len(spec.counts))
        found, count = images(spec, repeat, ws), spec.counts[place]
        kernel = composed_kernel(_drawn(spec, repeat), spec.chosen(), contents_of(groups_of(spec), ws), found.split, ws, reporter)
        rows = rows_of(spec, count)
        held = [np.flatnonzero(found.test_group == kind)[:many] for kind, many in enumerate(held_counts(spec, count))]
        tested = np.concatenate(held)
        regression = kernel.regression(rows, spec.ridge, going_on(reporter))
        scores = np.full(found.split.train.n, np.nan)
        scores[rows] = functional_information(regression, kernel.test(tested, rows), time_of(spec))
        outputs = regression.predict(kernel.test(tested, rows), kernel.f_test[tested], time_of(spec))
        ends = np.cumsum([len(some) for some in held])
        kinds = [np.arange(end - len(some), end) for end, some in zip(ends, held, strict=True)]
        return {"scores": scores, "accuracy": right(outputs, found.split.test_labels[tested], kinds)}

    def answer(self, result: Pieces[SubclassSpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """Whether the rare images carry more, at the view's count, and whether F-SI finds them."""
        count = count_of(result.spec, view)
        return (answer.subclass(result, count), answer.rare_ones(result, count))

    def table(self, result: Pieces[SubclassSpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each repeat and count: mean F-SI of the three in nats, ROC-AUC of finding the rare ones, held-out accuracies."""
        return subclass_table(result)


SUBCLASS = Subclass()
