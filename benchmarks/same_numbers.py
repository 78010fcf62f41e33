"""Is every number what it was? All analyses on small digits, by two versions of the code, compared to the last bit.

    python benchmarks/same_numbers.py compute FOLDER          # with the code as it stands; minutes
    python benchmarks/same_numbers.py compare BEFORE AFTER    # exit status 1 where a number differs

``compute`` runs the command line in a cache of its own and keeps each table, and a digest of every array of every artifact in the
store, by its kind and specification (keys may differ: they hold the methods' versions). Measured seconds and moments are left out.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parent.parent
_DIGITS = "--dataset digits --n 120"
_PSEUDO = f"{_DIGITS} --test 40 --kernel pseudo --model fcn --width 32"
COMMANDS = {
    "learnability": f"learnability {_DIGITS} --epochs 4 --full 1 --width 64",
    "learnability-cnn": f"learnability {_DIGITS} --epochs 3 --at 2 --model cnn3 --width 8 --noise 0.1 --dtype float64",
    "convergence": "convergence --dataset digits --n 80 --test 20 --widths 16,32 --looks 0,2 --seeds 2",
    "influence": f"influence {_DIGITS} --test 40 --noise 0.2 --ridge 0.5",
    "influence-time": f"influence {_DIGITS} --test 40 --noise 0.2 --ridge 0.5 --time 2.0 --target 7",
    "influence-infinite": f"influence {_DIGITS} --test 40 --kernel infinite --model fcn --ridge 0.1",
    "influence-pseudo": f"influence {_PSEUDO} --ridge 0.1 --epochs 2",
    "influence-full": "influence --dataset digits --n 80 --test 20 --kernel full --model fcn --width 16 --ridge 0.1",
    "influence-compressed": f"influence {_PSEUDO} --compress subset --ridge 0.1",
    "reliability": f"reliability {_DIGITS} --classes 3,8 --test 40 --ridge 1",
    "reliability-network": f"reliability {_DIGITS} --classes 3,8 --test 40 --ridge 4 --network --verify 32 --runs 2 --steps 20 --time 0.2",
    "information": f"information {_DIGITS} --test 40 --ridge 0.1",
    "information-time": f"information {_DIGITS} --test 40 --ridge 0.1 --time 1.5",
    "detection": f"study detection {_DIGITS} --test 40 --ridge 0.1 --labels-seeds 2",
    "summary": f"study summary {_DIGITS} --test 40 --ridge 0.1 --drop-seeds 2 --drop-shares 20,50 --drop-model fcn --drop-width 16 "
    "--drop-epochs 2 --drop-retrained 50",
    "sources": f"study sources {_DIGITS} --test 40 --classes 1,7 --ridge 0.1 --sources-others own:OWN "
    "--sources-n 60 --sources-test 40 --sources-repeats 2",
    "subclass": f"study subclass {_DIGITS} --test 40 --ridge 0.1 --groups-count 4 --groups-counts 4,8 --groups-common-count 40 "
    "--groups-other-count 40 --groups-test 30 --groups-repeats 2",
    "adversarial": f"study adversarial {_PSEUDO} --classes 3,8 --ridge 0.1",
    "retraining": f"study retraining {_PSEUDO} --classes 3,8 --time 0.02 --believe-removals 3 --believe-ridge 10",
    "agreement": f"study agreement {_PSEUDO} --classes 3,8 --ridge 0.1 --believe-others fcn-1 --believe-seeds 2",
    "active": f"active {_DIGITS} --test 100 --width 32 --epochs 10 --labelled 20 --query 5 --cycles 4 --seeds 2 --strategies "
    "random,margin,badge,core-set,max-herding,uherding,lookahead,lookahead-full,step,infinite,gp,naive,loss-prediction,oracle "
    "--drawn 5 --batches 5",
    "addition": f"addition {_DIGITS} --test 40 --ridge 0.1 --picked 1,5,7",
}
_PAIR = 'influence(dataset="digits", n=120, classes=["3", "8"], test=40)'
NOTEBOOK = {
    "verify": f"verifications({_PAIR}, [32, 64], ridge=1.0, time=0.2)",
    "verify-each": f"verifications({_PAIR}, [32], ridge=1.0, time=0.2, remove=[1, 2, 3])",
    "verify-together": f"removals({_PAIR}, [1, 2, 3], [32], ridge=1.0, time=0.2)",
    "verify-added": f"additions({_PAIR}, [1, 2, 3], [32], ridge=1.0, time=0.2)",
    "network-errors": f"network_errors(on_network({_PAIR}, view=ReliabilityView(ridge=4.0, time=0.2, verify=32, runs=2, steps=20)))",
}
_SECONDS = {("timing", "*"), ("active", "seconds")}  # artifacts that are nothing but seconds, and arrays that are


def compute(folder: Path, only: list[str]) -> None:
    """Run every command; its table goes to ``folder/NAME.csv`` and the store's digests to ``folder/arrays.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"NTK_CACHE_DIR": str(folder / "cache"), "NTK_DEVICE": "cpu"}
    own = _own_set(folder, environment)
    for name in only or (*COMMANDS, *NOTEBOOK):
        table = folder / f"{name}.csv"
        if name in COMMANDS:
            command = [sys.executable, "-m", "ntkcore", *COMMANDS[name].replace("OWN", own).split(), "--csv", str(table)]
        else:
            lines = f"from ntkcore.notebook import *; from ntkcore.specs.reliability import ReliabilityView; {NOTEBOOK[name]}"
            command = [sys.executable, "-c", f"{lines}.to_csv({str(table)!r}, index=False)"]
        print(name, flush=True)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        (folder / f"{name}.txt").write_text(done.stdout)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            raise SystemExit(f"{name} failed: {' '.join(command)}")
    (folder / "arrays.json").write_text(json.dumps(dict(sorted(_digests(folder / "cache"))), indent=1))


