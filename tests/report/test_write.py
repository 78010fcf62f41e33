"""A report's file: names from data are text in it, its policy names its own scripts, and everything is inside."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html import unescape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from ntkcore.data import thumbnail_pack
from ntkcore.report import Note, Report, Saved, contents, write
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.settings import Settings

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&quot;' \"${x}"
MOMENT = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", device="cpu")


@pytest.fixture
def report(kept):
    pack = thumbnail_pack(np.arange(4 * 16, dtype=np.uint8).reshape(4, 4, 4), kept)
    rows = pd.DataFrame({"image": [2, 0], "id": [EVIL, "b"], "label": [EVIL, "3"], "value": [0.5, -1.25e-7]})
    figure = go.Figure(go.Scattergl(x=[1, 2], y=[3, 4], name="a"), layout={"height": 240, "dragmode": "select"})
    return Report(
        name="map",
        title=EVIL,
        noun="image",
        answer=(EVIL, "Second."),
        exhibit=Exhibit(
            (Chart("Chart <b>", figure, f"λ<sub>1</sub> {EVIL}"),), (Gallery("Some", pack.id, rows, "value"),), left=(LeftOut(EVIL, "why"),)
        ),
        tables={"": rows, EVIL: pd.DataFrame({EVIL: range(40)})},
        explainer=None,
        choices=(("own", EVIL, False),),
        made=EVIL,
        hashes=(("data", "f" * 64),),
        link=f"/map?own={EVIL}",
        command=EVIL,
        python="",
        spec={"own": EVIL},
        saved=Saved(EVIL, EVIL, EVIL, 0.0, "7Q2M-1"),
        notes=(Note(EVIL, 0.0, EVIL, EVIL),),
    )


def scripts(text):
    return re.findall(r"<script(?: type=\"([^\"]*)\")?[^>]*>(.*?)</script>", text, re.DOTALL)


def test_names_from_data_are_text(report, kept):
    text = write(report, kept, MOMENT)
    page, held = text.split('<script type="application/json" id="data">')
    assert "<img src=x" not in page and "alert(1)<" not in page.replace("alert(1)&lt;", "")
    assert not re.search(r"<script|<img src=x|onerror=alert\(1\)>", page)
    assert "<script" not in held.split("</script>")[0]
    assert EVIL in unescape(page)


def test_its_policy_lets_its_own_scripts_run_and_nothing_be_fetched(report, kept):
    text = write(report, kept, MOMENT)
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    own = [script for kind, script in scripts(text) if not kind]
    assert len(own) == 2
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in own}
    assert set(rules.pop("script-src").split()) == hashes
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_pictures_facts_charts_and_tables_are_inside(report, kept):
    text = write(report, kept, MOMENT)
    assert text.split("<script")[0].count('src="data:image/png;base64,') == 2
    data = json.loads(next(script for kind, script in scripts(text) if kind == "application/json"))
    assert data["facts"]["0"][1]["rows"] == [["image", "0"], ["id", "b"], ["label", "3"], ["value", "−1.25·10⁻⁷"]]
    chart = data["charts"]["chart-0"]
    assert chart["data"][0]["type"] == "scatter" and chart["layout"]["dragmode"] == "zoom"
    assert [len(table.splitlines()) for table in data["tables"]] == [3, 41]
    page = unescape(text.split("<script")[0])
    assert "The first and last 12 of 40 rows." in page and "f" * 64 in page and "2030-01-02 03:04 UTC" in page


def test_thumbnails_that_are_gone_leave_the_rest(report, kept):
    for pack in (kept.cache_dir / "thumbnails").iterdir():
        pack.unlink()
    text = write(report, kept, MOMENT)
    assert "data:image" not in text.split("<script")[0] and text.count('class="card"') == 2


def test_what_is_left_out_is_said(report):
    assert [(line.name, line.state) for line in contents(report)][-1] == (EVIL, "left out")
