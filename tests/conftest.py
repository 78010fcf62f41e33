"""Every test has a cache of its own and the machine's data folders, when there are any."""

import json
import os
import shutil
import sys
import tempfile
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded: tests share the cores

from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadFileScheduling

os.fsync = lambda _: None  # no test cuts the power; processes that tests start keep the real one

sys.path.insert(0, str(Path(__file__).parent))  # shared strategies and helpers of the tests

# Two busy cores make single examples slow now and then; that is not a finding.
hypothesis_settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("project")


class Rooms(LoadFileScheduling):
    """A file's tests stay in one process, and those of browsers all in one, which has one server, one cache and one Chromium."""

    def _split_scope(self, nodeid):
        return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    """Several processes share the tests by rooms."""
    return Rooms(config, log)


def pytest_collection_modifyitems(items):
    """Files of browsers and of killed processes first, since they take longest: all processes then end at the same time."""
    slow = {item.path: 1 for item in items if item.get_closest_marker("kill")}
    slow |= {item.path: 0 for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: slow.get(item.path, 2))


@pytest.fixture(scope="session")
def _rates():
    """Seconds per unit of each kind of work the tests forecast, as one machine had them."""
    return json.loads(Path(__file__).with_name("rates.json").read_text())


@pytest.fixture(autouse=True)
def rated(request, monkeypatch, _rates):
    """Every cache begins with known rates, so that no forecast times this machine; tests marked ``measures`` begin with none."""
    if request.node.get_closest_marker("measures") is None:
        from ntkcore.analyses.rates import Rate, Rates

        stored = Rates._read
        monkeypatch.setattr(
            Rates,
            "_read",
            lambda rates: {name: Rate(seconds, 0.0, time.time(), rates.threads) for name, seconds in _rates.items()} | stored(rates),
        )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Settings whose cache is this test's own folder."""
    from caches import begun

    from ntkcore.settings import settings

    monkeypatch.setenv("NTK_CACHE_DIR", str(begun(tmp_path / "cache")))
    monkeypatch.setenv("NTK_START_WORKER", "0")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """A real PostgreSQL that runs, with a database for each test; none of them may stop it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # what starts it warns without
        from postgres_server import PostgreSQL

        # not in pytest's own folder, which each new run of pytest closes to other accounts, as the server's is where root runs the tests
        folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        server = PostgreSQL(folder / "data")
        server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def real_data():
    """The folder of real data sets; the test is skipped where there is none."""
    folder = os.environ.get("NTK_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs NTK_DATA_DIR")
    return Path(folder)
