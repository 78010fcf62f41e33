"""Saving an analysis: what the library keeps of a page's choice, and the stored results that stay because of it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ntkcore.analyses import catalogue
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.materials.thumbnails import sample_thumbnails
from ntkcore.analyses.sharing import fair
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import AtlasError, SpecError
from ntkcore.library import Content, Person, Saved, Version, Visibility, codes
from ntkcore.library.saved import Absent, Key
from ntkcore.permalink import ADDRESSES
from ntkcore.specs import Spec

STRIP = 5
"""Images that show what a saved analysis is of."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A saved version with its choice.

    Attributes:
        version: what was saved.
        spec, view: of its page.
    """

    version: Version
    spec: Spec
    view: Spec

    @property
    def choice(self) -> tuple[Any, Any]:
        """Both, as addresses take them."""
        return self.spec, self.view


def save(
    page: str,
    spec: Spec,
    view: Spec,
    person: Person,
    ws: Workspace,
    *,
    title: str = "",
    description: str = "",
    visibility: Visibility = "team",
    over: Version | None = None,
) -> Opened:
    """Save what a page shows; the results that it shows are held against eviction before it counts.

    Args:
        page, spec, view: what is shown.
        person: who saves.
        title, description: for people; a title left out is the analysis's own.
        visibility: who may see something new.
        over: the version after which this is the next; None: it is something new.

    Raises:
        StoreError: it is not computed, the disk refuses, or the person would fill more of it than one may.
        LibraryError: nothing could be kept, or another version was saved meanwhile.
    """
    analysis = catalogue.named(page)
    result = analysis.open(spec, ws)
    keys = shown_by(page, spec, view, ws)
    fair.require_room(person, ws, keys=keys)
    pack, images = _strip(analysis, result, spec, view, ws)
    dataset = getattr(spec, "dataset", None)
    content = Content(
        page=page,
        spec=spec.model_dump(mode="json"),
        view=view.model_dump(mode="json"),
        title=title or analysis.title(spec, ws),
        description=description,
        answer=next(iter(analysis.answer(result, view, ws)), ""),
        dataset="" if dataset is None else describe_dataset(dataset, ws.settings),
        source="" if dataset is None else dataset.own or dataset.name,
        pack=pack,
        images=images,
        keys=keys,
    )
    for kind, key, _ in keys:
        ws.store.hold(kind, key)
    saved = Saved(ws.library)
    version = saved.save(content, person, visibility) if over is None else saved.again(over.analysis, content, person, over.newest)
    return Opened(version, spec, view)


def opened(reference: str, person: Person, ws: Workspace) -> Opened:
    """What a short address names.

    Raises:
        Absent: it names nothing, or nothing for this person.
        SpecError: it was saved by another version of this program, which chose otherwise.
        LibraryError: the library is damaged or cannot be reached.
    """
    named = codes.read(reference)
    if named is None:
        raise Absent
    return choice_of(Saved(ws.library).version(named[0], person, named[1]))


def choice_of(version: Version) -> Opened:
    """A version with its choice. Raises ``SpecError`` as :func:`opened`."""
    address = ADDRESSES.get(version.content.page)
    try:
        if address is not None:
            return Opened(version, address.spec.model_validate(version.content.spec), address.view.model_validate(version.content.view))
    except ValidationError:
        pass
    raise SpecError("This analysis was saved by another version of this program, and cannot be read.", "Make it anew, and save that.")


def hold(version: Version, ws: Workspace) -> None:
    """Hold the results of a version again, where they were removed by hand and computed anew."""
    for kind, key, _ in version.content.keys:
        ws.store.hold(kind, key)


def tidy(ws: Workspace) -> int:
    """Remove what has lain in the trash for long enough, and let go the results that no saved analysis shows; how many were removed."""
    saved = Saved(ws.library)
    gone = saved.empty_trash()
    ws.store.let_go(saved.keys())
    return gone


def shown_by(page: str, spec: Spec, view: Spec, ws: Workspace) -> tuple[Key, ...]:
    """The stored results that a page shows of a choice, with their bytes: the analysis's, and those of the studies that it offers."""
    found: dict[tuple[str, str], int] = {}
    for analysis in catalogue.ANALYSES:
        if ADDRESSES[analysis.name].page != page:
            continue
        with suppress(AtlasError):  # a study that this choice asks nothing of
            asked = analysis.asked(spec, view, ws)
            if analysis.ready(asked, ws):
                for kind, key in (*analysis.artifacts(asked, ws), *analysis.beside(asked, view, ws)):
                    found[kind, key] = int(ws.store.open(kind, key).info["bytes"])
    return tuple((kind, key, size) for (kind, key), size in sorted(found.items()))


def _strip(analysis: Analysis[Any, Any, Any], result: Any, spec: Any, view: Spec, ws: Workspace) -> tuple[str, tuple[int, ...]]:
    """Thumbnails of what is in the basket, else of the first rows of the table; of the images as they come where that has none."""
    pack = getattr(result, "pack", "")
    if pack and (basket := getattr(view, "basket", ())):
        return pack, tuple(basket[:STRIP])
    table = analysis.table(result, view, ws) if pack else None
    if table is not None and "image" in table.columns:
        return pack, tuple(int(image) for image in table["image"][:STRIP])
    sample = sample_thumbnails(spec.dataset, STRIP, ws)
    return sample.id, tuple(range(len(sample)))
