"""A server on which something of everything is kept, and an empty one on either database."""

import pytest
from databases import both, opened
from kept import keep_something

from ntkcore.settings import Settings

__all__ = ["both", "opened"]


@pytest.fixture
def full(tmp_path, opened):
    """Settings of a server on SQLite on which something is kept, and what that is."""
    settings = Settings(cache_dir=tmp_path / "full")
    return settings, keep_something(settings, tmp_path, opened(settings))
