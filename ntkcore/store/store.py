"""The store: artifacts by kind and key under one folder, drafts beside them on the same file system."""

import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from ntkcore.errors import CorruptArtifact, StoreError
from ntkcore.private import make_private, touch_private
from ntkcore.store.artifact import MANIFEST, PINNED, SAVED, USED, Artifact
from ntkcore.store.draft import STATE, Draft, read_state, write_state
from ntkcore.store.files import Damaged, free_bytes, guarded, make_folder, read_json, sync_folder, tree_bytes, write_json
from ntkcore.store.lock import Busy, exclusive

State = Literal["absent", "partial", "ready"]

_MARK = "generation.json"  # in a cache whose artifacts are all of this generation
_GENERATION = 2  # of keys: 1 held no versions of the methods used
_SAVING = 3600.0  # seconds within which a saving that holds an artifact has ended
_ABANDONED = 7 * 24 * 3600  # seconds after which a draft nobody holds may go
_KIND = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A published artifact as the list of the cache shows it; times in UTC.

    ``pinned`` by hand or ``saved`` with an analysis of the library, it is never evicted.
    """

    kind: str
    key: str
    bytes: int
    created: datetime
    last_used: datetime
    pinned: bool
    saved: bool
    info: dict[str, Any]

    @property
    def spec(self) -> dict[str, Any]:
        """The specification that it was computed from; empty where its manifest is damaged."""
        found: dict[str, Any] = self.info.get("identity", {}).get("spec", {})
        return found


@dataclass(frozen=True, slots=True)
class Retired:
    """How many artifacts of an earlier version were removed, and their bytes."""

    count: int
    bytes: int


class Store:
    """Artifacts under ``root``; safe for many threads and processes.

    Args:
        root: folder holding ``artifacts/``, ``drafts/``, ``locks/`` and ``trash/``; made when first written.
        budget: bytes of artifacts kept by :meth:`evict`.
    """

    def __init__(self, root: Path, budget: int) -> None:
        self.root, self.budget = root, budget

    def state(self, kind: str, key: str) -> State:
        """``ready`` when published, ``partial`` when begun, else ``absent``. Looks, does not verify."""
        with guarded(self.root):
            if self._artifact(kind, key).is_dir():
                return "ready"
            return "partial" if self._draft(kind, key).is_dir() else "absent"

    def open(self, kind: str, key: str) -> Artifact:
        """Open a published artifact and note that it was used.

        Raises:
            StoreError: it is not stored.
            CorruptArtifact: its manifest is damaged.
        """
        folder = self._artifact(kind, key)
        if not folder.is_dir():
            raise StoreError(f"The result {key[:12]} ({kind}) is not stored.", "Compute it first.")
        artifact = Artifact(folder, kind, key)
        artifact.touch()
        return artifact

    @contextmanager
    def draft(self, kind: str, key: str, identity: dict[str, Any], *, waiting: Callable[[], None] | None = None) -> Iterator[Draft | None]:
        """Hold the draft of an artifact, alone among all processes; wait while another holds it.

        Args:
            kind, key: the artifact's address.
            identity: JSON saying what is computed; an earlier attempt under the same key must have the same.
            waiting: called about ten times a second while another process holds the draft; may raise ``Cancelled``.

        Yields:
            The draft; None when the artifact is published already (also: by the one waited for).

        Raises:
            StoreError: an earlier attempt has another identity; or the disk is full or refuses.
        """
        with exclusive(self._lock(kind, key), waiting=waiting):
            if self._artifact(kind, key).is_dir():
                yield None
            else:
                yield Draft(self._draft(kind, key), self._artifact(kind, key), kind, key, identity)

    @contextmanager
    def still(self, kind: str, key: str) -> Iterator[Path | None]:
        """The folder of a published artifact, which nobody removes or repairs meanwhile; None: it is not stored."""
        with exclusive(self._lock(kind, key)):
            folder = self._artifact(kind, key)
            yield folder if folder.is_dir() else None

    def take_in(self, folder: Path, kind: str, key: str) -> bool:
        """Publish an artifact that lies whole in a folder of the same disk, with its marks; False: it is stored, undamaged.

        Then it keeps the marks that it has, and gets those of the other.

        Raises:
            StoreError: the disk refuses.
        """
        target = self._artifact(kind, key)
        with exclusive(self._lock(kind, key)), guarded(self.root):
            if target.is_dir() and not self.verify(kind, key):
                for mark in (PINNED, SAVED):
                    if (folder / mark).exists():
                        touch_private(target / mark)
                return False
            self._discard(target)
            self._discard(self._draft(kind, key))
            make_folder(target.parent)
            folder.rename(target)
            sync_folder(target.parent)
        return True

    def verify(self, kind: str, key: str) -> list[CorruptArtifact]:
        """Read an artifact wholly and compare every checksum; what is damaged, or ``[]``.

        Raises:
            StoreError: it is not stored.
        """
        try:
            return self.open(kind, key).verify()
        except CorruptArtifact as damage:
            return [damage]

    def reopen(self, damage: CorruptArtifact, kind: str | None = None) -> None:
        """Turn a damaged artifact back into a draft in which what is damaged is missing.

        Sound tiles stay. A damaged manifest leaves nothing to trust: everything is thrown away. The next publication
        says in its info what was repaired. Nothing happens when another process has reopened it already.

        Args:
            damage: as raised by reading.
            kind: the artifact's kind, when ``damage`` does not say it.
        """
        kind = kind or damage.kind
        if kind is None:
            raise ValueError("kind: the error does not say of which kind the artifact is")
        folder, draft = self._artifact(kind, damage.key), self._draft(kind, damage.key)
        with exclusive(self._lock(kind, damage.key)):
            if not folder.is_dir():
                return
            today = datetime.now(UTC).date().isoformat()
            with guarded(self.root):
                self._discard(draft)
            try:
                artifact = Artifact(folder, kind, damage.key)
            except CorruptArtifact:
                marks = [mark for mark in (PINNED, SAVED) if (folder / mark).exists()]
                with guarded(self.root):
                    self._discard(folder)
                write_state(draft, None, [f"The stored result was damaged and wholly computed again ({today})."])
                for mark in marks:
                    touch_private(draft / mark)
                return
            broken = artifact.verify()
            if not broken:
                return
            said = [f"{_part(error)} was damaged on the disk and computed again ({today})." for error in broken]
            write_state(folder, artifact.info["identity"], list(artifact.info.get("repaired", [])) + said)
            with guarded(self.root):
                make_folder(draft.parent)
                folder.rename(draft)
                sync_folder(folder.parent)
                sync_folder(draft.parent)
                (draft / MANIFEST).unlink()  # the draft finds by itself what is damaged

    def entries(self, kind: str = "*") -> tuple[Entry, ...]:
        """All published artifacts, or those of a kind, the most recently used first."""
        found = [self._entry(path) for path in self._children("artifacts", kind)]
        return tuple(sorted((entry for entry in found if entry is not None), key=lambda entry: entry.last_used, reverse=True))

    def kinds(self) -> tuple[str, ...]:
        """The kinds of which something is, or was, published."""
        return tuple(sorted(path.name for path in (self.root / "artifacts").glob("*") if path.is_dir()))

    def stamp(self, kind: str) -> int:
        """Another number after each publication or removal of an artifact of a kind; costs a look at one folder."""
        with suppress(FileNotFoundError):
            return (self.root / "artifacts" / kind).stat().st_mtime_ns
        return 0

    def pin(self, kind: str, key: str) -> None:
        """Keep an artifact whatever the budget.

        Raises:
            StoreError: it is not stored, or the disk refuses.
        """
        self.open(kind, key)
        with guarded(self.root):
            touch_private(self._artifact(kind, key) / PINNED)

    def unpin(self, kind: str, key: str) -> None:
        """Let an artifact go when the budget asks for it."""
        with guarded(self.root):
            (self._artifact(kind, key) / PINNED).unlink(missing_ok=True)

    def hold(self, kind: str, key: str) -> bool:
        """Keep an artifact whatever the budget, as :meth:`pin` does, for who saved an analysis that shows it.

        Returns:
            Whether it is there.

        Raises:
            StoreError: the disk refuses.
        """
        mark = self._artifact(kind, key) / SAVED
        with guarded(self.root), suppress(FileNotFoundError):
            if not mark.exists():
                touch_private(mark)
            return True
        return False

    def let_go(self, wanted: Collection[tuple[str, str]]) -> int:
        """Let go what was held and that nobody wants any more; how many artifacts that were.

        Args:
            wanted: kind and key of those still shown. What was held within the last hour stays: its saving may not have ended.
        """
        gone = 0
        for entry in self.entries():
            mark = self._artifact(entry.kind, entry.key) / SAVED
            with guarded(self.root), suppress(FileNotFoundError):
                if entry.saved and (entry.kind, entry.key) not in wanted and time.time() - mark.stat().st_mtime > _SAVING:
                    mark.unlink()
                    gone += 1
        return gone

    def remove(self, kind: str, key: str) -> None:
        """Remove an artifact and its draft, pinned or not; nothing happens when there is none.

        Raises:
            StoreError: it is being computed, or the disk refuses.
        """
        try:
            with exclusive(self._lock(kind, key), wait=False), guarded(self.root):
                self._discard(self._artifact(kind, key))
                self._discard(self._draft(kind, key))
        except Busy:
            raise StoreError(f"The result {key[:12]} is being computed right now.", "Cancel its job first.") from None

    def evict(self) -> tuple[Entry, ...]:
        """Remove the least recently used artifacts that are neither pinned nor saved until all fit the budget.

        Also goes: drafts nobody has held for a week, and what an interrupted removal left. A draft in use never goes.

        Returns:
            The removed artifacts.
        """
        with guarded(self.root):
            for path in (self.root / "trash").glob("*"):
                shutil.rmtree(path, ignore_errors=True)
        for path in self._children("drafts"):
            lock = exclusive(self._lock(path.parent.name, path.name), wait=False)
            with suppress(Busy, FileNotFoundError), lock:
                stamp = path / STATE
                if time.time() - (stamp if stamp.exists() else path).stat().st_mtime > _ABANDONED:
                    with guarded(self.root):
                        self._discard(path)
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        removed = []
        for entry in reversed(entries):
            if total <= self.budget:
                break
            if entry.pinned or entry.saved:
                continue
            try:
                with exclusive(self._lock(entry.kind, entry.key), wait=False), guarded(self.root):
                    self._discard(self._artifact(entry.kind, entry.key))
            except Busy:
                continue
            total -= entry.bytes
            removed.append(entry)
        return tuple(removed)

    def retire(self) -> "Retired | None":
        """Once for a cache: remove what version 0.1.0 stored, whose keys say not which methods made it, so that nobody asks for it again.

        Pinned artifacts go, too: they cannot be opened any more. Sets that were imported are no artifacts, and stay.

        Returns:
            What was removed; None when that was done before, or there was nothing.
        """
        mark = self.root / _MARK
        if mark.exists():
            return None
        with exclusive(self.root / "locks" / "generation.lock"), guarded(self.root):
            if mark.exists():
                return None
            found = [entry for entry in self.entries() if "uses" not in entry.info.get("identity", {"uses": {}})]
            for entry in found:
                self._discard(self._artifact(entry.kind, entry.key))
            for path in self._children("drafts"):
                state = read_state(path)
                if state is not None and state["identity"] is not None and "uses" not in state["identity"]:
                    self._discard(path)
            gone = Retired(len(found), sum(entry.bytes for entry in found))
            make_folder(self.root)
            write_json(mark, {"generation": _GENERATION, "retired": asdict(gone)})
        return gone if found else None

    def retired(self) -> "Retired | None":
        """What :meth:`retire` removed, until it was acknowledged; None when nothing was."""
        with suppress(Damaged, FileNotFoundError):
            gone = Retired(**read_json(self.root / _MARK)["retired"])
            return gone if gone.count else None
        return None

    def acknowledge(self) -> None:
        """Somebody has read what was removed."""
        with guarded(self.root):
            write_json(self.root / _MARK, {"generation": _GENERATION, "retired": asdict(Retired(0, 0))})

    def room(self) -> int:
        """Bytes free on the store's disk."""
        return free_bytes(self.root)

    def _entry(self, folder: Path) -> Entry | None:
        """What the list says of an artifact; None when it was removed meanwhile."""
        kind, key = folder.parent.name, folder.name
        try:
            stamp = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            used = folder / USED
            last = datetime.fromtimestamp(used.stat().st_mtime, UTC) if used.exists() else stamp
            try:
                info = dict(read_json(folder / MANIFEST)["info"])
                size, created = int(info["bytes"]), datetime.fromisoformat(info["created"])
            except Damaged:
                info, size, created = {}, tree_bytes(folder), stamp
            return Entry(kind, key, size, created, last, (folder / PINNED).exists(), (folder / SAVED).exists(), info)
        except FileNotFoundError:
            return None

    def _discard(self, folder: Path) -> None:
        """Remove a folder: out of sight in one step, then file by file."""
        trash = self.root / "trash" / uuid4().hex
        if folder.is_dir():
            make_private(trash.parent)
            folder.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)

    def _children(self, what: str, kind: str = "*") -> list[Path]:
        return [path for path in sorted((self.root / what).glob(f"{kind}/*")) if path.is_dir()]

    def _artifact(self, kind: str, key: str) -> Path:
        return self._path("artifacts", kind, key)

    def _draft(self, kind: str, key: str) -> Path:
        return self._path("drafts", kind, key)

    def _lock(self, kind: str, key: str) -> Path:
        return self._path("locks", kind, key).with_name(f"{key}.lock")

    def _path(self, what: str, kind: str, key: str) -> Path:
        if not _KIND.fullmatch(kind) or not _KEY.fullmatch(key):
            raise ValueError(f"kind and key: expected letters, digits, '-' and '_', got {kind!r} and {key!r}")
        return self.root / what / kind / key


def _part(damage: CorruptArtifact) -> str:
    """The damaged part in words, at the beginning of a sentence."""
    return f"Part of {damage.array!r}" + ("" if damage.tile is None else f" (tile {damage.tile})")
