"""The command line of the information page: scores, studies, and what is wrong said without a traceback."""

import numpy as np
import pandas as pd
import pytest

from ntkcore import notebook
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.information import langevin_information, sgd_information, steady_state
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.information import InformationView

WORDS = ["--classes", "3,8", "--n", "30", "--test", "12"]


def test_scores_are_those_of_the_page(cache, capsys, tmp_path):
    csv = tmp_path / "scores.csv"
    assert main(["information", *WORDS, "--ridge", "0.25", "--time", "2", "--top", "3", "--csv", str(csv)]) == 0
    said = capsys.readouterr().out
    ws = Workspace(cache)
    spec, _ = ADDRESSES["information"].read({"classes": ["3", "8"], "n": "30", "test": "12"})
    result = INFLUENCE.open(spec, ws)
    rows = pd.read_csv(csv)
    expected = views.scores(Look(result, 0.25, 2.0, ws))
    np.testing.assert_allclose(rows["information"], expected[rows["image"]], rtol=1e-12)
    assert list(rows["information"]) == sorted(rows["information"], reverse=True)
    assert all(sentence in said for sentence in INFORMATION.answer(result, InformationView(ridge=0.25, time=2.0), ws))
    assert result.ids[int(rows["image"][0])] in said and result.key in said


def test_noise_is_that_of_the_page_and_of_the_notebook(cache, capsys, tmp_path):
    csv = tmp_path / "noise.csv"
    chosen = ["--ask", "believe", "--believe-show", "noise", "--believe-rate", "0.1", "--believe-batch", "5"]
    assert main(["information", *WORDS, "--ridge", "0.25", *chosen, "--top", "3", "--csv", str(csv)]) == 0
    said, ws = capsys.readouterr().out, Workspace(cache)
    spec, _ = ADDRESSES["information"].read({"classes": ["3", "8"], "n": "30", "test": "12"})
    result = INFLUENCE.open(spec, ws)
    regression = result.regression.with_ridge(0.25)
    rows = pd.read_csv(csv)
    np.testing.assert_allclose(rows["sgd_information"], sgd_information(regression, rate=0.1, batch=5)[rows["image"]], rtol=1e-9)
    sigma = np.sqrt(np.diagonal(steady_state(regression, rate=0.1, batch=5).noise).mean())
    even = langevin_information(regression, rate=0.1, batch=5, sigma=sigma)
    np.testing.assert_allclose(rows["langevin_information"], even[rows["image"]], rtol=1e-9)
    assert "rank the images with Spearman" in said and "SGD's noise the median image tells" in said
    table = notebook.noise_table(result, 0.25, rate=0.1, batch=5)
    np.testing.assert_allclose(table["ratio"], rows["ratio"], rtol=1e-9)


def test_an_unknown_study_is_said_with_those_there_are(cache, capsys):
    with pytest.raises(SystemExit):
        main(["astrology", *WORDS])
    said = capsys.readouterr().err
    assert "invalid choice: 'astrology'" in said and all(name in said for name in ADDRESSES)


def test_what_cannot_be_answered_is_said(cache, capsys):
    assert main(["information", *WORDS, "--kernel", "pseudo", "--width", "1", "--depth", "1", "--ridge", "0"]) == 1
    said = capsys.readouterr().err
    assert "singular" in said and "Choose" in said and "Traceback" not in said
