"""Finding flipped labels among real photographs by a pretrained network's kernel, beside loss, margin, cleanlab and a network from scratch.

    python benchmarks/photographs_labels.py [--zip ants_bees.zip] [--size 128] [--seeds 5] [--noise 0.1] [--sees head] [--head zero]

Of the zip's photographs those whose names begin with ``train_`` are the training set and those with ``val_`` are held out, without
their labels; ants and bees, 245 and 153. For each seed a share of the training labels is flipped. The kernel is the pseudo-NTK of
EfficientNet-Lite0 with ImageNet's weights and a new head, over the parameters seen; λ is the one of a grid with the least squared
leave-one-out error on the flipped labels, so that nothing is chosen by the truth. Scores, higher more suspicious: F-SI on the held-out
images, the leave-one-out residual ‖r_i‖, k(x,x), loss and negative margin at the end of training; the same of a cnn4 from scratch; cleanlab
with out-of-sample probabilities of a logistic regression on the same network's features (five folds). Mean ROC-AUC over the seeds with a
95 % interval. Cleanlab is not among the requirements; see benchmarks/labels.py.

Exits 1 where the better of F-SI and the residual has a mean ROC-AUC below 0.95 at 128 pixels, 0.97 at 224.
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
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import cross_val_predict

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.labels.views import flipped, suspicions
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.data import import_set
from ntkcore.errors import AtlasError
from ntkcore.information.detection import detect, mean_interval
from ntkcore.notebook import PrintedProgress
from ntkcore.specs.influence import InfluenceSpec

LEAST = {128: 0.95, 224: 0.97}
RIDGES = 10.0 ** np.arange(-6.0, 3.0)  # times the mean of the kernel's diagonal
NAMES = {"information": "F-SI", "residual": "leave-one-out residual", "loss": "loss", "margin": "negative margin", "k_xx": "k(x,x)"}
FOLDS = 5
METRICS = ("auc", "average_precision", "precision")
Scores = dict[str, np.ndarray]


def analysis(own: str, model: dict, options: argparse.Namespace, seed: int) -> InfluenceSpec:
    """The kernel of a network on one seed's training images, whose labels are flipped in part, and the held-out ones."""
    dataset = {"name": "own", "own": own, "n": options.n, "seed": seed, "label_noise": options.noise, "part": "train", "size": options.size}
    return InfluenceSpec.model_validate({"dataset": dataset, "test": options.test, "kernel": "pseudo", "model": model})


def looked(spec: InfluenceSpec, ws: Workspace) -> tuple[Look, float]:
    """The regression with λ of the least squared leave-one-out error on the labels as they are, and the share of held-out images right."""
    INFLUENCE.compute(spec, ws, PrintedProgress(ws.device))
    result = INFLUENCE.open(spec, ws)
    scale = float(np.mean(result.regression.kernel_diagonal()))
    looks = [Look.of(result, float(ridge * scale), None, ws) for ridge in RIDGES]
    best = min(looks, key=lambda look: float(np.square(look.regression().loo_residuals()).sum()))
    right = np.sign(best.outputs()[:, 0]) == np.where(result.test_labels == 1, 1.0, -1.0)
    return best, float(right.mean())


def scores(look: Look) -> Scores:
    """Of the training images (n,), higher more suspicious."""
    found = dict(suspicions(look))
    return {NAMES[name]: found[name] for name in NAMES}


def installed() -> Callable[..., np.ndarray] | None:
    """Cleanlab's label quality scores; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None
    return get_label_quality_scores


def cleanlab(quality: Callable[..., np.ndarray], kernel: np.ndarray, labels: np.ndarray) -> Scores:
    """Cleanlab's scores (n,) with out-of-sample probabilities of a logistic regression on the features, which the kernel of a zero head is
    the products of: its square root has the same distances and angles, and that is all such a regression sees. Its penalty is chosen by
    five folds, the probabilities are those of five folds."""
    values, vectors = np.linalg.eigh(kernel)
    features = vectors * np.sqrt(np.maximum(values, 0.0) / np.mean(np.diag(kernel)))
    found = LogisticRegressionCV(
        Cs=np.logspace(-2, 4, 7), cv=FOLDS, max_iter=5000, use_legacy_attributes=False, l1_ratios=(0.0,), scoring="neg_log_loss"
    )
    chances = cross_val_predict(found, features, labels, cv=FOLDS, method="predict_proba")
    return {
        f"cleanlab on the features, {method.replace('_', ' ')}": -quality(labels, chances, method=method)
        for method in ("self_confidence", "normalized_margin")
    }


def _print(options: argparse.Namespace, found: dict[str, list[list[float]]], accuracy: dict[str, list[float]], seconds: float) -> None:
    print(
        f"{options.n} photographs at {options.size} pixels, {round(options.noise * options.n)} labels flipped, {options.test} held out, "
        f"{options.seeds} seeds, {seconds:.0f} s; {options.model} sees {options.sees}, head {options.head}; mean [95 % interval]"
    )
    for network, shares in accuracy.items():
        print(f"held out right with {network}: {np.mean(shares):.3f}")
    print(f"{'score':72}{'ROC-AUC':26}{'average precision':26}precision at noise rate")
    for score, rows in found.items():
        cells = [mean_interval(column) for column in np.transpose(rows)]
        print(f"{score:72}" + "".join(f"{f'{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]':26}" for one in cells))


def main() -> int:
    """Print the table; 1 where it does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, default=Path(os.environ.get("NTK_DATA_DIR", "data")) / "ants_bees.zip")
    parser.add_argument("--model", default="timm:tf_efficientnet_lite0")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--n", type=int, default=245)
    parser.add_argument("--test", type=int, default=153)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sees", default="head")
    parser.add_argument("--head", default="zero")
    parser.add_argument("--head-size", type=float, default=None)
    parser.add_argument("--without", action="store_true", help="leave out the network from scratch")
    options = parser.parse_args()
    ws = workspace()
    pretrained = {"architecture": options.model, "weights": "pretrained", "sees": options.sees, "head": options.head}
    pretrained |= {} if options.head_size is None else {"head_size": options.head_size}
    networks = {options.model: pretrained} | ({} if options.without else {"cnn4 from scratch": {"architecture": "cnn4"}})
    quality, found = installed(), dict[str, list[list[float]]]()
    accuracy: dict[str, list[float]] = {}
    started = time.perf_counter()
    try:
        own = import_set(options.zip, ws.settings, name="Ants and bees").content_id
        for seed in range(options.seeds):
            for network, model in networks.items():
                spec = analysis(own, model | ({"seed": seed}), options, seed)
                look, right = looked(spec, ws)
                accuracy.setdefault(network, []).append(right)
                truth, rows = flipped(look.result), scores(look)
                if quality is not None and network == options.model and options.sees == "head" and options.head == "zero":
                    rows |= cleanlab(quality, look.result.regression.kernel, look.result.labels)
                for name, values in rows.items():
                    judged = detect(values, truth)
                    found.setdefault(f"{network}: {name}", []).append([getattr(judged, metric).value for metric in METRICS])
    except AtlasError as error:
        print(f"{error.message} {error.remedy}", file=sys.stderr)
        return 1
    _print(options, found, accuracy, time.perf_counter() - started)
    best = max(np.mean([row[0] for row in found[f"{options.model}: {NAMES[name]}"]]) for name in ("information", "residual"))
    return 0 if best >= LEAST.get(options.size, 0.0) else 1


if __name__ == "__main__":
    sys.exit(main())
