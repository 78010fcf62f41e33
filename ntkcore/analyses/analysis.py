"""The contract of an analysis: what each says of itself, and what is given once for all of them.

An analysis turns a specification into a stored result, and the result, looked at in some view, into sentences and a table. Its key holds
its own version and those of the methods it uses, so that a number is never older than the code that shows it. ``docs/analyses.md`` builds
a small one step by step; :mod:`ntkcore.analyses.catalogue` lists them all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pandas as pd

from ntkcore.analyses.drafts import identity_of
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.progress import Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import CorruptArtifact, SpecError
from ntkcore.jobs import JobState
from ntkcore.specs import Method, Spec, key_of
from ntkcore.store import Artifact
from ntkcore.store.store import State

_REPAIRS = 5  # damaged tiles healed in one job before something else must be wrong


class Sized(Protocol):
    """A result that knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes, roughly."""


S = TypeVar("S", bound=Spec)
V = TypeVar("V", bound=Spec)
R = TypeVar("R", bound=Sized)
T = TypeVar("T")


def _whole(forecast: Callable[[], T], ws: Workspace) -> T:
    """What a forecast says, for which some of what is stored is read: what of that is found damaged is as if it were not there."""
    for _ in range(_REPAIRS):
        try:
            return forecast()
        except CorruptArtifact as damage:
            ws.store.reopen(damage)
    return forecast()


class Analysis(ABC, Generic[S, V, R]):
    """One kind of analysis; it has no state.

    Attributes:
        kind: of its artifact and of its job.
        name: of its address, its command and its function in a notebook; the kind, unless several look at one artifact.
        version: of its own method; raise it when its numbers change.
        uses: the methods that its numbers come from besides its own; their versions enter its key.
        spec, view: what it is asked for with, and how its result is looked at.
        word: what the list of what is kept on disk calls its artifact.
        smaller: what to do when it does not fit, a sentence.
        after: the analysis whose result must be there before this one can be asked for; None: nothing must.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[int]
    uses: ClassVar[tuple[Method, ...]] = ()
    spec: type[S]
    view: type[V]
    word: ClassVar[str]
    smaller: ClassVar[str] = "Choose fewer images, or a smaller network."
    after: "ClassVar[Analysis[Any, Any, Any] | None]" = None

    def __init_subclass__(cls, **named: Any) -> None:
        """The name is the kind where none is given."""
        super().__init_subclass__(**named)
        if "kind" in vars(cls) and "name" not in vars(cls):
            cls.name = cls.kind

    # What each one says.

    @abstractmethod
    def title(self, spec: S, ws: Workspace) -> str:
        """In words, for the list of jobs."""

    @abstractmethod
    def content(self, spec: S, ws: Workspace) -> Mapping[str, str]:
        """Hashes, or keys, of what the specification only names: data, weights, other artifacts."""

    @abstractmethod
    def forecast(self, spec: S, ws: Workspace) -> Forecast:
        """What it takes on this machine, from measured rates; measures a rate it has never seen.

        Raises:
            AtlasError: it cannot be had at all.
        """

    @abstractmethod
    def run(self, spec: S, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute what is not stored yet of a part; what is finished stays when it is interrupted.

        Raises:
            AtlasError: it cannot be had; says why and what to do.
            Cancelled: the user cancelled.
        """

    @abstractmethod
    def load(self, artifact: Artifact, spec: S, ws: Workspace) -> R:
        """The result, read from its artifact."""

    @abstractmethod
    def answer(self, result: R, view: V, ws: Workspace) -> tuple[str, ...]:
        """What the result says in this view, as sentences of plain text: the same on the page, in a terminal and in a report."""

    @abstractmethod
    def table(self, result: R, view: V, ws: Workspace) -> pd.DataFrame:
        """Its numbers in this view, a row for each thing that was measured."""

    def more(self, result: R, view: V, ws: Workspace) -> Mapping[str, pd.DataFrame]:
        """Further tables by their titles, which a terminal prints below."""
        return {}

    def missing(self, result: R, view: V) -> str:
        """What the view names that the result has not, a sentence; "" when nothing."""
        return ""

    def parts(self, spec: S, ws: Workspace) -> int:
        """How many parts it is computed in: 1 by one worker alone; of more, any worker takes the next."""
        return 1

    def refusal(self, spec: S, ws: Workspace) -> str:
        """Why it does not fit on this machine, or "" where it does."""
        return self.forecast(spec, ws).refusal

    def asked(self, spec: Any, view: V, ws: Workspace) -> S:
        """What the choice of its page asks for: that specification, unless the analysis hangs on another one's result.

        Raises:
            SpecError: the choice asks for nothing that can be; says what to choose.
        """
        found: S = spec
        return found

    def artifacts(self, spec: S, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """(kind, key) of every artifact that showing it reads: what is kept with a saved analysis."""
        return ((self.kind, self.key(spec, ws)),)

    def beside(self, spec: S, view: V, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """(kind, key) of what the view shows of other analyses."""
        return ()

    def shown(self, spec: S) -> tuple[Spec, V]:
        """The page's specification and view that show it: the inverse of :meth:`asked`."""
        return spec, self.view()

    # What is given.

    def key(self, spec: S, ws: Workspace) -> str:
        """Key of the artifact, which is also the id of its job."""
        return key_of(self.kind, self.version, spec, self.content(spec, ws), self.uses)

    def identity(self, spec: S) -> dict[str, object]:
        """What its draft and its artifact say they are."""
        return identity_of(spec, self.version, self.uses)

    def expected(self, spec: S, ws: Workspace) -> Forecast:
        """Its forecast, with the rates that it is from."""
        with ws.rates.used() as rates:
            found = _whole(lambda: self.forecast(spec, ws), ws)
        return replace(found, rates=tuple(rates))

    def state(self, spec: S, ws: Workspace) -> State:
        """``"ready"``, ``"partial"`` or ``"absent"`` in the store."""
        return ws.store.state(self.kind, self.key(spec, ws))

    def ready(self, spec: S, ws: Workspace) -> bool:
        """Whether it is stored."""
        return self.state(spec, ws) == "ready"

    def require_fit(self, spec: S, ws: Workspace) -> None:
        """Refuse what does not fit on this machine.

        Raises:
            SpecError: with the smaller choice that would fit; another AtlasError when it cannot be had at all.
        """
        if refusal := _whole(lambda: self.refusal(spec, ws), ws):
            raise SpecError(refusal, self.smaller)

    def request(self, spec: S, ws: Workspace) -> JobState:
        """Ask for it as a job; the same request by anyone is the same job, and one of seconds waits for none of hours.

        Raises:
            AtlasError: it cannot be had, or cannot fit on this machine.
        """
        self.require_fit(spec, ws)
        payload = {"name": self.name, "spec": spec.model_dump(mode="json")}
        seconds = self.forecast(spec, ws).seconds
        return ws.jobs.submit(self.kind, self.key(spec, ws), payload, self.title(spec, ws), again=True, seconds=seconds)

    def compute(self, spec: S, ws: Workspace, reporter: Reporter) -> None:
        """Compute what is missing; a stored tile found damaged on the way is computed again, and said.

        Raises:
            AtlasError: it cannot be had, or cannot fit; says why and what to do.
            Cancelled: the user cancelled.
        """
        self.require_fit(spec, ws)
        for part in range(self.parts(spec, ws)):
            for _ in range(_REPAIRS):
                try:
                    self.run(spec, part, ws, reporter)
                    break
                except CorruptArtifact as damage:
                    reporter.warn(f"{damage.message} {damage.remedy}")
                    ws.store.reopen(damage)
            else:
                self.run(spec, part, ws, reporter)

    def repair(self, damage: CorruptArtifact, spec: S, ws: Workspace) -> JobState:
        """Take the damaged tile out of its artifact and ask for it to be computed again."""
        ws.store.reopen(damage)
        return self.request(spec, ws)

    def open(self, spec: S, ws: Workspace) -> R:
        """The stored result, from memory when it is hot.

        Raises:
            StoreError: it is not stored.
            CorruptArtifact: a stored tile is damaged; :meth:`repair` computes it again.
        """
        artifact = ws.store.open(self.kind, self.key(spec, ws))  # tells the store that it is in use, also when it is hot
        key = (self.kind, artifact.key, artifact.info["created"])
        return ws.hot.get(key, lambda: self.load(artifact, spec, ws), lambda result: 1 + result.nbytes)

    def verify(self, spec: S, ws: Workspace) -> list[CorruptArtifact]:
        """Read its artifact wholly and compare every checksum; what is damaged.

        Raises:
            StoreError: it is not stored.
        """
        return ws.store.verify(self.kind, self.key(spec, ws))
