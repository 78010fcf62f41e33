"""The command line computes the pages' artifacts, and says what is wrong without a traceback."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ntkcore.analyses.learnability import is_ready
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main, quoted_class
from ntkcore.permalink import read_learnability_query

CHOICES = {"classes": ["3", "8"], "n": "60", "width": "8", "depth": "1", "epochs": "2"}
WORDS = ["--classes", "3,8", "--n", "60", "--width", "8", "--depth", "1", "--epochs", "2"]


def test_learnability_writes_the_artifact_of_the_page(cache, capsys, tmp_path):
    assert main(["learnability", *WORDS, "--top", "3", "--csv", str(tmp_path / "ranking.csv")]) == 0
    said = capsys.readouterr().out
    assert "Hardest" in said
    assert "Spearman" in said
    spec, _ = read_learnability_query(CHOICES)
    assert is_ready(spec, Workspace(cache))
    rows = pd.read_csv(tmp_path / "ranking.csv")
    assert len(rows) == 60
    assert rows["k_xx"].is_monotonic_increasing


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
    assert main(["import", str(tmp_path / "pets")]) == 0
    assert "--dataset own --own" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "nothing")]) == 1
    with pytest.raises(SystemExit):
        main(["import", str(tmp_path / "pets"), "--side", "huge"])
    assert main(["datasets"]) == 0
    assert "digits" in capsys.readouterr().out


def test_unknown_download(cache, capsys):
    assert main(["download", "imagenet"]) == 1
    assert capsys.readouterr().err
