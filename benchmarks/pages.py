"""How fast the learnability page answers in a real Chromium, from a warm cache.

    .venv/bin/python benchmarks/pages.py [--n 1000] [--runs 5]

Four figures, medians over the runs, each with its range:
- *gallery*: from asking for the page with all n images to n cards in the document, the visible thumbnails decoded and the first
  card clickable (a cold browser profile every time);
- *switch*: in the open page, from a click on “All, ranked” to the same;
- *rerun*: from a click on “Easiest” to the new first card (one rerun of the fragment, gallery and four charts
  included, once the page has settled);
- *peer*: the same n images as Streamlit's own ``st.image`` in columns, on the same server machine, for the ratio.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "tests")]

from playwright.sync_api import Page, sync_playwright  # noqa: E402  # after the path of the project
from running_app import FLAGS, Server  # noqa: E402

PEER = """
import numpy as np, streamlit as st
from sklearn.datasets import load_digits
images = load_digits().images[:{n}] / 16
columns = st.columns(12)
for i, image in enumerate(images):
    with columns[i % 12]:
        st.image(image, width=80)
        st.button(str(i), key=str(i))
st.write("all shown")
"""


def warm(cache: Path, n: int) -> str:
    """Compute the analysis the page shows; its address."""
    choices = ["--n", str(n), "--width", "64", "--epochs", "5"]
    subprocess.run(
        [sys.executable, "-m", "ntkcore", "learnability", *choices],
        check=True,
        env=Server(cache).environment,
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return "/learnability?" + "&".join(f"{name[2:]}={value}" for name, value in zip(choices[::2], choices[1::2], strict=True))


def gallery(page: Page, url: str, n: int) -> float:
    """Seconds until n cards stand, those in view are decoded, and the first takes a click's focus."""
    started = time.monotonic()
    page.goto(url + "&show=all", wait_until="commit")
    all_shown(page, n)
    return time.monotonic() - started


def all_shown(page: Page, n: int) -> None:
    """Wait until n cards stand, those in view are decoded, and the first can be clicked."""
    page.wait_for_function(
        """n => { const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot).find(r => r && r.querySelector('.cell'));
                  if (!root || root.querySelectorAll('.cell').length !== n) return false;
                  const box = root.querySelector('.scroll').getBoundingClientRect();
                  return [...root.querySelectorAll('.cell')].filter(c => c.getBoundingClientRect().top < box.bottom)
                    .map(c => c.querySelector('img')).every(i => i.complete && i.naturalWidth > 0); }""",
        arg=n,
        polling=20,
        timeout=60_000,
    )
    page.locator(".cell").first.locator(".tick").click(trial=True)


def switch(page: Page, n: int) -> float:
    """Seconds from a click on “All, ranked” in the open page to all n images, as above."""
    started = time.monotonic()
    page.get_by_text("All, ranked", exact=True).click()
    all_shown(page, n)
    return time.monotonic() - started


def rerun(page: Page) -> float:
    """Seconds from a click on “Easiest” to the easiest image first."""
    page.get_by_text("Mean error: measured and predicted").wait_for()  # the charts have come
    page.wait_for_timeout(2000)
    before = page.locator(".cell").first.get_attribute("data-id")
    started = time.monotonic()
    page.get_by_text("Easiest", exact=True).click()
    page.wait_for_function(
        """before => { const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot).find(r => r && r.querySelector('.cell'));
                       return root && root.querySelector('.cell').dataset.id !== before; }""",
        arg=before,
        polling=10,
    )
    return time.monotonic() - started


def peer(browser, folder: Path, n: int) -> float:  # type: ignore[no-untyped-def]
    """Seconds until Streamlit's own images and buttons stand."""
    script = folder / "peer.py"
    script.write_text(PEER.format(n=n))
    server = Server(folder / "peer-cache")
    server.cache.mkdir()
    server.start(script)
    try:
        page = browser.new_page()
        started = time.monotonic()
        page.goto(server.url, wait_until="commit")
        page.get_by_text("all shown").wait_for(timeout=120_000)
        page.locator("img").nth(n - 1).wait_for(timeout=120_000)
        return time.monotonic() - started
    finally:
        server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cache = Path(folder) / "cache"
        address = warm(cache, options.n)
        server = Server(cache).start()
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        try:
            shown, again, switched = [], [], []
            for run in range(options.runs + 1):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                first, second = gallery(page, server.url + address, options.n), rerun(page)
                page.wait_for_timeout(1000)
                third = switch(page, options.n)
                if run:  # the first run loads the app's modules
                    shown.append(first)
                    again.append(second)
                    switched.append(third)
                context.close()
            other = peer(browser, Path(folder), options.n)
        finally:
            browser.close()
            server.stop()
    for name, values in (("gallery", shown), ("switch", switched), ("rerun", again)):
        print(f"{name:8} median {statistics.median(values):.2f} s  (range {min(values):.2f} to {max(values):.2f}, {len(values)} runs)")
    ratio = other / statistics.median(shown)
    print(f"peer     {other:.2f} s (st.image and st.button in columns, {options.n} images): the gallery is {ratio:.1f} times faster")


if __name__ == "__main__":
    main()
