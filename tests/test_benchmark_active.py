"""The benchmark of looking ahead runs, and what it compares is the same thing."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: it has a module "pages", too

import active


def test_refitting_has_our_scores() -> None:
    data = active.samples(12, 9, 3)
    ours = data.state().change(reference="network")
    np.testing.assert_allclose([active.refitted(data, i) for i in range(9)], ours, rtol=1e-9)


def test_it_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["active", "--pool", "60", "--labelled", "20", "--classes", "3", "--threads", "1", "--repeats", "1"])
    active.main()
    said = capsys.readouterr().out
    assert said.startswith("random clusters: 20 labelled, a pool of 60, 3 classes")
    for what in (
        "MLMOC and EMOC",
        "flips",
        "a sequential step",
        "simplex",
        "softmax",
        "full kernel",
        "naive retraining",
        "scikit-activeml's",
    ):
        assert what in said
