"""Finding flipped labels: unique information beside cleanlab, in one run on the same images; quality and seconds.

    python benchmarks/labels.py [--dataset mnist] [--classes 4,9] [--n 1000] [--test 1000] [--noise 0.1] [--seeds 5] [--threads 2]

For each seed, images are drawn and a share of their labels is flipped. Ours: F-SI, self-influence and the loss from the pseudo-NTK of a
network of one hidden layer of 1024 ReLU units at λ = 0 and τ = 0.002: the 2000 steps at rate 0.001 of Unique-info's A.5, whose loss is a
mean over 1000 images. The seconds count everything from the images to the scores: kernel, eigenvectors, all leave-one-out shifts. F-SI
asks for held-out images, without their labels. Cleanlab's label quality scores, self-confidence and normalized margin, come from
out-of-sample probabilities of a logistic regression on the pixels, by five-fold cross-validation, as its own examples take them.

Cleanlab is not among the project's requirements; without it only our rows are printed. Beside the project, touching none of its pins:

    pip install --target /tmp/cleanlab --no-deps cleanlab tqdm termcolor
    PYTHONPATH=/tmp/cleanlab python benchmarks/labels.py

Exits 1 where the mean ROC-AUC of F-SI is below 0.95.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.data import Dataset, load_dataset
from ntkcore.errors import AtlasError
from ntkcore.influence.self_influence import self_influence
from ntkcore.information import functional_information
from ntkcore.information.detection import detect, mean_interval
from ntkcore.kernels import empirical_ntk
from ntkcore.models import build_model
from ntkcore.regression import KernelRegression
from ntkcore.settings import settings
from ntkcore.specs import DatasetSpec, ModelSpec

TIME = 0.002  # τ: 2000 steps at rate 0.001 on the loss averaged over 1000 images
WIDTH = 1024
FOLDS = 5
LEAST = 0.95
METRICS = ("auc", "average_precision", "precision")
Scores = dict[str, np.ndarray]


def ours(train: Dataset, held: np.ndarray) -> Scores:
    """Scores (n,) from the kernel, higher more suspicious."""
    spec = ModelSpec(architecture="fcn", width=WIDTH, depth=1)
    shape = train.inputs.shape[1:]
    model = build_model(spec, input_shape=shape, outputs=train.outputs, mean=train.mean, std=train.std).eval()
    kernel = empirical_ntk(model, train.inputs, outputs="pseudo")
    across = empirical_ntk(model, held, train.inputs, outputs="pseudo")
    with torch.inference_mode():
        start = model(torch.from_numpy(train.inputs)).double().numpy()
    regression = KernelRegression(kernel, train.targets, 0.0, start)
    return {
        "F-SI": functional_information(regression, across, TIME),
        "self-influence": self_influence(regression, TIME),
        "loss": np.square(regression.own_errors(TIME)).sum(1) / 2,
    }


def theirs() -> Callable[[Dataset, np.ndarray], Scores] | None:
    """Cleanlab's scores of a draw; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None

    def scores(train: Dataset, held: np.ndarray) -> Scores:
        pixels = train.pixels.reshape(train.n, -1) / 255.0
        chances = cross_val_predict(LogisticRegression(max_iter=2000), pixels, train.labels, cv=FOLDS, method="predict_proba")
        return {
            f"cleanlab, {method.replace('_', ' ')}": -get_label_quality_scores(train.labels, chances, method=method)
            for method in ("self_confidence", "normalized_margin")
        }

    return scores


def drawn(options: argparse.Namespace, seed: int) -> tuple[Dataset, np.ndarray]:
    """The images of one seed with their flips, and those held out from the same draw."""
    spec = DatasetSpec(name=options.dataset, classes=tuple(options.classes.split(",")), n=options.n, seed=seed, label_noise=options.noise)
    both = load_dataset(spec.model_copy(update={"n": options.n + options.test, "label_noise": 0.0}), settings())
    return load_dataset(spec, settings()), both.inputs[options.n :]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--classes", default="4,9")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    methods = {"ours": ours, "cleanlab": theirs()}
    found: dict[str, list[list[float]]] = {}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    try:
        for seed in range(options.seeds):
            train, held = drawn(options, seed)
            truth = train.labels != train.true_labels
            for name, method in methods.items():
                if method is None:
                    continue
                started = time.perf_counter()
                scores = method(train, held)
                seconds[name].append(time.perf_counter() - started)
                for score, values in scores.items():
                    judged = detect(values, truth)
                    found.setdefault(score, []).append([getattr(judged, metric).value for metric in METRICS])
    except AtlasError as error:
        print(f"{error.message} {error.remedy}", file=sys.stderr)
        return 1
    _print(options, found, seconds)
    if methods["cleanlab"] is None:
        print("cleanlab is not installed: `python benchmarks/labels.py --help` says how to run it beside the project.")
    return 0 if np.mean([row[0] for row in found["F-SI"]]) >= LEAST else 1


def _print(options: argparse.Namespace, found: dict[str, list[list[float]]], seconds: dict[str, list[float]]) -> None:
    flipped = round(options.noise * options.n)
    print(
        f"{options.dataset} {options.classes}: {options.n:,} images, {flipped:,} labels flipped, {options.test:,} held out, "
        f"{options.seeds} seeds; mean [95 % interval]"
    )
    print(f"{'score':28}{'ROC-AUC':26}{'average precision':26}{'precision at noise rate':26}seconds a seed")
    for score, rows in found.items():
        spent = float(np.median(seconds["cleanlab" if score.startswith("cleanlab") else "ours"]))
        cells = [mean_interval(column) for column in np.transpose(rows)]
        said = "".join(f"{f'{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]':26}" for one in cells)
        print(f"{score:28}{said}{spent:.2f}")


if __name__ == "__main__":
    sys.exit(main())
