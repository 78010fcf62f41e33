"""How fast the influence page answers a moved slider in a real Chromium, in one or two checkouts side by side.

    .venv/bin/python benchmarks/slider.py [--trees . ../before] [--moves 9] [--n 500]

Each checkout has its own server and cache with the same analysis (digits, two-layer kernel). The sliders of λ and of τ are moved a step by
the keyboard, in turn in each checkout, always to a position that is new. Medians over the moves, each with its range:
- *sentence*: from the key to another answer above the gallery;
- *quiet*: from the key until the script has run and the answer stands.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

from playwright.sync_api import Page, sync_playwright  # noqa: E402  # after the path of the project
from running_app import FLAGS  # noqa: E402

SLIDERS = {"τ": "Training time τ", "λ": "Regularisation λ"}  # τ first: at a large λ all is learned at once


class Checkout:
    """A server of one checkout, with the analysis computed."""

    def __init__(self, tree: Path, folder: Path, port: int, n: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {"NTK_CACHE_DIR": str(folder / "cache"), "NTK_START_WORKER": "0", "PYTHONPATH": str(tree)}
        options: dict = {"cwd": tree, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.address = f"{self.url}/influence?dataset=digits&n={n}&ridge=0.01&time=5.0"
        subprocess.run([sys.executable, "-m", "ntkcore", "influence", "--dataset", "digits", "--n", str(n)], check=True, **options)
        command = [sys.executable, "-m", "streamlit", "run", str(tree / "app.py"), "--server.port", str(port), "--server.headless", "true"]
        self.process = subprocess.Popen(command, **options)

    def opened(self, page: Page) -> None:
        """Open the page and wait until it stands."""
        for _ in range(60):
            try:
                page.goto(self.address)
                break
            except Exception:  # the server is not up yet
                time.sleep(1)
        page.locator(".atlas-pair .atlas-fact").first.wait_for(timeout=120_000)
        page.get_by_text("Is it true?").wait_for(timeout=120_000)
        quiet(page)
        page.wait_for_timeout(3000)


def quiet(page: Page) -> None:
    """Wait until the script has run."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=60_000)


def moved(page: Page, label: str, key: str) -> tuple[float, float]:
    """Seconds until another sentence, and until all is quiet, after one step of a slider."""
    thumb = page.locator('[data-testid="stSlider"]', has_text=label).get_by_role("slider")
    thumb.focus()
    before = page.locator(".atlas-pair .atlas-fact").first.inner_text()
    started = time.monotonic()
    thumb.press(key)
    page.wait_for_function(
        "before => { const one = document.querySelector('.atlas-pair .atlas-fact'); return one && one.innerText !== before; }",
        arg=before,
        polling=10,
        timeout=60_000,
    )
    sentence = time.monotonic() - started
    page.wait_for_timeout(50)
    quiet(page)
    done = time.monotonic() - started
    page.wait_for_timeout(1500)
    return sentence, done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", nargs="+", type=Path, default=[Path(__file__).resolve().parents[1]])
    parser.add_argument("--moves", type=int, default=9)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    trees = [tree.resolve() for tree in options.trees]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        checkouts = [Checkout(tree, Path(folder) / str(place), 8650 + place, options.n) for place, tree in enumerate(trees)]
        try:
            pages = [browser.new_page(viewport={"width": 1440, "height": 900}) for _ in checkouts]
            for checkout, page in zip(checkouts, pages, strict=True):
                checkout.opened(page)
            for name, label in SLIDERS.items():
                found: list[list[tuple[float, float]]] = [[] for _ in pages]
                for move in range(options.moves + 1):
                    for place, page in enumerate(pages):
                        step = moved(page, label, "ArrowLeft" if name == "τ" else "ArrowRight")
                        if move:  # the first loads what only it needs
                            found[place].append(step)
                for tree, steps in zip(trees, found, strict=True):
                    for said, values in zip(("sentence", "quiet"), zip(*steps, strict=True), strict=True):
                        middle = statistics.median(values)
                        print(f"{name} {said:8} {middle:.2f} s  ({min(values):.2f} to {max(values):.2f})  {tree}")
        finally:
            browser.close()
            for checkout in checkouts:
                checkout.process.kill()


if __name__ == "__main__":
    main()
