"""Fixtures of the browser tests: one Chromium, one server and one cache a process, one profile a test.

The cache holds what several pages look at, computed beforehand without a browser, and rates, so that no forecast measures the machine.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))  # what these tests share

from helpers import LATE, no_baskets, visited
from running_app import FLAGS, WAIT, Server, open_page
from seeded import seed

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("NTK_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "the browser tests need Chromium; `./atlas test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory, chromium):
    """Its first visitor comes by a deep link, which the router answers though nobody has opened the start page."""
    cache = tmp_path_factory.mktemp("app") / "cache"
    seed(cache)
    running = Server(cache, NTK_LATE_ADDRESS=str(LATE)).start()
    for page in open_page(chromium, running):
        visited(page, f"{running.url}/jobs")
    yield running
    running.stop()


@pytest.fixture
def page(chromium: Browser, server: Server):
    yield from open_page(chromium, server)
    no_baskets(server)
