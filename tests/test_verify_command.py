"""Retraining by the command line and in a notebook: the most influential images, some of one's own, or these together."""

import pytest

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.verification.analysis import measured
from ntkcore.analyses.workspace import workspace
from ntkcore.cli import main
from ntkcore.errors import SpecError
from ntkcore.notebook import additions, influence, removals, verifications
from ntkcore.permalink import ADDRESSES

WORDS = ["verify", "--classes", "3,8", "--n", "16", "--test", "6", "--ridge", "0.5", "--time", "0.5", "--widths", "16,32"]
SPEC, _ = ADDRESSES["influence"].read({"classes": ["3", "8"], "n": "16", "test": "6"})


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_the_most_influential_with_the_papers_figures(cache, capsys):
    assert main([*WORDS, "--target", "3"]) == 0
    told = lines(capsys)
    assert told[0].split()[:5] == ["width", "images", "pearson", "spearman", "median_relative_error"]
    assert [row.split()[:2] for row in told[1:3]] == [["16", "15"], ["32", "15"]]
    assert "MNIST 7 against 9" in "".join(told) and "0.9955" in told[-1]
    found = measured(SPEC, workspace())
    assert {one.spec.width for one in found} == {16, 32} and {one.spec.target for one in found} == {3}


def test_images_of_ones_own_each_and_together(cache, capsys):
    assert main([*WORDS, "--target", "3", "--remove", "3,7, 9"]) == 0
    assert [row.split()[:2] for row in lines(capsys)[1:3]] == [["16", "3"], ["32", "3"]]
    assert main([*WORDS, "--remove", "3,7,9", "--together"]) == 0
    told = {row.split()[0]: row.split()[1:] for row in lines(capsys)}
    together = sorted((one for one in measured(SPEC, workspace()) if one.spec.together), key=lambda one: one.spec.width)
    assert [one.spec.removed for one in together] == [(3, 7, 9)] * 2
    assert [float(v) for v in told["retrained_loss_change"]] == pytest.approx([one.actual[0].mean() for one in together], rel=1e-3)
    assert [float(v) for v in told["accuracy_after"]] == pytest.approx([one.accuracies()[0][1] for one in together], rel=1e-3)


def test_held_out_images_added(cache, capsys):
    assert main([*WORDS, "--add", "1,4"]) == 0
    told = {row.split()[0]: row.split()[1:] for row in lines(capsys)}
    found = sorted(measured(SPEC, workspace()), key=lambda one: one.spec.width)
    assert [one.spec.added for one in found] == [(1, 4)] * 2
    rest = [0, 2, 3, 5]
    assert [float(v) for v in told["retrained_loss_change"]] == pytest.approx([one.actual[0][rest].mean() for one in found], rel=1e-3)
    assert [float(v) for v in told["loss_change"]] == pytest.approx([one.predicted[0][rest].mean() for one in found], rel=1e-3)
    result = INFLUENCE.open(SPEC, workspace())
    assert additions(result, [1, 4], [16], ridge=0.5, time=0.5)["pearson"][0] == found[0].correlations(None)[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--remove", "3,seven"], "Give whole numbers"),
        (["--together"], "Name them with --remove"),
        (["--add", "1", "--remove", "3"], "with --add or with --remove"),
        (["--add", "9"], "do not exist"),
        (["--add", "0,1,2,3,4,5"], "one held-out image to judge by"),
        (["--remove", "99"], "do not exist"),
        (["--remove", "3,3"], "different training images"),
        (["--remove", ",".join(map(str, range(16))), "--together"], "at least one image"),
        (["--widths", "3"], "no network of 3 units"),
        (["--target", "6"], "0 to 5"),
    ],
)
def test_wrong_choices_are_explained(cache, capsys, words, said):
    assert main([*WORDS, *words]) == 1
    assert said in capsys.readouterr().err


def test_in_a_notebook(cache, capsys):
    result = influence(classes=["3", "8"], n=16, test=6)
    rows = verifications(result, [16], target=3, ridge=0.5, time=0.5, remove=[5, 2, 11, 7])
    assert list(rows["images"]) == [4] and rows["steps"][0] > 0
    made = removals(result, [5, 2], [16], ridge=0.5, time=0.5)
    assert made["loss_change"][0] != 0 and -1 <= made["pearson"][0] <= 1
    assert len(measured(SPEC, workspace())) == 2 and INFLUENCE.open(SPEC, workspace()).key == result.key
    with pytest.raises(SpecError, match="do not exist"):
        removals(result, [16], [16])
