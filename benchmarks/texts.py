"""Unique information of real texts (Unique-info, A.7): what the documentation of two installed packages tells a network.

    python benchmarks/texts.py [--packages torch pandas] [--each 1000] [--train 1500] [--test 500] [--vectors FILE] [--noise 0.1]

Texts are docstrings of the packages' functions and classes, of 60 characters or more; the class is the package. They are imported as from
the page, as a CSV: TF-IDF and a truncated SVD to 100 numbers, or the mean of the word vectors of a file in GloVe's text format. The
network has one hidden layer of 2000 ReLU units; its pseudo-NTK is taken at initialisation, at the paper's training time (10,000 steps at
rate 0.003 of the averaged loss, λ = 0.01) and at the end of training. Printed: seconds, held-out accuracy, the Pearson correlation of the
scores with the texts' length in words (the paper has -0.16 on film reviews), the texts at both ends, and with some labels flipped, how
well the scores find them.
"""

import argparse
import ast
import csv
import importlib.util
import random
import sys
import tempfile
import time
from math import inf
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views as information_views
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_texts, open_pack
from ntkcore.information.detection import detect, mean_interval
from ntkcore.notebook import PrintedProgress
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import Settings

STEPS, RATE, RIDGE = 10_000, 0.003, 1e-2
SHORTEST = 60
"""Characters of a docstring below which it says nothing."""


def docstrings(package: str) -> list[str]:
    """Those of a package's functions and classes, each once, tests left out; in an order that is drawn."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed.")
    folder, texts = Path(found.origin).parent, {}
    for path in sorted(folder.rglob("*.py")):
        if any("test" in part for part in path.relative_to(folder).parts):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue  # templates and files of another version
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (text := ast.get_docstring(node)):
                texts[text] = len(text)
    kept = [text for text, length in texts.items() if length >= SHORTEST]
    random.Random(0).shuffle(kept)
    return kept


def write(path: Path, packages: list[str], each: int) -> None:
    """The CSV."""
    rows = [(text, package) for package in packages for text in docstrings(package)[:each]]
    random.Random(1).shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def computed(ws: Workspace, own: str, train: int, test: int, noise: float, seed: int) -> InfluenceResult:
    """The analysis, as the page asks for it."""
    query = {"dataset": "own", "own": own, "n": str(train), "test": str(test), "noise": str(noise), "seed": str(seed)}
    network = {"kernel": "pseudo", "model": "fcn", "width": "2000", "depth": "1"}
    spec, _ = ADDRESSES["information"].read(query | network)
    INFORMATION.compute(spec, ws, PrintedProgress(ws.device))
    return INFORMATION.open(spec, ws)


def main() -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs=2, default=["torch", "pandas"])
    for name, value in (("each", 1000), ("train", 1500), ("test", 500), ("seeds", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--vectors", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws, file = Workspace(Settings(cache_dir=Path(folder) / "cache")), Path(folder) / "texts.csv"
        write(file, chosen.packages, chosen.each)
        started = time.perf_counter()
        report = import_texts(file, ws.settings, name="docstrings", vectors=chosen.vectors)
        print(f"Import of {report.n:,} texts: {time.perf_counter() - started:.1f} s. {report.notes[0]}")

        started = time.perf_counter()
        result = computed(ws, report.content_id, chosen.train, chosen.test, 0.0, 0)
        print(f"Kernel of {chosen.train:,} and {chosen.test:,} texts and its decomposition: {time.perf_counter() - started:.1f} s.")
        pack = open_pack(result.pack, ws.settings)
        assert pack is not None
        texts = [pack.text(i) or "" for i in range(len(pack))]
        times = {"10,000 steps at rate 0.003": STEPS * RATE / chosen.train, "end of training": inf}
        for said, tau in times.items():
            started = time.perf_counter()
            scores = information_views.scores(Look(result, RIDGE, tau, ws))
            spent = time.perf_counter() - started
            held = Look(result, RIDGE, tau, ws).held()
            length = pearsonr(scores, [len(text.split()) for text in texts]).statistic
            print(f"\n{said}: scores in {spent:.2f} s, held-out accuracy {held.correct.mean():.3f}, correlation with length {length:+.2f}")
            order = np.argsort(-scores)
            for which, places in (("Most", order[:3]), ("Least", order[-3:])):
                for i in places:
                    print(f"  {which} ({scores[i]:.2g} nats, {result.class_names[result.labels[i]]}): {' '.join(texts[i].split())[:100]}")

        areas: dict[str, list[float]] = {said: [] for said in times}
        for seed in range(chosen.seeds):
            flipped = computed(ws, report.content_id, chosen.train, chosen.test, chosen.noise, seed)
            for said, tau in times.items():
                scores = information_views.scores(Look(flipped, RIDGE, tau, ws))
                areas[said].append(detect(scores, flipped.labels != flipped.true_labels).auc.value)
        print(f"\nROC-AUC of finding {100 * chosen.noise:g} % flipped labels, mean over {chosen.seeds} draws and its 95 % interval:")
        for said, found in areas.items():
            mean = mean_interval(found)
            print(f"  {said}: {mean.value:.3f} ({mean.low:.3f} to {mean.high:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
