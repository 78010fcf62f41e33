"""The reliability page in a notebook."""

import numpy as np
import pytest

from ntkcore.errors import DataError, SpecError
from ntkcore.notebook import error_rates, influence, reliability


def test_two_lines_of_error_rates(cache, capsys):
    result = reliability(classes=["3", "8"], n=24, test=9)
    assert "done" in capsys.readouterr().err
    rows = error_rates(result)
    assert list(rows["ridge"]) == [2.0**power for power in range(-4, 5)]
    assert (rows["satisfied"] == 1).all() and (rows["held_out_images"] == 9).all()
    assert (np.diff(rows["lower_bound"]) < 0).all() and (np.diff(rows["median"]) < 0).all()
    assert (rows["median"] >= rows["lower_bound"]).all()  # as in Fig. 2; the theorem alone allows less, by its remainder


def test_it_is_the_influence_page_s_result(cache, capsys):
    one = reliability(classes=["3", "8"], n=24, test=9)
    capsys.readouterr()
    other = influence(classes=["3", "8"], n=24, test=9)
    assert other.key == one.key and other.created == one.created
    assert "done" not in capsys.readouterr().err


def test_what_has_no_error_rates_says_why(cache, capsys):
    with pytest.raises((DataError, SpecError), match="one kernel"):
        reliability(classes=["3", "8"], n=24, test=9, kernel="full", width=8, depth=1)
    assert "done" not in capsys.readouterr().err  # refused before anything is computed
    with pytest.raises(SpecError, match="average"):
        reliability(average="mode")
