"""The numbers of a server, in Prometheus's text."""

import re

from stored import KEY, publish

from ntkcore.hosting.metrics import Metric, Results, measured, written

LINE = re.compile(r"# (HELP|TYPE) ntk_atlas_\w+ .+|ntk_atlas_\w+(\{\w+=\"[^\n]*\"\})? \S+")


def test_the_text_is_as_prometheus_reads_it():
    text = written([Metric("some_total", "Some.", "counter", (("", {"path": 'a"\\\nb', "status": "2xx"}, 3.0), ("_sum", {}, 0.5)))])
    assert text == (
        "# HELP ntk_atlas_some_total Some.\n# TYPE ntk_atlas_some_total counter\n"
        'ntk_atlas_some_total{path="a\\"\\\\\\nb",status="2xx"} 3\nntk_atlas_some_total_sum 0.5\n'
    )


def test_what_there_is_is_counted(ws, living):
    ws.jobs.submit("sleep", "key", {}, "Some job")
    with living(ws):
        text = written(measured(ws, Results()))
    assert all(LINE.fullmatch(line) for line in text.splitlines())
    lines = text.splitlines()
    assert 'ntk_atlas_jobs{state="waiting"} 1' in lines and 'ntk_atlas_jobs{state="running"} 0' in lines
    assert 'ntk_atlas_workers{lane="compute"} 1' in lines and 'ntk_atlas_workers{lane="quick"} 1' in lines
    assert 'ntk_atlas_ready{part="library"} 1' in lines and "ntk_atlas_jobs_failed 0" in lines


def test_a_part_that_is_away_leaves_its_numbers_out(ws):
    _ = ws.jobs
    file = ws.settings.cache_dir / "jobs.sqlite"
    file.unlink()
    file.mkdir()
    lines = written(measured(ws, Results())).splitlines()
    assert 'ntk_atlas_ready{part="jobs"} 0' in lines
    assert not any(line.startswith("ntk_atlas_jobs") for line in lines)


def test_results_are_counted_anew_where_one_came_or_went(ws):
    results = Results()
    assert results.counted(ws) == {}
    publish(ws.store)
    (found,) = results.counted(ws).values()
    assert found[0] == 1 and found[1] >= 100
    ws.store.remove("thing", KEY)
    assert results.counted(ws)["thing"] == (0, 0)
