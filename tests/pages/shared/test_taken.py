"""What is taken from a page, from the line under its title: the report, the table for other tools, the difference from what is saved."""

import html

import pytest
import visiting
from recording import Recording
from small_analyses import SMALL
from visiting import button, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.sharing import saving
from ntkcore.library.people import local
from ntkcore.permalink import ADDRESSES

SPEC, VIEW = ADDRESSES["influence"].read(SMALL["influence"])


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    with visiting.kept_cache(tmp_path_factory.mktemp("taken")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        yield ws


def opened(ridge=0.01):
    return visiting.opened(visitor(), "influence", **ADDRESSES["influence"].write(SPEC, VIEW.model_copy(update={"ridge": ridge})))


def spoken(app):
    return " ".join([*(item.value for item in app.markdown), *(html.unescape(item.proto.body) for item in app.get("html"))])


def test_a_report_says_what_it_holds_before_it_is_saved(ws):
    app = opened()
    button(app, "Report").click().run()
    assert not app.exception and not app.error
    said = spoken(app)
    assert "One file, **4." in said or "One file, **5." in said
    for words in ("The most influential images, by rank", "λ, τ and every other choice", "Every other held-out image"):
        assert words in said
    assert any("python -m ntkcore report '/influence?" in item.value for item in app.code)
    assert {"Save the report", "CSV", "Parquet", "FiftyOne samples (zip)", "Label Studio tasks (JSON)"} <= {
        item.proto.label for item in app.get("download_button")
    }


def test_what_differs_from_a_saved_analysis_is_told(ws):
    kept = saving.save("influence", SPEC, VIEW, local("Ann"), ws, title="Before *all*")
    app = opened(ridge=10.0)
    button(app, "What differs").click().run()
    box = widget(app, "selectbox", "Saved analysis")
    assert kept.version.reference in box.options[0]
    box.select_index(0).run()
    assert not app.exception and not app.error
    said = spoken(app)
    assert "**What differs:** λ 10 → 0" in said.replace("\\", "") and "Spearman’s ρ" in said and "Moved up most in B" in said
    widget(app, "text_input", "Or its address").set_value("ZZZZ").run()
    assert any("no such saved analysis" in item.value for item in app.error)
