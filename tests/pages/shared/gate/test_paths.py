"""What of the server is open, and what one must be allowed to: a path that is not known is nothing."""

import pytest

from pages import PAGES
from pages.shared.gate import after
from pages.shared.gate.paths import Path, known

OPEN = [
    "/",
    *(f"/{page.path}" for page in PAGES),
    "/influence/",
    "/static/js/index.js",
    "/_stcore/health",
    "/auth/login",
    "/oauth2callback",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
]
CLOSED = {
    "/thumbnails/ab/3": Path("open"),
    "/originals/ab/3": Path("open"),
    "/seen/ab/3": Path("open"),
    "/media/abc.csv": Path("open", "file", "abc"),
    "/media/abc": Path("open", "file", "abc"),
    "/_stcore/upload_file/s1/f1": Path("upload", "session", "s1"),
    "/api/v1/analyses": Path("export", api=True),
    "/api/v1/thumbnails/ab/3": Path("export", api=True),
    "/api/v1": Path("export", api=True),
}
NOTHING = [
    "/_stcore/metrics",
    "/metrics/x",
    "/api/v2/analyses",
    "/api/v1x",
    "/app/static/x",
    "/influence/x",
    "/thumbnails/ab",
    "/secrets.toml",
    "/media/",
    "/nowhere",
]


@pytest.mark.parametrize("base", ["", "lab/atlas"])
def test_paths(base):
    under = f"/{base}" if base else ""
    assert all(known(under + path, base) == Path(None) for path in OPEN)
    assert {path: known(under + path, base) for path in CLOSED} == CLOSED
    assert all(known(under + path, base) is None for path in NOTHING)


def test_where_one_wanted_to_be_is_kept_for_a_page_of_this_server_alone(cache, monkeypatch):
    def through(referrer):
        value = after.kept(referrer, "atlas.example", "", cache)
        return value and after.wanted(f"x=1; {after.COOKIE}={value}", "", cache)

    there = "/influence?data=digits&n=500&title=a%0d%0aSet-Cookie:%20b%3b%20%22&low=-1;2"
    assert through(f"https://atlas.example{there}") == there
    assert through("https://atlas.example/") == "/"
    for other in ("https://evil.example/influence", "https://atlas.example/auth/logout", "https://atlas.example//evil.example", "", "x"):
        assert through(other) is None
    assert through("https://atlas.example/influence?x=" + "a" * 5000) == "/influence"
    value = after.kept(f"https://atlas.example{there}", "atlas.example", "", cache)
    assert after.wanted(f"{after.COOKIE}={value.replace('influence', 'map')}", "", cache) is None
    assert after.wanted("", "", cache) is None
    monkeypatch.setattr(after, "_LIFE", -1)
    assert after.wanted(f"{after.COOKIE}={value}", "", cache) is None
