"""The worker of imports and of what takes seconds loads what computes when something does."""

import subprocess
import sys
from pathlib import Path

import torch

from ntkcore.analyses import catalogue
from ntkcore.analyses.light import LightHandlers, light_device
from ntkcore.analyses.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from ntkcore import cli
from ntkcore.analyses.light import LightHandlers, light_device
from ntkcore.settings import settings

known = LightHandlers(settings())
heavy = {"torch", "jax", "sklearn", "pandas", "streamlit"}
assert known["import"] and known["download"], "imports"
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


def test_imports_need_nothing_that_computes(cache):
    ran = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_it_does_all_that_a_worker_does(cache):
    known, ws = LightHandlers(cache), Workspace(cache)
    assert set(known) == set(catalogue.handlers(ws)) and len(known) == len(set(known))


def test_its_device_is_the_workspaces(cache):
    assert light_device(cache) == Workspace(cache).device == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert light_device(cache.model_copy(update={"device": "cuda:1"})) == "cuda:1"
