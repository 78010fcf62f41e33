"""Warm start is cold start on a study's own choices without λ, and no longer with one."""

import pytest
from active_study import small
from recording import Recording

from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.active.starts import RIDGES, Choices, apart
from ntkcore.analyses.workspace import Workspace


@pytest.mark.parametrize("classes", [("3", "5", "8"), ("3", "8")])
def test_the_same_without_a_ridge(cache, classes):
    """1e-6: the kernel's condition number, some 1e6, times the rounding of float64, and room for both."""
    ws = Workspace(cache)
    spec = small(dataset={"classes": classes, "n": 60}, strategies=("random",), seeds=1, model={"width": 64})
    ACTIVE.compute(spec, ws, Recording())
    found = apart(Choices(ACTIVE.open(spec, ws), "random", 0, ws))
    assert [one.ridge for one in found] == list(RIDGES)
    assert found[0].outputs < 1e-6 and found[0].classes == 0
    assert found[0].outputs < found[1].outputs < found[2].outputs < found[3].outputs
