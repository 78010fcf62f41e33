"""What docs/hosting.md and deploy/ name is there: settings, routes, files, and numbers."""

import re
from pathlib import Path

import pytest

from ntkcore.settings import Settings
from pages.shared.hosting import routes

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "hosting.md").read_text()
FILES = [ROOT / "docs" / "hosting.md", *sorted((ROOT / "deploy").iterdir())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_is_one(path):
    assert {name.lower() for name in re.findall(r"\bNTK_([A-Z_]+)\b", path.read_text())} <= set(Settings.model_fields)


def test_every_route_is_described():
    assert {route.path for route in routes()} == set(re.findall(r"^\| `(/\w+)` \|", TEXT, re.MULTILINE))


def test_every_file_that_is_linked_to_is_there():
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT)
    assert linked and all((ROOT / "docs" / name).exists() for name in linked)
