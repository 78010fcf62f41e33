"""What tests of the library are run on: SQLite, and a real PostgreSQL."""

import pytest
from caches import begun

from ntkcore.library import Library
from ntkcore.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path):
    """Settings whose library is empty, once on each database."""
    cache = begun(tmp_path / "cache")
    if request.param == "sqlite":
        return Settings(cache_dir=cache)
    return Settings(cache_dir=cache, database_url=request.getfixturevalue("postgresql").database())


@pytest.fixture
def opened():
    """Opens libraries, and closes them at the end."""
    made = []

    def open_library(chosen: Settings) -> Library:
        made.append(Library(chosen))
        return made[-1]

    yield open_library
    for one in made:
        one.close()
