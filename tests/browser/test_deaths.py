"""kill -9 of the server and of the worker, seen from the browser; and deep links on servers that nobody has visited."""

import os
import re
import signal

import pytest
from helpers import visited
from playwright.sync_api import expect
from running_app import PATIENT, Server, open_page, settled

pytestmark = [pytest.mark.browser, pytest.mark.kill]

SLOW = "/learnability?n=1500&width=512&epochs=60&full=0"


@pytest.mark.soak
@pytest.mark.parametrize("path", ["images", "influence", "learnability"])
def test_deep_link_on_a_fresh_server(tmp_path, chromium, path):
    fresh = Server(tmp_path / "cache", NTK_START_WORKER="0").start()
    try:
        for page in open_page(chromium, fresh):
            visited(page, f"{fresh.url}/{path}")
    finally:
        fresh.stop()


@pytest.mark.soak
def test_killed_server_and_killed_worker(tmp_path, chromium):
    fresh = Server(tmp_path / "cache").start()
    try:
        for page in open_page(chromium, fresh):
            visited(page, fresh.url + SLOW)
            page.get_by_role("button", name="Compute", exact=True).click()
            expect(page.get_by_text(re.compile("images/s"))).to_be_visible()

            fresh.kill()
            workers = sorted(fresh.worker_pids())  # one of each lane, which outlive the server
            assert len(workers) == 2
            fresh.start()
            expect(page.get_by_text(re.compile("Training|images/s")).first).to_be_visible()
            assert sorted(fresh.worker_pids()) == workers  # and no others are started beside them

            page.goto("about:blank")  # the server brings them back, with nobody looking
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            page.wait_for_timeout(2000)
            visited(page, fresh.url + SLOW)  # and the job goes on where it was
            expect(page.locator(".atlas-fact")).to_be_visible(timeout=PATIENT)
            settled(page)
    finally:
        fresh.stop()
