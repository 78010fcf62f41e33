"""Fixtures of the tests of the pages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # what these tests share

import pytest
from visiting import visitor

from ntkcore.analyses.workspace import Workspace


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.fixture
def app(cache):
    return visitor()
