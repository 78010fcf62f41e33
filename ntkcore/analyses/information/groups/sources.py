"""Which source of one task is worth more? (Unique-info §6, Fig. 2a)

Several sets of images of the same classes are put together, and F-SI is computed for all of their images at once, over held-out images of
all of them. Beside it: what each source's images are worth alone, and what is lost when some of a source's images are dropped.
"""

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import Sizes, affordable, fit, room_of_choice
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.information.groups import answer
from ntkcore.analyses.information.groups.composed import Composed, compose, content_of_source, contents_of, inputs_text, require_one_shape
from ntkcore.analyses.information.groups.kernel import (
    COMPOSED_METHOD,
    composed_kernel,
    effort,
    forecast_study,
    going_on,
    is_stored,
    require_untrained,
    right,
    time_of,
)
from ntkcore.analyses.information.groups.scores import by_source
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Room, SetFacts, catalogue, facts_of, own_sets
from ntkcore.errors import DataError, SpecError
from ntkcore.information import functional_information
from ntkcore.models import weights_content
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import GroupSpec, SourceSpec, SourcesSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

DROPPED = tuple(round(0.1 * step, 1) for step in range(11))
"""Shares of a source's images that are dropped; at 1 the source is gone."""
USUAL = Sizes(500, 250)
"""Images of each source and held out of it, where nobody says how many."""
ORDERS = ("least informative first", "at random")


def _sources(spec: InfluenceSpec, view: InformationView) -> tuple[SourceSpec, ...]:
    """The page's own data set and those chosen beside it."""
    return SourceSpec(name=spec.dataset.name, own=spec.dataset.own), *map(SourceSpec.of, view.sources.others)


def sizes(spec: InfluenceSpec, view: InformationView, ws: Workspace, part: float = 1.0) -> Sizes:
    """Images of each source, to train on and held out: those chosen, else so large a part of the usual numbers as every source has.

    Raises:
        AtlasError: a source cannot be opened.
    """
    chosen, rooms = view.sources, []
    for one in _sources(spec, view):
        with suppress(SpecError):  # a class that it does not have: said where the sources are put together
            rooms.append(room_of_choice(DatasetSpec(name=one.name, own=one.own, classes=spec.dataset.classes), ws))
    wanted = Sizes(chosen.n or round(part * USUAL.n), chosen.test or round(part * USUAL.test))
    if not rooms:
        return wanted
    said = [name for name in ("n", "test") if getattr(chosen, name) is not None]
    return fit(wanted, Room("", min(room.images for room in rooms), max(room.fewest for room in rooms)), said, spare=0)


def sources_asked(spec: InfluenceSpec, view: InformationView, size: Sizes, repeats: int) -> SourcesSpec:
    """The study that the page's choice asks for: its own data set beside those chosen.

    Args:
        size: images of each source.
        repeats: draws.

    Raises:
        SpecError: no other source is chosen, the same one twice, or a kernel after training.
    """
    require_untrained(spec)
    chosen = _sources(spec, view)
    if len(chosen) == 1:
        raise SpecError("There is one source only.", "Choose another set of images of the same classes to hold this one against.")
    try:
        return SourcesSpec(
            kernel=spec.kernel,
            model=spec.model,
            dtype=spec.dtype,
            compression=spec.compression,
            ridge=view.ridge,
            time=view.flow_time,
            seed=spec.dataset.seed,
            repeats=repeats,
            sources=chosen,
            classes=spec.dataset.classes,
            n=size.n,
            test=size.test,
        )
    except ValidationError as error:
        raise unasked(error, "Choose other sources.") from error


def offered(own: SourceSpec, ws: Workspace) -> dict[str, str]:
    """The other sets on this machine, as a link calls them and as people do; those of the same size come first."""
    named = [(info.name, info.title, info.shape) for info in catalogue(ws.settings) if info.available and len(info.shape) == 3]
    mine = [(f"own:{item.content_id}", item.name, item.shape) for item in own_sets(ws.settings) if not item.problem]
    shape = next((size for token, _, size in named + mine if token == own.token), None)
    ordered = sorted((item for item in named + mine if item[0] != own.token), key=lambda item: item[2] != shape)
    return {token: f"{title} · {inputs_text(size)}" for token, title, size in ordered}


def facts(source: SourceSpec, ws: Workspace) -> SetFacts:
    """What a source has, kept in memory. Raises as :func:`ntkcore.data.facts_of`."""
    key = ("sources.facts", source.token, content_of_source(source, ws))
    return ws.hot.get(key, lambda: facts_of(source.name, source.own, ws.settings), lambda _: 1)


