"""The command line of the reliability page: its artifact, its table, and what is wrong said without a traceback."""

import numpy as np
import pandas as pd
import pytest

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.reliability import views
from ntkcore.analyses.words import number, percent
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.influence import ihvp_error
from ntkcore.permalink import ADDRESSES
from ntkcore.regression import KernelRegression

QUERY = {"classes": ["3", "8"], "n": "30", "test": "12"}
WORDS = ["--classes", "3,8", "--n", "30", "--test", "12"]


def test_reliability_prints_the_sweep_and_the_judgement_of_one_ridge(cache, capsys, tmp_path):
    csv = tmp_path / "sweep.csv"
    assert main(["reliability", *WORDS, "--ridge", "0.25", "--csv", str(csv)]) == 0
    said = capsys.readouterr().out
    ws = Workspace(cache)
    spec, view = ADDRESSES["reliability"].read(QUERY | {"ridge": "0.25"})
    assert INFLUENCE.ready(spec, ws) and spec == ADDRESSES["influence"].read(QUERY)[0]  # what the influence page computes
    result = INFLUENCE.open(spec, ws)
    kernel, y = ws.store.open("influence", result.key).read("k_train"), 2.0 * result.labels[:, None] - 1
    rows = pd.read_csv(csv)
    assert list(rows["ridge"]) == [2.0**power for power in range(-4, 5)]
    least = float(np.linalg.eigvalsh(kernel)[0])
    for _, row in rows.iterrows():
        error = ihvp_error(KernelRegression(kernel, y, row["ridge"]), result.k_test, 2.0 * result.test_labels[:, None] - 1, least)
        assert row["mean"] == pytest.approx(np.nanmean(error.rate()), rel=1e-8)
        assert row["median"] == pytest.approx(np.nanmedian(error.rate()), rel=1e-8)
        assert row["lower_bound"] == pytest.approx(error.lower_bound, rel=1e-8)
        assert row["satisfied"] == 1
    now = views.summary(Look.of(result, view.ridge, None, ws))
    trusted, careful, doubtful = views.counts(now)
    for sentence in (
        f"At λ = 0.25, IHVP misses the true influence by {percent(now.mean)} on average over all pairs, and by {percent(now.median)} at",
        f"Of 12 held-out images, trust it on {trusted}, with care on {careful}, and not on {doubtful}.",
        f"Theorem 3’s lower bound of the error rate: {percent(now.bound)}, from λ_min = {number(least)}.",
        "All 360 pairs satisfy its exact inequality.",
    ):
        assert sentence in said
    assert f"Stored as {result.key}" in said


def test_nothing_is_computed_a_second_time(cache, capsys):
    assert main(["influence", *WORDS]) == 0
    assert "Kernel" in capsys.readouterr().err
    assert main(["reliability", *WORDS]) == 0
    assert "done" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kernel", "full"], "one kernel for all outputs"),
        (["--ridge", "-1"], "ridge: "),
        (["--ridge", "1e7"], "ridge: "),
        (["--ridge", "1", "--ridge", "2"], "more than once"),
        (["--classes", "3"], "two different classes"),
        (["--n", "1700", "--test", "9000"], "more to hold out"),
        (["--width", "8"], "leave it out"),
    ],
)
def test_wrong_choices_are_explained(cache, capsys, words, said):
    assert main(["reliability", *words]) == 1
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err
    assert not captured.out


def test_a_table_that_cannot_be_written_is_said_and_the_result_stays(cache, capsys, tmp_path):
    assert main(["reliability", *WORDS, "--csv", str(tmp_path / "nowhere" / "sweep.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert INFLUENCE.ready(ADDRESSES["reliability"].read(QUERY)[0], Workspace(cache))
