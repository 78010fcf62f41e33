"""What the worker of imports and of what takes seconds begins with: a third of a compute worker's memory, until something computes."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from ntkcore.analyses import imports
from ntkcore.jobs import Handler
from ntkcore.settings import Settings

_GPU = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))  # of NVIDIA, of AMD, of Windows' Linux


class LightHandlers(Mapping[str, Handler]):
    """Job kind to function; what computes, and torch with it, is loaded when the first job comes that is no import."""

    def __init__(self, settings: Settings) -> None:
        self._imports = imports.handlers(settings)

    @cached_property
    def _all(self) -> dict[str, Handler]:
        from ntkcore.analyses.catalogue import handlers

        return handlers()

    def load(self) -> None:
        """Load what computes now rather than with the first job."""
        _ = self._all

    def __getitem__(self, kind: str) -> Handler:
        return self._imports[kind] if kind in self._imports else self._all[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def light_device(settings: Settings) -> str:
    """As :attr:`~ntkcore.analyses.workspace.Workspace.device`, without torch where the system has nothing that could be a GPU."""
    if settings.device != "auto":
        return settings.device
    if not any(path.exists() for path in _GPU):
        return "cpu"
    from ntkcore.analyses.workspace import workspace

    return workspace().device
