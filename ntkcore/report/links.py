"""What a link asks a report of: the address of a page, whole or from its server's root, or the short address of what was saved."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ntkcore.analyses import defaults
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.sharing.differences import moment_words
from ntkcore.analyses.sharing.saving import Opened
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.library import Person, codes
from ntkcore.library.codes import SAVED_AS
from ntkcore.library.notes import Notes
from ntkcore.permalink import ADDRESSES, LIST_FIELDS, Query
from ntkcore.report.parts import Note, Saved
from ntkcore.specs import Spec


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asks for.

    Attributes:
        name: of the analysis.
        spec, view: of its page.
        server: the address of its server; "" where the link does not say.
        opened: the saved analysis that it begins with; None: none.
    """

    name: str
    spec: Spec
    view: Spec
    server: str = ""
    opened: Opened | None = None

    @property
    def as_saved(self) -> bool:
        """Whether it asks for exactly what was saved."""
        return self.opened is not None and self.opened.choice == (self.spec, self.view)


def read(link: str, person: Person, ws: Workspace) -> Asked:
    """What a link asks for.

    Args:
        link: ``https://server/learnability?dataset=digits``, ``/learnability?dataset=digits``, ``https://server/open?a=7Q2M`` or ``7Q2M``.

    Raises:
        SpecError: it is no link of a page, or asks for nothing that can be.
        DataError: it names nothing that was saved, or nothing for this person.
    """
    text = link.strip()
    if codes.read(text) is not None:
        found = saving.opened(text, person, ws)
        return Asked(found.version.content.page, found.spec, found.view, opened=found)
    parts = urlsplit(text)
    server = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    query: Query = {
        name: values if name in LIST_FIELDS else values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
    }
    *before, page = parts.path.strip("/").split("/")
    server += "".join(f"/{part}" for part in before)
    reference = query.pop(SAVED_AS, None)
    opened = None if reference is None else saving.opened(str(reference), person, ws)
    name = opened.version.content.page if opened is not None else page
    if name not in ADDRESSES:
        known = ", ".join(f"/{known}" for known in ADDRESSES)
        raise SpecError(f"{text[:80]!r} is no link of an analysis.", f"Copy the address of a page with a result: {known}.")
    if opened is not None:
        spec, view = ADDRESSES[name].read(query, opened.choice)
    else:
        spec, view = defaults.read(ADDRESSES[name], query, ws)
    return Asked(name, spec, view, server, opened)


def said_of(asked: Asked, person: Person, ws: Workspace) -> tuple[Saved | None, tuple[Note, ...]]:
    """How it was saved, and the notes on it; nothing of what differs from that.

    Raises:
        LibraryError: the library is damaged or cannot be reached.
    """
    if asked.opened is None or not asked.as_saved:
        return None, ()
    version = asked.opened.version
    notes = tuple(
        Note(note.author, note.made, note.text, moment_words(note.place))
        for note in Notes(ws.library).on_analysis(version.analysis, person)
    )
    content = version.content
    return Saved(content.title, content.description, version.author, version.made, version.reference), notes
