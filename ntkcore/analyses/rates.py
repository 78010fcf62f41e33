"""Rates of this machine: seconds per unit of each kind of work, measured by every run and remembered.

A rate belongs to one kind of work on one device (``"training cpu <network and image size>"``) and to a number of threads. Work never done
before is timed once on a small sample; every finished stage then corrects the rate.

Other work can only slow this one down: what takes t while others have the share s of the processors would take between (1 - s) t and t
alone, and on processors no longer than they worked on it. A new measurement therefore moves a remembered rate into these bounds. What
was measured under load, or long ago, is measured again as soon as the machine is quiet, so that nothing waits for a measurement that
would be as poor.
"""

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

from ntkcore.private import make_private

_WEIGHT = 0.5  # of a new measurement against the remembered rate, where both are good
_LOADED = 0.15  # share of the processors, in others' hands, from which a measurement is poor
_OLD = 90 * 86400.0  # seconds after which a rate is measured again
_PAUSE = 600.0  # seconds between two measurements of a poor rate


@dataclass(frozen=True, slots=True)
class Rate:
    """A remembered rate.

    Attributes:
        seconds: per unit.
        others: share of the processors that other work had meanwhile, 0 to 1.
        at: when it was measured, in seconds since 1970.
        threads: that it was measured with.
    """

    seconds: float
    others: float
    at: float
    threads: int

    @property
    def poor(self) -> bool:
        """Whether it was measured beside other work."""
        return self.others >= _LOADED

    def corrected(self, new: "Rate") -> "Rate":
        """This rate after another measurement of the same."""
        if new.threads != self.threads:
            return new
        within = min(max(self.seconds, (1 - new.others) * new.seconds), new.seconds)
        if new.poor and within == self.seconds:
            return Rate(self.seconds, self.others, new.at, self.threads)  # it says nothing against it
        if self.poor or self.at + _OLD < new.at:
            return Rate(within, new.others, new.at, new.threads)
        return Rate(_WEIGHT * within + (1 - _WEIGHT) * self.seconds, new.others, new.at, new.threads)


@dataclass(slots=True)
class Taken:
    """What a piece of work took.

    Attributes:
        seconds: until it was done.
        alone: until it would have been done without other work, at the most.
        others: share of the processors that other work had meanwhile.
    """

    seconds: float = 0.0
    alone: float = 0.0
    others: float = 0.0


@contextmanager
def clocked(device: str = "cpu") -> Iterator[Taken]:
    """Fills in at its end what the block took on a device."""
    taken = Taken()
    started, busy, own = time.monotonic(), _busy(), _own()
    yield taken
    taken.seconds = time.monotonic() - started
    worked = _own() - own
    taken.alone = min(taken.seconds, worked) if device == "cpu" and worked else taken.seconds  # elsewhere a processor waits
    possible = taken.seconds * (os.cpu_count() or 1)
    taken.others = min(max((_busy() - busy - worked) / possible, 0.0), 1.0) if possible else 0.0


def quiet() -> bool:
    """Whether hardly anything has run on this machine during the last minute."""
    return bool(psutil.getloadavg()[0] < _LOADED * (os.cpu_count() or 1))


class Rates:
    """Remembered rates, in one small JSON file that several processes may read and replace.

    Args:
        path: of the file.
        threads: of this process; rates measured with others are not known here.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._path, self.threads = path, threads
        self._lock = threading.Lock()
        self._used: ContextVar[list[Rate] | None] = ContextVar("used", default=None)

    def get(self, name: str, probe: Callable[[], float] | None = None) -> float | None:
        """Seconds per unit; measured by ``probe`` (and remembered) when unknown, None when there is no probe either."""
        found = self.all_of((name,), None if probe is None else lambda: (probe(),))
        return None if found is None else found[0]

    def all_of(self, names: Sequence[str], probe: Callable[[], Sequence[float]] | None = None) -> tuple[float, ...] | None:
        """Several rates that one probe measures together; as :meth:`get`, which also measures again what was measured badly."""
        known = self._known(names)
        if probe is not None and (known is None or self._doubtful(known)):
            with self._lock:  # two sessions asking for one unknown rate measure it once
                known = self._known(names)
                if known is None or self._doubtful(known):
                    with clocked() as taken:
                        found = probe()
                    known = self._write(dict(zip(names, found, strict=True)), taken.others)
        if known is None:
            return None
        used = self._used.get()
        if used is not None:
            used.extend(known)
        return tuple(rate.seconds for rate in known)

    def learn(self, name: str, seconds: float, units: float, others: float = 0.0) -> None:
        """A stage of ``units`` takes ``seconds`` alone, measured while other work had the share ``others`` of the processors."""
        if seconds > 0 and units > 0:
            with self._lock:
                self._write({name: seconds / units}, others)

    @contextmanager
    def used(self) -> Iterator[list[Rate]]:
        """The rates that the block asks for and gets."""
        found: list[Rate] = []
        token = self._used.set(found)
        try:
            yield found
        finally:
            self._used.reset(token)

    def _known(self, names: Sequence[str]) -> tuple[Rate, ...] | None:
        stored = self._read()
        found = tuple(stored[name] for name in names if name in stored and stored[name].threads == self.threads)
        return found if len(found) == len(names) else None

    def _doubtful(self, known: Sequence[Rate]) -> bool:
        """Whether to measure again: poor ones at times, old ones at all, and only where that promises better."""
        ages = [time.time() - rate.at for rate in known]
        poor = any(rate.poor and age > _PAUSE for rate, age in zip(known, ages, strict=True))
        return (poor or max(ages) > _OLD) and quiet()

    def _read(self) -> dict[str, Rate]:
        try:
            stored = json.loads(self._path.read_text())
            rates = {name: Rate(float(values[0]), float(values[1]), float(values[2]), int(values[3])) for name, values in stored.items()}
            return {name: rate for name, rate in rates.items() if 0 < rate.seconds < 1e9}
        except (OSError, ValueError, AttributeError, TypeError, IndexError):
            return {}  # a lost rate is measured again, and one of an earlier version, which does not say when it was measured

    def _write(self, measured: dict[str, float], others: float) -> tuple[Rate, ...]:
        """Remember what was measured; the rates as they are now."""
        rates, found = self._read(), {}
        for name, seconds in measured.items():
            new, known = Rate(seconds, others, time.time(), self.threads), rates.get(name)
            found[name] = new if known is None else known.corrected(new)
        try:
            make_private(self._path.parent)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".rates-")
            with os.fdopen(handle, "w") as file:
                json.dump({name: astuple(rate) for name, rate in (rates | found).items()}, file)
            Path(temporary).replace(self._path)
        except OSError:
            pass  # a full disk must not stop a computation for the sake of its forecast
        return tuple(found.values())


def _busy() -> float:
    """Seconds that the processors were busy since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - counted_twice)


def _own() -> float:
    """Seconds of processors that this process and its ended children took."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system
