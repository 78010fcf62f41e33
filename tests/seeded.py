"""A cache that is not empty: one result that many pages look at, and the rates of this machine, so that nothing is measured."""

import json
import time
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

import torch
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.workspace import Workspace
from ntkcore.permalink import ADDRESSES, LIST_FIELDS
from ntkcore.settings import Settings

RATES = Path(__file__).with_name("rates.json")
SHARED = "dataset=digits&classes=3&classes=5&classes=8&n=60&test=30&noise=0.2"  # of an address


def seed(cache: Path) -> None:
    """Fill an empty cache. Seconds by the rates may be off by as much as machines differ; no test reads them."""
    rate(cache)
    settings = Settings(cache_dir=cache, device="cpu", start_worker=False)
    ws = Workspace(settings)
    query = {name: values if name in LIST_FIELDS else values[0] for name, values in parse_qs(SHARED).items()}
    INFLUENCE.compute(ADDRESSES["influence"].read(query)[0], ws, Recording())
    ws.jobs.close()


def rate(cache: Path) -> None:
    """Rates alone: whatever a forecast asks for was measured once, on some machine."""
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "rates.json").write_text(
        json.dumps({name: (seconds, 0.0, time.time(), torch.get_num_threads()) for name, seconds in _rates().items()})
    )


@lru_cache(maxsize=1)
def _rates() -> dict[str, float]:
    found: dict[str, float] = json.loads(RATES.read_text())
    return found
