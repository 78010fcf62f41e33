"""What every analysis works with: settings, the store, the hot arrays, the remembered rates and the job queue."""

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from ntkcore.analyses.job_guard import JobGuard
from ntkcore.analyses.rates import Rates
from ntkcore.cores import share_cores
from ntkcore.errors import StoreError
from ntkcore.jobs import Jobs
from ntkcore.library import Library
from ntkcore.settings import Settings, settings
from ntkcore.store import DeviceCache, Store


@dataclass(frozen=True)
class Workspace:
    """One installation, as seen by one process; all its sessions share it."""

    settings: Settings

    @cached_property
    def store(self) -> Store:
        """Stored artifacts."""
        return Store(self.settings.cache_dir, self.settings.disk_budget)

    @cached_property
    def hot(self) -> DeviceCache:
        """Loaded arrays and factorisations, shared by all sessions."""
        return DeviceCache(self.settings.device_cache)

    @cached_property
    def rates(self) -> Rates:
        """Measured rates of this machine."""
        return Rates(self.settings.cache_dir / "rates.json", self.settings.threads or torch.get_num_threads())

    @cached_property
    def jobs(self) -> Jobs:
        """The job queue."""
        return Jobs(self.settings, JobGuard(self.settings, self.library))

    @cached_property
    def library(self) -> Library:
        """What people decided; opened when something is asked of it."""
        return Library(self.settings)

    @cached_property
    def device(self) -> str:
        """The device computations run on: the chosen one, else a GPU if there is one."""
        if self.settings.device != "auto":
            return self.settings.device
        return "cuda:0" if torch.cuda.is_available() else "cpu"


_LOCK = threading.Lock()


def workspace() -> Workspace:
    """This process's workspace, made once however many sessions ask for it at the same time."""
    with _LOCK:
        return _workspace(settings())


@lru_cache(maxsize=1)
def _workspace(chosen: Settings) -> Workspace:
    made = Workspace(chosen)
    torch.set_num_threads(chosen.threads or torch.get_num_threads())  # before anything is timed or computed
    share_cores(chosen.threads)
    _ = made.store, made.hot, made.rates, made.device, made.jobs, made.library
    _tell_retired(made)
    return made


def _tell_retired(made: Workspace) -> None:
    """Free what an earlier version stored under keys that no longer open, and say so, once."""
    gone = None
    with suppress(StoreError):  # a cache that cannot be written is said where something is stored
        gone = made.store.retire()
    if gone is not None:
        many = f"{gone.count:,} stored result{'' if gone.count == 1 else 's'}"
        print(
            f"NTK Atlas: {many} of version 0.1.0 ({gone.bytes / 1e6:,.0f} MB) did not say which methods made them and are removed; "
            "they are computed anew when asked for. Your own image sets are as they were.",
            file=sys.stderr,
            flush=True,
        )
