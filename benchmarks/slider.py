"""How fast the influence page answers in a real Chromium, in one or two checkouts side by side.

    .venv/bin/python benchmarks/slider.py [--trees . ../before] [--moves 12] [--n 500] [--dataset digits] [--sessions 10]

Each checkout has its own server and cache with the same analysis (two-layer kernel; MNIST: 7 against 9). Medians, each with its range, of
each checkout in turn:
- *opened*: from asking for the stored analysis until its sentence stands, in a fresh profile of the browser;
- *sentence*: from the key that moves the slider of τ or of λ a step, always to a position that is new, to another answer above the gallery;
- *quiet*: from that key until the script has run and the answer stands;
- *tick*: milliseconds of processor that the server takes a second more while the panel of a waiting job is open;
- *sessions*: the sentence's median and 95th percentile where many move their λ, each its own, at the same moment.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

import psutil  # noqa: E402  # after the path of the project
from playwright.sync_api import Browser, Locator, Page, sync_playwright  # noqa: E402
from running_app import FLAGS  # noqa: E402

SLIDERS = {"τ": "Training time τ", "λ": "Regularisation λ"}
BEGUN = {"τ": "ridge=0.01&time=5.0", "λ": "ridge=0.000316"}  # each with thirteen positions that change the answer


VIEW = {"width": 1440, "height": 900}
WATCH = """() => {
  const said = () => document.querySelector('.atlas-pair .atlas-fact')?.innerText, before = said();
  window.answered = null;
  document.addEventListener('keydown', () => { window.moved = performance.now(); }, {once: true, capture: true});
  const seen = new MutationObserver(() => { if (said() && said() !== before) { window.answered = performance.now(); seen.disconnect(); } });
  seen.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


class Checkout:
    """A server of one checkout, with the analysis computed."""

    def __init__(self, tree: Path, folder: Path, port: int, chosen: dict[str, str | list[str]]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {"NTK_CACHE_DIR": str(folder / "cache"), "NTK_START_WORKER": "0", "PYTHONPATH": str(tree)}
        options: dict = {"cwd": tree, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.choice = urlencode(chosen, doseq=True)
        self.address = f"{self.url}/influence?{self.choice}&"
        words = [word for name, value in chosen.items() for word in (f"--{name}", value if isinstance(value, str) else ",".join(value))]
        subprocess.run([sys.executable, "-m", "ntkcore", "influence", *words], check=True, **options)
        command = [sys.executable, "-m", "streamlit", "run", str(tree / "app.py"), "--server.port", str(port), "--server.headless", "true"]
        self.process = subprocess.Popen(command, **options)

    def opened(self, page: Page, name: str) -> None:
        """Open the page where a slider begins, and wait until it stands."""
        for _ in range(60):
            try:
                page.goto(self.address + BEGUN[name])
                break
            except Exception:  # the server is not up yet
                time.sleep(1)
        self.shown(page)

    def shown(self, page: Page) -> None:
        """Wait until the page stands and nothing moves."""
        page.locator(".atlas-pair .atlas-fact").first.wait_for(timeout=120_000)
        page.get_by_text("Is it true?").wait_for(timeout=120_000)
        quiet(page)
        page.wait_for_timeout(3000)

    def opening(self, browser: Browser) -> float:
        """Seconds until the sentence of the stored analysis stands."""
        context = browser.new_context(viewport=VIEW)
        page = context.new_page()
        started = time.monotonic()
        page.goto(self.address + BEGUN["λ"], wait_until="commit")
        page.wait_for_function("() => document.querySelector('.atlas-pair .atlas-fact')", polling=10, timeout=120_000)
        took = time.monotonic() - started
        quiet(page)
        context.close()
        return took

    def tick(self, browser: Browser, seconds: float = 30.0) -> float:
        """Milliseconds of the server's processor a second for the panel of a job that no worker takes."""
        context = browser.new_context(viewport=VIEW)
        page = context.new_page()
        page.goto(f"{self.url}/influence?{self.choice}&test=7")
        page.get_by_role("button", name="Compute", exact=True).click(timeout=120_000)
        page.get_by_text("Waiting").first.wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        busy = self._spent(page, seconds)
        page.goto("about:blank")
        page.wait_for_timeout(3000)
        idle = self._spent(page, seconds)
        context.close()
        return 1000 * (busy - idle) / seconds

    def _spent(self, page: Page, seconds: float) -> float:
        before = sum(psutil.Process(self.process.pid).cpu_times()[:2])
        page.wait_for_timeout(1000 * seconds)
        return sum(psutil.Process(self.process.pid).cpu_times()[:2]) - before

    def together(self, browser: Browser, sessions: int, moves: int) -> list[float]:
        """Seconds until each session's other sentence, where all move their λ at once."""
        contexts = [browser.new_context(viewport=VIEW) for _ in range(sessions)]
        pages = [context.new_page() for context in contexts]
        for page in pages:
            page.goto(self.address + BEGUN["λ"])
            self.shown(page)
        found = []
        for move in range(moves + 1):
            for page in pages:
                slider(page, "λ").focus()
                page.evaluate(WATCH)
            for page in pages:
                slider(page, "λ").press("ArrowRight" if move % 8 < 4 else "ArrowLeft", no_wait_after=True)
            for page in pages:
                page.wait_for_function("() => window.answered", polling=50, timeout=120_000)
                if move:
                    found.append(page.evaluate("() => (window.answered - window.moved) / 1000"))
            for page in pages:
                quiet(page)
            pages[0].wait_for_timeout(2000)
        for context in contexts:
            context.close()
        return found


def slider(page: Page, name: str) -> Locator:
    """The thumb of τ's or of λ's slider."""
    return page.locator('[data-testid="stSlider"]', has_text=SLIDERS[name]).get_by_role("slider")


def quiet(page: Page) -> None:
    """Wait until the script has run."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=60_000)


def moved(page: Page, name: str) -> tuple[float, float]:
    """Seconds until another sentence, and until all is quiet, after one step of a slider."""
    thumb = slider(page, name)
    thumb.focus()
    before = page.locator(".atlas-pair .atlas-fact").first.inner_text()
    started = time.monotonic()
    thumb.press("ArrowLeft" if name == "τ" else "ArrowRight")
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


def told(what: str, values: list[float], tree: Path) -> None:
    """Print a median with its range."""
    print(f"{what:10} {statistics.median(values):.2f} s  ({min(values):.2f} to {max(values):.2f})  {tree}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", nargs="+", type=Path, default=[Path(__file__).resolve().parents[1]])
    parser.add_argument("--moves", type=int, default=12)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--dataset", choices=["digits", "mnist"], default="digits")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    trees = [tree.resolve() for tree in options.trees]
    chosen: dict[str, str | list[str]] = {"dataset": options.dataset, "n": str(options.n)}
    if options.dataset == "mnist":
        chosen["classes"] = ["7", "9"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        checkouts = [Checkout(tree, Path(folder) / str(place), 8650 + place, chosen) for place, tree in enumerate(trees)]
        try:
            pages = [browser.new_page(viewport=VIEW) for _ in checkouts]
            for name in SLIDERS:
                for checkout, page in zip(checkouts, pages, strict=True):
                    checkout.opened(page, name)
                found: list[list[tuple[float, float]]] = [[] for _ in pages]
                for move in range(options.moves + 1):
                    for place, page in enumerate(pages):
                        step = moved(page, name)
                        if move:  # the first loads what only it needs
                            found[place].append(step)
                for tree, steps in zip(trees, found, strict=True):
                    for said, values in zip(("sentence", "quiet"), zip(*steps, strict=True), strict=True):
                        told(f"{name} {said}", list(values), tree)
            for page in pages:
                page.close()
            opened: list[list[float]] = [[] for _ in checkouts]
            for _ in range(5):
                for place, checkout in enumerate(checkouts):
                    opened[place].append(checkout.opening(browser))
            for tree, values in zip(trees, opened, strict=True):
                told("opened", values, tree)
            for tree, checkout in zip(trees, checkouts, strict=True):
                print(f"{'tick':10} {checkout.tick(browser):.0f} ms of processor  {tree}")
            if options.sessions:
                for tree, checkout in zip(trees, checkouts, strict=True):
                    values = checkout.together(browser, options.sessions, 4)
                    told(f"{options.sessions} sessions", values, tree)
                    print(f"{'':10} 95th percentile {statistics.quantiles(values, n=20)[-1]:.2f} s")
        finally:
            browser.close()
            for checkout in checkouts:
                checkout.process.kill()


if __name__ == "__main__":
    main()
