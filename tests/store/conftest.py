"""Fixtures of the tests of the store."""

import pytest

from ntkcore.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache", budget=2**30)
