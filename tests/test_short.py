"""A result in a notebook is a few lines, however many images it has."""

import numpy as np
from recording import Recording

from ntkcore.analyses.catalogue import ANALYSES
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_dataset
from ntkcore.short import short
from ntkcore.specs import DatasetSpec
from ntkcore.specs.influence import InfluenceSpec


def test_a_data_set_is_told_by_its_shapes(cache):
    said = repr(load_dataset(DatasetSpec(n=1000), cache))
    assert len(said) < 900 and "title='Digits'" in said and "inputs=<float32 (1000, 1, 8, 8)>" in said and "ids=<tuple of 1,000>" in said


def test_a_result_is_told_by_its_shapes(cache):
    ws, spec = Workspace(cache), InfluenceSpec.model_validate({"dataset": {"n": 60, "classes": ("3", "8")}, "test": 20})
    INFLUENCE.compute(spec, ws, Recording())
    said = repr(INFLUENCE.open(spec, ws))
    assert len(said) < 1500 and "k_test=<float64 (20, 60)>" in said and " object at 0x" not in said
    pieces = repr(Pieces(spec, "key", {"scores": np.zeros((3, 500))}, "2026-01-01", 1.0, "cpu"))
    assert "{'scores': <float64 (3, 500)>}" in pieces


def test_every_public_result_is_told_so():
    results = {analysis.load.__annotations__["return"] for analysis in ANALYSES}
    for kind in results:
        kind = Pieces if "Pieces" in str(kind) else kind
        assert kind.__repr__ is short, kind
