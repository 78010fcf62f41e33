"""How soon the next item comes on the Label page: from an answer to everything that the page says of the next one.

    OPENBLAS_NUM_THREADS=1 python benchmarks/labelling.py [--n 4000] [--start 100] [--answers 60] [--pause 0.3] [--page] [--profile]

A session of practice is begun in a folder of its own, its network is made, and items are given their true labels, as somebody who presses
keys would: keeping the label with what it changed, the library's commits, the state after it, the next item and who else has it, why it is
asked for, and the line above. Between two answers are ``--pause`` seconds, in which a person would look. With ``--page`` the page's own
script runs, too, without a browser. Prints the median, the 95th percentile and the longest; exits 1 where the 95th percentile is above half
a second.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path[:0] = [
    str(Path(__file__).resolve().parents[1]),
    str(Path(__file__).resolve().parents[1] / "tests" / "pages"),
    str(Path(__file__).resolve().parents[1] / "tests"),
]

LIMIT = 0.5


class Quiet:
    """A reporter that says nothing."""

    device = "cpu"

    def plan(self, stages: object) -> None:
        """Nothing."""

    def report(self, stage: str, done: float) -> None:
        """Nothing."""

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """Nothing."""
        return lambda done, total: None

    def warn(self, text: str) -> None:
        """Nothing."""


def by_core(session: str, answers: int, pause: float) -> list[float]:
    """Seconds of each answer, as the page's functions take them."""
    from ntkcore.analyses.label import sitting as sittings
    from ntkcore.analyses.label.curve import at_random, first_network
    from ntkcore.analyses.workspace import workspace
    from ntkcore.library import Labels

    ws = workspace()
    labels = Labels(ws.library)

    def shown() -> int | None:
        """What the page asks for, of its item, which is given."""
        now = sittings.sit(labels.session(session), ws)
        item = sittings.claim(now, None, "benchmark", "Ann", ws)
        if item is not None:
            sittings.pace(now, "Ann")
            first = first_network(now, ws)
            assert first is not None and now.moment.right is not None
            at_random(first, len(now.moment.labels), ws)
            now.moment.suggestion(item)
            now.moment.why(item)
            sittings.twin(now, item)
            sittings.order(now)
            sittings.prepare(now, item, ws)
        return item

    item = shown()
    found = []
    for _ in range(answers):
        if item is None:
            break
        time.sleep(pause)
        start = time.perf_counter()
        before = sittings.sit(labels.session(session), ws)
        label = int(before.network.truth[item])
        sittings.answer(before, item, label, "Ann", ws, seen=before.standing.seen(item))
        item = shown()
        found.append(time.perf_counter() - start)
    return found


def by_page(session: str, answers: int, pause: float) -> list[float]:
    """Seconds of each answer on the page, from the key to the end of its script."""
    from visiting import opened, visitor

    from ntkcore.analyses.label import sitting as sittings
    from ntkcore.analyses.workspace import workspace
    from ntkcore.library import Labels
    from pages.shared.person import Person

    app = visitor()
    app.session_state["person.held"] = Person("Ann", "a" * 24)
    opened(app, "label", session=session)
    ws = workspace()
    truth = sittings.sit(Labels(ws.library).session(session), ws).network.truth
    found = []
    for _ in range(answers):
        button = next(one for one in app.button if one.key and one.key.startswith("label_class_0"))
        label = truth[int(button.key.split("_")[3])]
        chosen = next(one for one in app.button if one.key and one.key.startswith(f"label_class_{label}_"))
        time.sleep(pause)
        start = time.perf_counter()
        chosen.click().run()
        found.append(time.perf_counter() - start)
        assert not app.exception
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--start", type=int, default=100)
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.3)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"NTK_CACHE_DIR": folder, "NTK_START_WORKER": "0"}
        from ntkcore.analyses.label import network as networks
        from ntkcore.analyses.label import sitting as sittings
        from ntkcore.analyses.workspace import workspace
        from ntkcore.library import Labels
        from ntkcore.specs.label import LabelSpec

        ws = workspace()
        chosen = {"dataset": {"name": options.dataset, "n": options.n}, "start": options.start, "held": 200, "every": 10_000}
        session = sittings.begin(LabelSpec.model_validate(chosen), "Ann", ws)
        networks.compute(sittings.suggesting(Labels(ws.library).session(session)), ws, Quiet())
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        found = (by_page if options.page else by_core)(session, options.answers, options.pause)
        profile.disable()
        if options.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        ws.library.close()
        ws.jobs.close()
    high = sorted(found)[max(0, -(-95 * len(found) // 100) - 1)]
    what = "page's script" if options.page else "core"
    print(
        f"{options.dataset}, {options.n:,} items, {options.start:,} labelled at first, {len(found)} answers, {what}: "
        f"median {statistics.median(found):.3f} s, 95 % in {high:.3f} s, longest {max(found):.3f} s"
    )
    return 0 if high <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
