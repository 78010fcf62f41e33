"""Forecast against measured: seconds and peak of resident memory of every analysis on digits, and of some on MNIST.

    python benchmarks/forecasts.py                     # all of them; minutes
    python benchmarks/forecasts.py influence summary   # some
    python benchmarks/forecasts.py --list

Each begins with an empty cache. What it hangs on is computed first, then it is forecast, which measures the machine, then computed, each
in a process of its own, as close to each other as that allows, which has loaded what a worker has after its first job (PyTorch loads a
compiler, for a second, at the first gradient of a batch). The memory is that of the process and of those it starts, at the most.
"Others" is the share of the processors that other work took, while it was forecast and while it was computed.

The line to hold: median error under 25 %, none off by more than three. A forecast is for a machine with nothing else to do, so that on
one that is in use it is held against what the work takes alone: what it took, or what processors worked on it where that is less. With
``--threads 1`` these are nearly the same on any machine.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
_PAIR = "dataset=digits&classes=3&classes=8&n=300&test=50"
_NETWORK = f"{_PAIR}&kernel=pseudo&model=fcn&width=256"
_MNIST = "dataset=mnist&classes=4&classes=9&n=1000&test=200"
CASES = {
    "learnability": "dataset=digits&n=1000&epochs=40&full=1",
    "convergence": "dataset=digits&classes=3&classes=5&classes=8&n=150&test=50&widths=32,128&looks=0,2&seeds=2",
    "influence": "dataset=digits&n=1400&test=300",
    "influence infinite": "dataset=digits&n=1400&test=300&kernel=infinite&model=fcn",
    "influence full": "dataset=digits&n=200&test=50&kernel=full&model=fcn&epochs=5",
    "reliability": "dataset=digits&n=1000&test=200&ridge=1.0",
    "information": "dataset=digits&n=1000&test=200&kernel=pseudo&model=fcn&width=1024&epochs=40",
    "verification": f"{_PAIR}&ridge=1.0&time=1.0&verify=128",
    "addition": "dataset=digits&n=1400&test=300",
    "network-ihvp": f"{_PAIR}&ridge=4.0&time=0.2&verify=128&runs=3&steps=100",
    "detection": "dataset=digits&n=1000&test=200&ridge=0.1&labels-share=0.2&labels-seeds=4",
    "summary": "dataset=digits&n=600&test=100&ridge=0.1&drop-seeds=2&drop-test=200",
    "sources": f"{_PAIR}&ridge=0.1&sources-others=own:OWN&sources-n=150&sources-test=60&sources-repeats=8",
    "subclass": "dataset=digits&n=400&test=50&ridge=0.1&groups-count=4&groups-counts=4,16,64&groups-common-count=100"
    "&groups-other-count=100&groups-test=30&groups-repeats=3",
    "adversarial": f"{_NETWORK}&ridge=0.1&groups-study=adversarial&groups-epsilon=0.3&groups-repeats=2",
    "retraining": f"{_NETWORK}&time=0.02&believe-removals=4&believe-ridge=10",
    "agreement": f"{_NETWORK}&ridge=0.1&believe-show=agreement&believe-seeds=2",
    "active": "dataset=digits&n=1000&test=500&seeds=2",
    "active peers": "dataset=digits&n=1000&test=500&seeds=1&cycles=4&strategies=random&strategies=step&strategies=infinite&strategies=gp"
    "&strategies=naive&strategies=loss-prediction&strategies=oracle&batches=20",
    "learnability mnist": "dataset=mnist&classes=4&classes=9&n=1000&model=cnn4&epochs=3",
    "influence mnist": f"{_MNIST}&ridge=0.1",
    "influence mnist cnn4": f"{_MNIST}&kernel=pseudo&model=cnn4&weights=pretrained",
    "influence mnist resnet20": f"{_MNIST}&kernel=pseudo&model=resnet20",
}
"""The query of each; its first word is the analysis."""


def _asked(name: str) -> tuple[Any, Any, Any]:
    from ntkcore.analyses.workspace import workspace
    from ntkcore.data import own_sets
    from ntkcore.notebook import ask
    from ntkcore.permalink import LIST_FIELDS

    ws = workspace()
    chosen = CASES[name].replace("OWN", "".join(one.content_id for one in own_sets(ws.settings)))
    query = {key: values if key in LIST_FIELDS else values[0] for key, values in parse_qs(chosen).items()}
    asked = ask(name.split()[0], query, ws)
    return asked.analysis, asked.spec, ws


class _Peak:
    """Peak of resident memory of this process and of those it starts."""

    def __enter__(self) -> "_Peak":
        self.bytes, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        me = psutil.Process()
        while not self._ended.wait(0.1):
            found = 0
            for process in (me, *me.children()):
                with suppress(psutil.Error):  # it has just ended
                    found += process.memory_info().rss
            self.bytes = max(self.bytes, found)

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        scale = 1 if sys.platform == "darwin" else 2**10
        self.bytes = max(self.bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale)  # between two looks


def _prepare(name: str) -> dict[str, float]:
    if "OWN" in CASES[name]:
        from sklearn.datasets import load_digits

        from ntkcore.data import import_set
        from ntkcore.settings import settings

        digits = load_digits()
        with tempfile.TemporaryDirectory() as folder:
            np.savez(Path(folder) / "inverted.npz", images=(255 - digits.images * 15.9375).astype(np.uint8), labels=digits.target)
            import_set(Path(folder) / "inverted.npz", settings(), name="inverted", side=8)
    _asked(name)
    return {}


def _ready(name: str) -> tuple[Any, Any, Any]:
    """What is asked for, in a process that is as a worker after its first job."""
    importlib.import_module("torch._dynamo")
    return _asked(name)


def _forecast(name: str) -> dict[str, float]:
    from ntkcore.analyses.rates import clocked

    analysis, spec, ws = _ready(name)
    with clocked() as taken:
        found = analysis.forecast(spec, ws)
    return {"seconds": found.seconds, "memory": found.memory, "took": taken.seconds, "others": taken.others}


def _compute(name: str) -> dict[str, float]:
    from ntkcore.analyses.rates import clocked
    from ntkcore.notebook import PrintedProgress

    analysis, spec, ws = _ready(name)
    with _Peak() as peak, clocked() as taken:
        analysis.compute(spec, ws, PrintedProgress(ws.device))
    return {"seconds": taken.seconds, "alone": taken.alone, "memory": peak.bytes, "others": taken.others}


_STEPS = {"prepare": _prepare, "forecast": _forecast, "compute": _compute}


def _child(step: str, name: str, cache: str) -> dict[str, float]:
    """One step in a process of its own."""
    environment = os.environ | {"NTK_CACHE_DIR": cache}
    command = [sys.executable, __file__, "--step", step, name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}, {step}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(names: list[str]) -> bool:
    """Print the table; whether the line holds."""
    print(f"{'':26}{'seconds':^36}{'MB':^26}{'others':^15}{'forecast':>9}")
    print(
        f"{'':26}{'forecast':>9}{'taken':>9}{'alone':>9}{'ratio':>7}{'forecast':>11}{'taken':>8}{'ratio':>7}{'then':>8}{'now':>7}{'in':>9}"
    )
    errors: dict[str, list[float]] = {"seconds, as taken": [], "seconds, alone": [], "memory": []}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="ntk-forecasts-") as cache:
            _child("prepare", name, cache)
            said, took = (_child(step, name, cache) for step in ("forecast", "compute"))
        ratios = said["seconds"] / took["seconds"], said["seconds"] / took["alone"], said["memory"] / took["memory"]
        for found, ratio in zip(errors.values(), ratios, strict=True):
            found.append(ratio)
        print(
            f"{name:26}{said['seconds']:9.2f}{took['seconds']:9.2f}{took['alone']:9.2f}{ratios[1]:7.2f}"
            f"{said['memory'] / 1e6:11.0f}{took['memory'] / 1e6:8.0f}{ratios[2]:7.2f}"
            f"{said['others']:8.0%}{took['others']:7.0%}{said['took']:8.1f}s",
            flush=True,
        )
    good = True
    for what, found in errors.items():
        error, worst = median(abs(ratio - 1) for ratio in found), max(max(ratio, 1 / ratio) for ratio in found)
        good &= what == "seconds, as taken" or (error < 0.25 and worst <= 3)
        print(f"{what}: median error {error:.0%}, worst off by {worst:.2f}")
    return good


def main() -> int:
    """Measure; the exit status says whether the line holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases; all where none is named")
    parser.add_argument("--threads", type=int, default=0, help="of each process; 0: all (one is disturbed least by other work)")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return 0
    if options.step:
        sys.path.insert(0, str(ROOT))
        print(json.dumps(_STEPS[options.step](options.names[0])))
        return 0
    if unknown := set(options.names) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}; see --list")
    os.environ |= {"NTK_THREADS": str(options.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    if options.threads:
        os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)  # of NumPy and SciPy
    return int(not measure(options.names or list(CASES)))


if __name__ == "__main__":
    sys.exit(main())