def class_names(spec: SourcesSpec, ws: Workspace) -> tuple[str, ...]:
    """The classes that all sources have, in the first one's order.

    Raises:
        DataError: sources of different image sizes or classes, by the names of both and what to do.
    """
    found = [facts(source, ws) for source in spec.sources]
    require_one_shape([(item.title, item.shape) for item in found])
    names = spec.classes or found[0].class_names
    for item in found:
        wanted = set(names)
        have = set(item.class_names) & wanted if spec.classes else set(item.class_names)
        if have == wanted:
            continue
        lacks, more = sorted(wanted - have), sorted(have - wanted)
        said = [f"{item.title} has no class {', '.join(map(repr, lacks[:3]))}"] if lacks else []
        said += [f"{found[0].title} has no class {', '.join(map(repr, more[:3]))}"] if more else []
        common = [name for name in names if name in have]
        remedy = (
            f"Choose the classes that both have: {', '.join(common[:12])}."
            if len(common) > 1
            else "Choose sources of one task; an own set’s classes are called as its folders are."
        )
        raise DataError(f"{found[0].title} and {item.title} are not of the same classes: {' and '.join(said)}.", remedy)
    return tuple(names)


def groups_of(spec: SourcesSpec, ws: Workspace) -> tuple[GroupSpec, ...]:
    """The groups that are put together: one a source."""
    names = class_names(spec, ws)
    titles = [facts(source, ws).title for source in spec.sources]
    called = [title if titles.count(title) == 1 else f"{title} ({place})" for place, title in enumerate(titles, 1)]
    return tuple(
        GroupSpec(name=name, source=source, classes=names, labels=names, n=spec.n, test=spec.test)
        for name, source in zip(called, spec.sources, strict=True)
    )


def images(spec: SourcesSpec, part: int, ws: Workspace) -> Composed:
    """The images of one repeat."""
    return compose(groups_of(spec, ws), class_names(spec, ws), spec.seed + part, ws)


def _drawn(spec: SourcesSpec, part: int) -> SourcesSpec:
    """What the kernel of one repeat depends on."""
    return spec.model_copy(update={"repeats": 1, "seed": spec.seed + part, "ridge": 0.0, "time": None})


def sources_table(pieces: Pieces[SourcesSpec]) -> pd.DataFrame:
    """A row for each repeat and source: what its images are worth, in nats, and what the images of all sources are."""
    spec, half = pieces.spec, DROPPED.index(0.5)
    rows = []
    for part in range(spec.repeats):
        scores, alone = by_source(pieces, "scores", part), by_source(pieces, "alone", part)
        accuracy = pieces["accuracy"][part]
        for place, source in enumerate(spec.sources):
            rows.append(
                {
                    "repeat": part,
                    "source": source.token,
                    "images": spec.n,
                    "information": scores[place].mean(),
                    "share": scores[place].sum() / scores.sum() if scores.any() else np.nan,
                    "alone": alone[place].mean(),
                    "accuracy": accuracy[0, 0, 0, -1],
                    "accuracy_own": accuracy[0, 0, 0, place],
                    "accuracy_half_least_dropped": accuracy[place, 0, half, -1],
                    "accuracy_half_random_dropped": accuracy[place, 1, half, -1],
                    "accuracy_without": accuracy[place, 0, -1, -1],
                }
            )
    return pd.DataFrame(rows)


