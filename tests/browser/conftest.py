"""Fixtures of the browser tests: one Chromium for all, one server a module, one profile a test."""

import os
import shutil

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from running_app import FLAGS, Server, open_page

expect.set_options(timeout=20_000)  # a busy machine draws late; what never comes still fails


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("NTK_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "the browser tests need Chromium; `./atlas test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("app") / "cache").start()
    yield running
    running.stop()


@pytest.fixture
def page(chromium: Browser, server: Server):
    yield from open_page(chromium, server)
