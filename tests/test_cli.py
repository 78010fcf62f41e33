"""The command line computes the pages' artifacts, and says what is wrong without a traceback."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from reviews import write_reviews

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.data.names import quoted_class
from ntkcore.permalink import ADDRESSES

CHOICES = {"classes": ["3", "8"], "n": "60", "width": "8", "depth": "1", "epochs": "2"}
WORDS = ["--classes", "3,8", "--n", "60", "--width", "8", "--depth", "1", "--epochs", "2"]


def test_learnability_writes_the_artifact_of_the_page(cache, capsys, tmp_path):
    assert main(["learnability", *WORDS, "--top", "3", "--csv", str(tmp_path / "ranking.csv")]) == 0
    said = capsys.readouterr().out
    assert "Spearman" in said and "... 54 more ..." in said
    spec, _ = ADDRESSES["learnability"].read(CHOICES)
    assert LEARNABILITY.ready(spec, Workspace(cache))
    rows = pd.read_csv(tmp_path / "ranking.csv")
    assert len(rows) == 60
    assert rows["k_xx"].is_monotonic_increasing


TINY = [
    "--classes",
    "3,5,8",
    "--n",
    "12",
    "--test",
    "9",
    "--depth",
    "1",
    "--widths",
    "4,6",
    "--seeds",
    "1",
    "--looks",
    "0,1",
    "--batch",
    "6",
]


def test_convergence_prints_the_table_and_the_answer(cache, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1,))
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1,))
    assert main(["convergence", *TINY, "--csv", str(tmp_path / "points.csv")]) == 0
    said = capsys.readouterr().out
    assert "more columns: " in said and "accuracy_full" in said and "Which to use" in said and "at initialisation" in said
    rows = pd.read_csv(tmp_path / "points.csv")
    assert list(rows["width"]) == [4, 6, 4, 6] and list(rows["epoch"]) == [0, 0, 1, 1]
    query = {"classes": ["3", "5", "8"]} | {n.removeprefix("--"): v for n, v in zip(TINY[2::2], TINY[3::2], strict=True)}
    spec, _ = ADDRESSES["convergence"].read(query)
    assert CONVERGENCE.ready(spec, Workspace(cache))
    assert main(["convergence", *TINY, "--epoch", "1", "--kernel", "first"]) == 0
    said = capsys.readouterr().out
    assert "after epoch 1" in said and "first-logit" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--classes", "3,5"], "three classes"),
        (["--widths", "8,4"], "widths: "),
        (["--test", "9000"], "more to hold out"),
        (["--epoch", "x"], "epoch: "),
    ],
)
def test_wrong_choices_of_a_convergence_are_explained(cache, capsys, words, said):
    assert main(["convergence", *words]) == 1
    assert said in capsys.readouterr().err


FEW = ["--classes", "3,5,8", "--n", "20", "--test", "9", "--noise", "0.2"]


def test_influence_prints_both_ends_and_writes_the_artifact_of_the_page(cache, capsys, tmp_path):
    csv = tmp_path / "influence.csv"
    assert main(["influence", *FEW, "--ridge", "0.1", "--target", "4", "--top", "3", "--csv", str(csv)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Held-out image 4, ")
    spec, _ = ADDRESSES["influence"].read({"classes": ["3", "5", "8"], "n": "20", "test": "9", "noise": "0.2"})
    assert INFLUENCE.ready(spec, Workspace(cache))
    rows = pd.read_csv(csv)
    assert sorted(rows["image"]) == list(range(20)) and rows["influence"].is_monotonic_decreasing and rows["flipped"].sum() == 4
    helpful, harmful = said.split("\n\n")[1].split("... 14 more ...")
    for end, values in ((helpful, rows["id"].head(3)), (harmful, rows["id"].tail(3))):
        assert all(f" {name} " in end for name in values)
    assert "Complexity of ten groups" in said and "Flipped labels among the most influential" in said
    assert main(["influence", *FEW, "--time", "0.5"]) == 0
    captured = capsys.readouterr()
    assert "Kernel: done" not in captured.err  # neither λ nor τ is computed from: nothing is computed again
    assert captured.out.splitlines()[0] != said.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*FEW, "--target", "9"], "no held-out image 9: they are 0 to 8"),
        (["--target", "-1"], "target: "),
        (["--ridge", "-1"], "ridge: "),
        (["--time", "0"], "time: "),
        (["--kernel", "ntk"], "kernel: "),
        (["--width", "8"], "leave it out"),
        (["--test", "9000"], "more to hold out"),
    ],
)
def test_wrong_choices_of_an_influence_are_explained(cache, capsys, words, said):
    assert main(["influence", *words]) == 1
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n", "many"], "n: "),
        (["--model", "vgg"], "model: "),
        (["--n", "9999"], "1,797"),
        (["--classes", "3,three"], "three"),
        (["--n", "50", "--n", "60"], "more than once"),
    ],
)
def test_wrong_choices_are_explained(cache, capsys, words, said):
    assert main(["learnability", *words]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_class_names_with_commas(cache, capsys):
    assert quoted_class("a, b") == '"a, b"'
    assert main(["learnability", "--classes", f"{quoted_class('a, b')},c"]) == 1
    assert "a, b" in capsys.readouterr().err


def test_import_then_list(cache, capsys, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(np.full((8, 8, 3), 50 * i, np.uint8)).save(tmp_path / "pets" / name / f"{i}.png")
    (tmp_path / "pets" / "cat" / "@eaDir").mkdir()
    assert main(["import", str(tmp_path / "pets")]) == 0
    said = capsys.readouterr().out
    assert "--dataset own --own" in said
    assert "1 files were skipped: cat/@eaDir/: left by the operating system." in said
    assert main(["import", str(tmp_path / "nothing")]) == 1
    with pytest.raises(SystemExit):
        main(["import", str(tmp_path / "pets"), "--side", "huge"])
    assert main(["datasets"]) == 0
    assert "digits" in capsys.readouterr().out


def test_texts_are_imported_and_used(cache, capsys, tmp_path):
    path = write_reviews(tmp_path / "reviews.csv", header=("opinion", "stars"))
    assert main(["import", str(path)]) == 1
    assert "no column of texts" in capsys.readouterr().err
    named = ["--text-column", "opinion", "--label-column", "stars"]
    assert main(["import", str(path), *named, "--dimensions", "8"]) == 0
    told = capsys.readouterr().out
    assert "Imported 40 texts of 2 classes." in told
    assert "reduced to 8 numbers" in told
    own = told.split("--own ")[1].strip()
    assert main(["influence", "--dataset", "own", "--own", own, "--n", "20", "--test", "8", "--kernel", "two-layer", "--top", "1"]) == 0
    assert "row/" in capsys.readouterr().out
    (tmp_path / "v.txt").write_text("film 1 2\nstory 1\n")
    assert main(["import", str(path), *named, "--vectors", str(tmp_path / "v.txt")]) == 1
    assert "Line 2 of the word vectors has 1 numbers; those before it have 2." in capsys.readouterr().err


def test_unknown_download(cache, capsys):
    assert main(["download", "imagenet"]) == 1
    assert capsys.readouterr().err


def test_reliability_on_a_network_prints_what_stochastic_estimation_adds(cache, capsys, tmp_path):
    few = ["--classes", "3,8", "--n", "20", "--test", "6", "--target", "2", "--verify", "32", "--time", "0.5"]
    few += ["--runs", "2", "--steps", "30", "--minibatch", "5"]
    csv = tmp_path / "images.csv"
    assert main(["reliability", *few, "--network", "--csv", str(csv)]) == 0
    said = capsys.readouterr().out
    assert "tochastic estimation" in said and "Agreement with retraining" in said
    assert "LiSSA, mean of 2" in said and "Recursion ended after 30 steps" in said
    rows = pd.read_csv(csv)
    assert len(rows) == 19 and rows["lissa_deviation"].gt(0).all()  # one image stays to train on
    assert main(["reliability", *few, "--network", "--ridge", "0"]) == 1
    assert "λ above 0" in capsys.readouterr().err
