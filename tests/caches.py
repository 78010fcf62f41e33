"""What every cache of the tests begins with: an empty job queue made once, and the digits read once."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from ntkcore.data import sources
from ntkcore.jobs.queue import prepare
from ntkcore.settings import Settings

sources._digits = cache(sources._digits)


def begun(folder: Path) -> Path:
    """A new cache folder with its queue; to make one anew takes longer than most tests."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_queue() / "jobs.sqlite", folder / "jobs.sqlite")
    return folder


@cache
def _queue() -> Path:
    made = Path(mkdtemp())
    atexit.register(shutil.rmtree, made)
    prepare(Settings(cache_dir=made)).close()
    return made
