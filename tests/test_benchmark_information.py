"""The peers of the unique-information benchmark give what ours gives, on real images."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: it has a module "pages", too

from influence import Report
from information import RIDGE, STEPS, at_the_end, decomposed, downdated, page, peers, powered, problem

from ntkcore.information import functional_information


def test_the_peers_compute_the_same_scores(real_data, cache, capsys):
    data, took = problem(("4", "9"), 40, 15, 64, False)
    assert took > 0 and data.train.shape == (40, 40) and data.test.shape == (15, 40)
    assert data.said == "MNIST 4 and 9, 40 + 15, pseudo-NTK, 64 units"
    assert data.time == pytest.approx(2 / 40)
    few = [0, 7, 39]
    ours = functional_information(data.regression(), data.test, data.time)
    np.testing.assert_allclose(decomposed(data, few, data.time), ours[few], rtol=1e-9)
    # steps of finite size are a little ahead of the flow, by η λ_max / 2 of each step, and float32 inverts the kernel
    step = data.time / STEPS * np.linalg.eigvalsh(data.train)[-1]
    np.testing.assert_allclose(powered(data, few, data.time), ours[few], rtol=max(step, 1e-2))
    np.testing.assert_allclose(downdated(data, RIDGE), at_the_end(data.regression(), data), rtol=1e-6)
    report = Report()
    page(data, 1, report, limited=True)
    peers(data, 1, 2, report)
    out = capsys.readouterr().out
    assert "F-SI of all at τ = 0.05" in out and "scores within" in out and "100 x" in out


def test_ten_classes_with_a_full_kernel(real_data, cache, capsys):
    data, _ = problem((), 30, 20, 8, True)
    assert data.train.shape == (30, 30, 10, 10) and data.targets.shape == (30, 10)
    page(data, 1, Report(), limited=False)
    assert "SI of all in the weights" in capsys.readouterr().out
