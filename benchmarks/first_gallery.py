"""From a clone to the first gallery: seconds and megabytes, as somebody who tries the project finds them.

    .venv/bin/python benchmarks/first_gallery.py [--of .] [--runs 1]

Clones the repository at its last commit, runs its ``./atlas start``, opens Learnability on digits in a fresh Chromium, presses Compute, and
waits for the first image of the gallery. Packages come from where the environment says (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_CERT), through
whatever cache is near.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

from playwright.sync_api import expect, sync_playwright  # noqa: E402  # after the path of the project
from running_app import FLAGS, compute_unless  # noqa: E402

PATIENCE = 600.0  # seconds


def megabytes(folder: Path) -> float:
    """Disk that the files below a folder take; one that several links lead to, once."""
    sizes = {(stat.st_dev, stat.st_ino): stat.st_blocks * 512 for stat in (path.lstat() for path in folder.rglob("*"))}
    return sum(sizes.values()) / 1e6


def wait_for(url: str, server: subprocess.Popen) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not come up")


def measure(source: Path, folder: Path, chromium: str) -> tuple[float, float, float]:
    """Seconds until the server answers and until the first image stands, and the megabytes of what was installed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, clone = f"http://127.0.0.1:{port}", folder / "clone"
    started = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", str(source), str(clone)], check=True)
    environment = os.environ | {"NTK_CACHE_DIR": str(folder / "cache")}
    command = ["./atlas", "start", "--server.port", str(port), "--server.headless", "true"]
    server = subprocess.Popen(command, cwd=clone, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(url, server)
        up = time.monotonic() - started
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(1000 * PATIENCE)
            expect.set_options(timeout=1000 * PATIENCE)
            page.goto(f"{url}/learnability")
            image = page.locator(".cell img").first
            compute_unless(page, image)
            image.wait_for(timeout=1000 * PATIENCE)
            shown = time.monotonic() - started
            browser.close()
        return up, shown, megabytes(clone / ".venv")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", type=Path, default=Path(__file__).resolve().parents[1], help="the repository")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            up, shown, size = measure(options.of.resolve(), Path(folder), options.chromium)
            print(f"server {up:.1f} s   first gallery {shown:.1f} s   installed {size:,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
