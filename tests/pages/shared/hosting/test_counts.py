"""Counting answers: by few names, whatever is asked for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ntkcore.hosting.metrics import written
from pages.shared.hosting.counts import Counted, Tally, group


@pytest.mark.parametrize(
    ("path", "base", "name"),
    [
        ("/", "", "page"),
        ("/influence", "", "page"),
        ("/lab/influence", "lab", "page"),
        ("/thumbnails/secret/3", "", "thumbnails"),
        ("/_stcore/health", "", "stcore"),
        ("/healthz", "", "other"),
        ("/anything/at-all", "", "other"),
    ],
)
def test_a_path_is_counted_as_what_it_is_of(path, base, name):
    assert group(path, base) == name


def test_answers_are_counted_by_status_and_time():
    tally = Tally()
    for status, seconds in ((200, 0.01), (200, 0.6), (404, 90.0)):
        tally.add("page", status, seconds)
    lines = written(tally.metrics()).splitlines()
    assert 'ntk_atlas_requests_total{path="page",status="2xx"} 2' in lines
    assert 'ntk_atlas_requests_total{path="page",status="4xx"} 1' in lines
    slots = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines if "_bucket" in line}
    assert list(slots.values()) == ["1", "1", "2", "2", "2", "3"]
    assert 'ntk_atlas_request_seconds_count{path="page"} 3' in lines


def test_an_answer_that_never_began_is_one_of_the_server_s_errors():
    async def app(scope, receive, send):
        raise ValueError("not expected")

    tally = Tally()
    with ThreadPoolExecutor(1) as other, pytest.raises(ValueError, match="not expected"):
        other.submit(asyncio.run, Counted(app, tally)({"type": "http", "path": "/"}, None, None)).result()
    assert 'ntk_atlas_requests_total{path="page",status="5xx"} 1' in written(tally.metrics())
