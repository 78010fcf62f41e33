"""A worker with handlers made for the tests: ``worker_script.py CACHE_DIR DEVICE LEASE --lane LANE``.

With settings from the environment: ``worker_script.py [--parent PID] --lane LANE``.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ntkcore.errors import AtlasError, DataError
from ntkcore.jobs import JobContext, run_worker
from ntkcore.settings import Settings
from ntkcore.store import Store


def note(payload: dict, text: str) -> None:
    with Path(payload["notes"]).open("a") as file:
        file.write(f"{text}\n")


def steps(payload: dict, context: JobContext) -> dict:
    """Reports ``n`` steps in each of two stages."""
    context.plan([("first", "steps", payload["n"], 1.0), ("second", "steps", payload["n"], 3.0)])
    if "notes" in payload:
        note(payload, f"begin {context.device}")
    context.warn("a warning")
    for step in range(payload["n"]):
        time.sleep(payload["sleep"])
        context.report("first", step + 1)
        if "notes" in payload:
            note(payload, f"{context.device} {step}")
    tell = context.progress("second")
    for step in range(payload["n"] * 2):
        tell(step + 1, payload["n"] * 2)
    return {"device": context.device, "n": payload["n"]}


def tile_of(tile: int) -> np.ndarray:
    return np.random.default_rng(tile).standard_normal((8, 5)).astype("float32")


def tiles(payload: dict, context: JobContext) -> dict:
    """Computes 30 tiles into the store, resuming at the missing ones."""
    store = Store(Path(payload["store"]), 2**30)
    context.plan([("tiles", "tiles", 30, 30 * payload["sleep"])])
    with store.draft("tiles", context.job, {"what": "tiles"}, waiting=context.check) as draft:
        if draft is not None:
            draft.create("x", (240, 5), "float32", (8, 5))
            for tile in draft.missing("x"):
                time.sleep(payload["sleep"])
                draft.write("x", tile, tile_of(tile[0]))
                note(payload, str(tile[0]))
                context.report("tiles", tile[0] + 1)
            draft.publish({})
    return {}


def fails(payload: dict, context: JobContext) -> dict:
    """Fails in the way it is told to, until a file says that it need not."""
    if Path(payload["cured"]).exists():
        return {"cured": True}
    match payload["how"]:
        case "atlas":
            raise DataError("The images are gone.", "Bring them back.")
        case "bug":
            raise KeyError("secret detail")
        case "memory":
            raise MemoryError
        case "answer":
            return {"not": {"json"}}
        case "exit":
            sys.exit(3)
    raise AssertionError


def dies(payload: dict, context: JobContext) -> dict:
    note(payload, "died")
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fills(payload: dict, context: JobContext) -> dict:
    """Writes to the store until the disk is full."""
    context.plan([("tiles", "tiles", 10_000, 1.0)])
    with Store(Path(payload["store"]), 2**30).draft("fills", context.job, {}) as draft:
        assert draft is not None
        draft.create("x", (10_000 * 50_000,), "uint8", (50_000,))
        for tile in draft.missing("x"):
            draft.write("x", tile, np.zeros(50_000, np.uint8))
            context.report("tiles", tile[0])
    return {}


if __name__ == "__main__":
    lane: Any = sys.argv[-1]
    parent = int(sys.argv[2]) if sys.argv[1] == "--parent" else None
    if not sys.argv[1].startswith("--"):
        chosen = Settings(cache_dir=Path(sys.argv[1]), device=sys.argv[2], lease_seconds=float(sys.argv[3]))
    else:
        chosen = Settings()
    try:
        handlers = {"steps": steps, "tiles": tiles, "fails": fails, "dies": dies, "fills": fills}
        run_worker(handlers, chosen, device=chosen.device, lane=lane, parent=parent, beat=0.15, poll=0.1)
    except AtlasError as error:
        sys.exit(error.message)
