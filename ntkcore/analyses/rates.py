"""Rates of this machine: seconds per unit of each kind of work, measured by every run and remembered.

A rate belongs to one kind of work on one device (``"training cpu <network and image size>"``). Work never done before
is timed once on a small sample; every finished stage then corrects the rate.
"""

import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

_WEIGHT = 0.5  # of a new measurement against the remembered rate


class Rates:
    """Remembered rates, in one small JSON file that several processes may read and replace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, name: str, probe: Callable[[], float] | None = None) -> float | None:
        """Seconds per unit; measured by ``probe`` (and remembered) when unknown, None when there is no probe either."""
        known = self._read().get(name)
        if known is not None or probe is None:
            return known
        with self._lock:  # two sessions asking for one unknown rate measure it once
            known = self._read().get(name)
            if known is None:
                known = probe()
                self._write(name, known)
        return known

    def learn(self, name: str, seconds: float, units: float) -> None:
        """A stage of ``units`` took ``seconds``."""
        if seconds <= 0 or units <= 0:
            return
        measured = seconds / units
        with self._lock:
            known = self._read().get(name)
            self._write(name, measured if known is None else _WEIGHT * measured + (1 - _WEIGHT) * known)

    def _read(self) -> dict[str, float]:
        try:
            stored = json.loads(self._path.read_text())
            return {name: float(value) for name, value in stored.items() if 0 < float(value) < 1e9}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # a lost rate is measured again

    def _write(self, name: str, value: float) -> None:
        rates = self._read() | {name: value}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".rates-")
            with os.fdopen(handle, "w") as file:
                json.dump(rates, file)
            Path(temporary).replace(self._path)
        except OSError:
            return  # a full disk must not stop a computation for the sake of its forecast