def _own_set(folder: Path, environment: dict[str, str]) -> str:
    """Import the digits, white on black turned to black on white, as a second source; its content id."""
    digits = load_digits()
    np.savez(folder / "inverted.npz", images=(255 - digits.images * 15.9375).astype(np.uint8), labels=digits.target)
    command = [sys.executable, "-m", "ntkcore", "import", str(folder / "inverted.npz"), "--side", "8"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.split()[-1]


def _digests(cache: Path) -> Iterator[tuple[str, str]]:
    """Each artifact's arrays: name (kind, specification, array) to digest."""
    sys.path.insert(0, str(ROOT))
    from ntkcore.store import Store

    store = Store(cache, 2**40)
    for entry in store.entries():
        artifact = store.open(entry.kind, entry.key)
        spec = json.dumps(entry.info["identity"].get("spec"), sort_keys=True)
        for name in artifact.names:
            if {(entry.kind, "*"), (entry.kind, name)} & _SECONDS:
                continue
            values = artifact.read(name)
            digest = hashlib.sha256(f"{values.dtype}{values.shape}".encode() + values.tobytes()).hexdigest()
            yield f"{entry.kind} {spec} {name}", digest


def compare(before: Path, after: Path) -> int:
    """Name every table and array that differs; the number of differences."""
    faults = 0
    for name in (*COMMANDS, *NOTEBOOK):
        old, new = (pd.read_csv(folder / f"{name}.csv", dtype=str) for folder in (before, after))
        measured = [column for column in old if "seconds" in column or column == "created"]
        kept, more = [column for column in old if column not in measured], [column for column in new if column not in old]
        same = set(kept) <= set(new) and old[kept].equals(new[kept])
        faults += not same
        said = f", and {len(more)} new ones" if more else ""
        print(f"{'same' if same else 'DIFFERENT':10} {name}: {len(old)} rows, {len(kept)} columns{said}")
    old, new = (json.loads((folder / "arrays.json").read_text()) for folder in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            faults += 1
            print(f"DIFFERENT  {name}{'' if name in new else ' (is gone)'}{'' if name in old else ' (is new)'}")
    print(f"{len(old)} arrays before, {len(new)} after; {faults} differences")
    return faults


def main() -> int:
    """Compute or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deed", choices=("compute", "compare"))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", nargs="*", default=[], choices=[*COMMANDS, *NOTEBOOK], help="commands to run again")
    options = parser.parse_args()
    if options.deed == "compute":
        compute(options.folders[0].resolve(), options.only)
        return 0
    return int(compare(*options.folders) > 0)


if __name__ == "__main__":
    sys.exit(main())
