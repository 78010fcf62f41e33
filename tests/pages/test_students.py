"""A class opens what is stored: every student sees the right numbers and their own choice, and nothing is computed again."""

from urllib.parse import parse_qs

import pytest
import visiting
from seeded import SHARED, seed
from visiting import kept_cache, said, visitor

PAGES = ("influence", "reliability", "information")
RIDGES = ("0.0101", "0.2", "3.0", "10.0")


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    seed(folder / "cache")
    with kept_cache(folder) as made:
        yield made


@pytest.mark.parametrize("students", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_a_class_at_once(ws, students):
    """λ and the page come from their links, and stay theirs while all the others look at something else; some come back to theirs."""
    stored = {(entry.kind, entry.key) for entry in ws.store.entries()}
    sessions = [visitor() for _ in range(students)]
    shown: dict[tuple[str, str], str] = {}
    for turn in range(2):
        for number, app in enumerate(sessions[: students // (1 + 3 * turn)]):
            page, ridge = PAGES[number % len(PAGES)], RIDGES[number % len(RIDGES)]
            if turn == 0:
                visiting.opened(app, page, **parse_qs(SHARED), ridge=ridge)
            else:
                app.run()
            assert not app.exception and not app.error
            assert app.query_params["ridge"] in (ridge, [ridge])
            assert shown.setdefault((page, ridge), said(app)) == said(app)
    assert all(shown.values()) and len(set(shown.values())) == min(students, len(shown))
    assert {(entry.kind, entry.key) for entry in ws.store.entries()} == stored
    assert ws.jobs.list(10) == ()
