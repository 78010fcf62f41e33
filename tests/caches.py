"""What every cache of the tests begins with: an empty job queue made once, and the digits read once."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ntkcore.data import sources
from ntkcore.jobs.queue import prepare
from ntkcore.settings import Settings

sources._digits = cache(sources._digits)


def begun(folder: Path) -> Path:
    """A new cache folder with its queue; to make one anew takes longer than most tests."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(_queue().name) / "jobs.sqlite", folder / "jobs.sqlite")
    return folder


@cache
def _queue() -> TemporaryDirectory[str]:
    made = TemporaryDirectory()
    prepare(Settings(cache_dir=Path(made.name))).close()
    return made