class Sources(Study[SourcesSpec, InformationView]):
    """Which source of one task is worth more?"""

    kind, version, uses = "sources", 1, (COMPOSED_METHOD, KERNEL_METHOD, TRAINING_METHOD)
    spec, view = SourcesSpec, InformationView
    word = "study: information by source"

    def title(self, spec: SourcesSpec, ws: Workspace) -> str:
        """The sources, by their titles."""
        return "Information by source: " + " and ".join(facts(source, ws).title for source in spec.sources)

    def content(self, spec: SourcesSpec, ws: Workspace) -> Mapping[str, str]:
        """Content hashes of the sources, and of weights."""
        weights = {} if spec.model is None else {"weights": weights_content(spec.model, ws.settings.weights_paths)}
        return {f"data {place}": content_of_source(source, ws) for place, source in enumerate(spec.sources)} | weights

    def forecast(self, spec: SourcesSpec, ws: Workspace) -> Forecast:
        """The repeats' kernels that are not stored, then the scores together and alone, and a curve for each source and order.

        Raises:
            DataError: the sources are not of one size and of the same classes, or have too few images.
        """
        found, sources = images(spec, 0, ws), len(spec.sources)
        # a curve's downdates are about one inversion; at a finite time each of its points is a decomposition of what is left
        solves = 2.0 + (2 * sources if spec.time is None else sources * len(ORDERS) * len(DROPPED) * 0.7)
        content = contents_of(groups_of(spec, ws), ws)
        kernels = sum(not is_stored(_drawn(spec, part), spec.chosen(), content, ws) for part in range(spec.repeats))
        return forecast_study(spec, found.split.train, sources * spec.n, sources * spec.test, ws, kernels=kernels, solves=solves)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> SourcesSpec:
        """What the page's choice asks for; see :func:`sizes` and :func:`sources_asked`."""
        wished = (sources_asked(spec, view, sizes(spec, view, ws, part), repeats) for repeats, part in effort(view.sources.repeats))
        return affordable(self, list(dict.fromkeys(wished)), ws)

    def shown(self, spec: SourcesSpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        own, *others = spec.sources
        first = InfluenceSpec().dataset
        dataset = DatasetSpec(name=own.name, own=own.own, classes=spec.classes, n=first.n, seed=spec.seed)
        sources = {"others": tuple(source.token for source in others), "n": spec.n, "test": spec.test, "repeats": spec.repeats}
        view = {"ask": "sources", "ridge": spec.ridge, "time": spec.time, "sources": sources}
        return spec.chosen(dataset=dataset), InformationView.model_validate(view)

    def pieces(self, spec: SourcesSpec) -> int:
        """One for each draw."""
        return spec.repeats

    def shapes(self, spec: SourcesSpec, ws: Workspace) -> Shapes:
        """``scores`` and ``alone``: F-SI (sources × n,) in nats beside all images and beside those of the own source; ``accuracy``
        (sources, orders, shares dropped, sources + 1): held-out, of each source and of all.
        """
        sources = len(spec.sources)
        one = (sources * spec.n,)
        return {"scores": one, "alone": one, "accuracy": (sources, len(ORDERS), len(DROPPED), sources + 1)}

    def piece(self, spec: SourcesSpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A repeat: its kernel, the scores together and alone, and what is lost when images of one source are dropped."""
        found, groups = images(spec, number, ws), groups_of(spec, ws)
        kernel = composed_kernel(_drawn(spec, number), spec.chosen(), contents_of(groups, ws), found.split, ws, reporter, (0.0, 0.6))
        time, everything, tested = time_of(spec), np.arange(found.split.train.n), np.arange(len(found.test_group))
        members = [np.flatnonzero(found.group == place) for place in range(len(groups))]
        regression = kernel.regression(everything, spec.ridge, going_on(reporter))
        scores = functional_information(regression, kernel.k_test, time)
        alone = np.empty_like(scores)
        for rows in members:
            lonely = kernel.regression(rows, spec.ridge, going_on(reporter))
            alone[rows] = functional_information(lonely, kernel.test(tested, rows), time)
        held = [np.flatnonzero(found.test_group == place) for place in range(len(groups))] + [tested]
        curves = np.empty((len(groups), len(ORDERS), len(DROPPED), len(held)))
        generator = np.random.default_rng([spec.seed + number, 5])
        for place, rows in enumerate(members):
            for way, order in enumerate((rows[np.argsort(scores[rows], kind="stable")], generator.permutation(rows))):
                chosen, left = regression, everything
                for step, share in enumerate(DROPPED):
                    gone = np.flatnonzero(np.isin(left, order[: round(share * len(order))]))
                    if len(gone):
                        chosen, left = chosen.without(gone.tolist()), np.delete(left, gone)
                    outputs = chosen.predict(kernel.test(tested, left), kernel.f_test, time)
                    curves[place, way, step] = right(outputs, found.split.test_labels, held)
                    done = place * len(ORDERS) + way + (step + 1) / len(DROPPED)
                    reporter.tell(0.6 + 0.4 * done / (len(groups) * len(ORDERS)))
        return {"scores": scores, "alone": alone, "accuracy": curves}

    def answer(self, result: Pieces[SourcesSpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """Whose images carry most, beside whose carry least."""
        return answer.sources(result, tuple(group.name for group in groups_of(result.spec, ws)))

    def table(self, result: Pieces[SourcesSpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each repeat and source: what its images are worth, in nats, and what the images of all sources are."""
        return sources_table(result)


SOURCES = Sources()
