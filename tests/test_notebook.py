"""The three documented lines."""

import numpy as np
import pandas as pd
import pytest
import torch

from ntkcore.analyses.workspace import workspace
from ntkcore.errors import ComputationError, SpecError
from ntkcore.notebook import (
    comparison_table,
    convergence,
    influence,
    influences,
    information_table,
    learnability,
    ranking,
    removals,
    verifications,
)
from ntkcore.regression import KernelRegression


def test_three_lines(cache, capsys):
    result = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    rows = ranking(result)
    assert len(rows) == 80
    assert rows["k_xx"].is_monotonic_increasing
    assert result.spec.training.learning_rate == 0.1
    assert result.full is None
    again = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    assert again.created == result.created


def test_two_lines_compare_the_kernels(cache, capsys, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1,))
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1,))
    result = convergence(classes=["0", "1", "2"], n=12, test=6, widths=[4, 8], depth=1, seeds=1, looks=[0], ridge=0.5)
    assert result.complete and result.spec.widths == (4, 8) and result.spec.ridge == 0.5
    rows = comparison_table(result)
    assert list(rows["width"]) == [4, 8] and rows["frobenius_pseudo"].notna().all()


def test_two_lines_of_influences(cache, capsys):
    result = influence(classes=["3", "8"], n=16, test=6, noise=0.25)
    assert result.spec.kernel == "two-layer" and result.spec.dataset.label_noise == 0.25
    kernel = workspace().store.open("influence", result.key).read("k_train")
    y, test_y = (2.0 * labels[:, None] - 1 for labels in (result.labels, result.test_labels))
    outputs = KernelRegression(kernel, y, 0.5).predict(result.k_test)
    loss = np.square(outputs - test_y).sum(1) / 2
    rows = influences(result, ridge=0.5)  # of the image of the largest loss
    image, target = int(rows["image"][0]), int(loss.argmax())
    rest = [i for i in range(16) if i != image]
    without = KernelRegression(kernel[np.ix_(rest, rest)], y[rest], 0.5).predict(result.k_test[:, rest])
    assert rows["influence"][0] == pytest.approx(np.square(without - test_y).sum(1)[target] / 2 - loss[target], rel=1e-9)
    assert rows["influence"].is_monotonic_decreasing and rows["flipped"].sum() == 4
    assert not rows.equals(influences(result, ridge=0.5, time=1.0)) and not rows.equals(
        influences(result, target=(target + 1) % 6, ridge=0.5)
    )


def test_influences_that_cannot_be_say_why(cache, capsys):
    result = influence(classes=["3", "8"], n=16, test=6, kernel="full", width=1, depth=1)
    with pytest.raises(SpecError, match="0 to 5"):
        influences(result, target=6)
    with pytest.raises(ValueError, match="ridge"):
        influences(result, ridge=-1)
    with pytest.raises(SpecError, match="kernel"):
        influence(kernel="ntk")
    repeated = influence(dataset="digits", classes=["3", "8"], n=200, test=6, kernel="pseudo", width=1, depth=1)
    with pytest.raises(ComputationError, match="at least"):  # 68 parameters and 200 images: the kernel has no inverse
        influences(repeated, ridge=0.0)


def test_numbers_of_any_library_are_pythons(cache, capsys):
    small = {"dataset": "digits", "n": 20, "epochs": 1, "width": 4, "full": False, "noise": 0.25, "rate": 0.05}
    plain = learnability(classes=["3", "8"], **small)
    table = pd.DataFrame({"digit": [3, 8], "noise": [0.25, 0.5], "n": [20, 30]}, dtype=object)
    for choices in (
        {"classes": table["digit"], "noise": table["noise"].min(), "n": table["n"].iloc[0]},
        {"classes": pd.Categorical(["3", "8"]), "noise": np.float16(0.25), "n": np.uint8(20)},
        {"classes": range(3, 9, 5), "noise": torch.tensor([0.25, 0.5])[0], "n": torch.tensor(20)},
        {"classes": (label for label in "38"), "noise": np.longdouble(0.25), "full": np.array(False)},
        {"classes": np.array([[3, 8]])[0], "rate": np.logspace(-2, 0, 3).min() * 5},
    ):
        assert learnability(**(small | choices)).key == plain.key
    result = influence(dataset="digits", classes=["3", "8"], n=20, test=6)
    expected = influences(result, target=2, ridge=0.5, time=3.0)
    for target, ridge, time in (
        (pd.Series([0, 2]).max(), pd.array([0.5])[0], np.longdouble(3)),
        (torch.tensor([0.0, 1.0, 2.0]).argmax(), torch.tensor(0.5), np.array([3])[0]),
        (np.array(2), np.float16(0.5), pd.Index([3.0])[0]),
    ):
        assert influences(result, target=target, ridge=ridge, time=time).equals(expected)
        assert information_table(result, ridge=ridge, time=time).equals(information_table(result, ridge=0.5, time=3.0))
    assert influences(result, target=2, ridge=0.5, time=np.inf).equals(influences(result, target=2, ridge=0.5))
    images = expected["image"].head(2)
    rows = [
        verifications(result, pd.Series([16]), 2, np.float64(0.5), np.float32(0.0625), remove=remove) for remove in (images, images.array)
    ]
    rows.append(verifications(result, [16], 2, 0.5, 0.0625, remove=images.tolist()))
    assert rows[0].drop(columns="seconds").equals(rows[2].drop(columns="seconds")) and len(rows[1]) == 1
    assert removals(result, pd.Index(images), torch.tensor([16]), 0.5, 0.0625)["width"].tolist() == [16]
    with pytest.raises(SpecError, match="columns"):
        influence(classes=table)
