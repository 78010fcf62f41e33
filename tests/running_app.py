"""The real app, started as a user starts it, in a real Chromium."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

WAIT, PATIENT = 60_000, 240_000  # milliseconds for what is drawn, and for what is computed: a busy machine is slow, what never comes fails
ROOT = Path(__file__).resolve().parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-gpu-compositing",  # nor a GPU of software in its place, which takes half of all; charts still have WebGL
    "--disable-gpu-rasterization",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """A running app with a cache of its own."""

    def __init__(self, cache: Path, **extra: str) -> None:
        self.cache = cache
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {"NTK_CACHE_DIR": str(cache), "NTK_THREADS": "1", "NTK_LEASE_SECONDS": "6"} | extra
        self.process: subprocess.Popen | None = None

    def start(self, script: Path = ROOT / "app.py") -> "Server":
        """Start (again, on the same port) and wait until it answers."""
        self.log = (self.cache.parent / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(self.port), "--server.address", "127.0.0.1"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + PATIENT / 1000
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the server does not answer:\n{(self.cache.parent / 'server.log').read_text()}")

    def kill(self) -> None:
        """kill -9, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.log.close()

    def worker_pids(self) -> list[int]:
        """Worker processes of this cache."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if b"ntkcore" in command and b"worker" in command and str(self.cache).encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except (OSError, ValueError):
                continue
        return found

    def stop(self) -> None:
        """End the server and its workers."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for pid in self.worker_pids():
            os.kill(pid, signal.SIGKILL)


def open_page(chromium: Browser, server: Server, **options):
    """A page of a fresh browser profile; fails the test when the page logs an error of its own, asks another machine for something, or
    does what its policy forbids."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True, reduced_motion="reduce", **options)
    opened = context.new_page()
    errors: list[str] = []
    outside: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if re.search(r"Content Security Policy|404 \(", said.text) else None)
    opened.on(
        "request", lambda request: outside.append(request.url) if not request.url.startswith((server.url, "data:", "blob:")) else None
    )
    opened.set_default_timeout(WAIT)
    yield opened
    context.close()
    assert not errors, errors
    assert not outside, outside


def settled(page: Page) -> None:
    """Wait until the script has run and check that no traceback and no formula in its source is shown."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=PATIENT)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.locator(".katex-error")).to_have_count(0)


def compute_unless(page: Page, done: Locator) -> None:
    """Press Compute unless the result is stored already; the script can have run before either of them is drawn."""
    button = page.get_by_role("button", name="Compute", exact=True)
    expect(button.or_(done).first).to_be_visible()
    if done.count() == 0:
        button.click()
