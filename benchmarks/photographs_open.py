"""Opening many photographs from a stored result in a real Chromium: Learnability's gallery and the map, from a warm server.

A set of generated photographs is imported, and the results of a small fully connected network are computed: what is measured is the
opening, for which the network does not matter. Seconds are medians over the runs, with their range:

- *by its address*: in a fresh browser, the client's own files included, from asking for the page until it stands;
- *from another page*: in an open browser, from a click in the sidebar until it stands.

A gallery stands when all cards of its page are in the document, those in view are decoded and the first can be clicked; the map when every
image is a point on a chart that is drawn, and the gallery beside it stands.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from photographs_made import write_zip

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from playwright.sync_api import Browser, Page, sync_playwright
from running_app import FLAGS, Server

from ntkcore.data import Order, import_apart
from ntkcore.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
MOST = 2.0  # seconds
HELD = 2  # images beside those on the map
_WAIT = 300_000  # milliseconds
_CARDS = """least => {
  const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot).find(r => r && r.querySelector('.cell'));
  if (!root || root.querySelectorAll('.cell').length < least) return false;
  const box = root.querySelector('.scroll').getBoundingClientRect();
  return [...root.querySelectorAll('.cell')].filter(c => c.getBoundingClientRect().top < Math.min(box.bottom, innerHeight))
    .map(c => c.querySelector('img')).every(i => i.complete && i.naturalWidth > 0);
}"""
_POINTS = """n => {
  const plot = document.querySelector('.st-key-chart_map .js-plotly-plot');
  if (!plot || !plot.calcdata || !plot._fullLayout || plot._fullLayout._size.w <= 0 || plot._transitioning) return false;
  return plot._fullData.reduce((sum, trace) => sum + (trace.customdata?.length ?? 0), 0) === n && !!plot.querySelector('canvas');
}"""


def computed(cache: Path, name: str, own: str, n: int) -> str:
    """Compute a page's result unless it is stored; its address."""
    sizes = {"own": own, "n": n, "model": "fcn", "width": 16, "depth": 1}
    further = {"learnability": {"epochs": 1, "full": 0}, "map": {"kernel": "pseudo", "test": HELD}}[name]
    options = [part for option, value in (sizes | further).items() for part in (f"--{option}", str(value))]
    command = [sys.executable, "-m", "ntkcore", name, *options]
    subprocess.run(command, check=True, env=Server(cache).environment | {"NTK_THREADS": "2"}, cwd=ROOT, stdout=subprocess.DEVNULL)
    asked = {"dataset": "own"} | sizes | further
    return f"/{name}?" + "&".join(f"{option}={value}" for option, value in asked.items())


def gallery_stands(page: Page, n: int) -> None:
    """Wait for Learnability's gallery, of which a page of cards is sent."""
    page.wait_for_function(_CARDS, arg=min(n, 100), polling=20)
    page.locator(".cell").first.locator(".tick").click(trial=True)


def map_stands(page: Page, n: int) -> None:
    """Wait for the map of ``n`` images and its gallery."""
    page.wait_for_function(_POINTS, arg=n, polling=20)
    gallery_stands(page, n)


def opened(browser: Browser, url: str, link: str, stands: Callable[[Page], None]) -> tuple[float, float]:
    """Seconds by its address in a fresh browser, and from another page in the same one."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(_WAIT)
    try:
        started = time.monotonic()
        page.goto(url, wait_until="commit")
        stands(page)
        first = time.monotonic() - started
        page.get_by_role("link", name="Start", exact=True).click()
        page.get_by_role("heading", name="NTK Atlas").wait_for()
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        page.wait_for_timeout(1000)
        started = time.monotonic()
        page.get_by_role("link", name=link, exact=True).click()
        stands(page)
        return first, time.monotonic() - started
    finally:
        context.close()


def run_open(options: argparse.Namespace) -> int:
    """Import, compute, open; 1 where a warm opening takes longer than it may."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(options.cache) if options.cache else Path(folder) / "cache"
        settings = Settings(cache_dir=cache)
        path = Path(folder) / "photographs.zip"
        write_zip(path, options.images + HELD, options.side)
        own = import_apart(Order((path,), "Photographs"), settings, lambda what, done, total: None)
        path.unlink()
        addresses = {name: computed(cache, name, own, options.images) for name in ("learnability", "map")}
        stands: dict[str, tuple[str, Callable[[Page], None]]] = {
            "learnability": ("Learnability", lambda page: gallery_stands(page, options.images)),
            "map": ("Map", lambda page: map_stands(page, options.images)),
        }
        good = True
        server = Server(cache).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
            try:
                for name, address in addresses.items():
                    taken = [opened(browser, server.url + address, *stands[name]) for _ in range(options.runs + 1)][1:]
                    for way, seconds in zip(("by its address", "from another page"), zip(*taken, strict=True), strict=True):
                        middle = statistics.median(seconds)
                        good &= middle <= MOST
                        said = f"{middle:.2f} s (range {min(seconds):.2f} to {max(seconds):.2f}, load {os.getloadavg()[0]:.1f})"
                        print(f"{name:14}{way:20}{said}", flush=True)
            finally:
                browser.close()
                server.stop()
    return 0 if good else 1
