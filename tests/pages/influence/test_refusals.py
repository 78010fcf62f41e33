"""Bad input on the influence and reliability pages: said in words, with a remedy, and nothing is started."""

import pytest
import visiting
from recording import Recording
from visiting import button, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings

PAGES = ["influence", "reliability"]


def plain(text):
    """What an error says, without the marks that keep its signs from being formatting."""
    return text.replace("\\", "").replace("\u2060", "")


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """A cache in which a set with duplicates is computed, and the address of it."""
    folder = tmp_path_factory.mktemp("twins")
    with visiting.kept_cache(folder) as ws:
        query = {"dataset": "own", "own": visiting.twins(folder), "n": "8", "test": "4"}
        INFLUENCE.compute(ADDRESSES["influence"].read(query)[0], ws, Recording())
        yield query


@pytest.mark.parametrize("page", PAGES)
def test_duplicates_without_a_ridge_are_explained_and_the_slider_mends_it(twins, page):
    app = visiting.opened(visitor(), page, **twins, ridge="0")
    assert any("singular to rounding" in item.value and "λ of at least" in item.value for item in app.error)
    assert not app.exception
    widget(app, "select_slider", "Regularisation λ").set_value(1.0).run()
    assert not app.error and not app.exception and app.query_params.get("ridge") != "0"


@pytest.mark.parametrize("page", PAGES)
def test_duplicates_with_a_ridge_are_nothing_special(twins, page):
    app = visiting.opened(visitor(), page, **twins, ridge="0.25")
    assert not app.error and not app.exception and titles(app)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"ridge": "-1"}, "ridge: Input should be greater than or equal to 0"),
        ({"ridge": "1e9"}, "ridge: Input should be less than or equal to 1000000"),
        ({"ridge": "nan"}, "ridge: Input should be a finite number"),
        ({"ridge": "much"}, "ridge: Input should be a valid number"),
    ],
)
def test_a_ridge_out_of_range_is_named(app, ws, page, query, words):
    visiting.opened(app, page, **query)
    assert words in plain(app.error[0].value)
    assert ws.jobs.list(10) == () and not app.metric
    button(app, "Start from the defaults").click().run()
    assert not app.error


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("-1", "time: Input should be greater than or equal to 0.000000000001"),
        ("0", "time: Input should be greater than or equal to 0.000000000001"),
        ("1e-320", "time: Input should be greater than or equal to 0.000000000001"),
        ("1e13", "time: Input should be less than or equal to 1000000000000"),
        ("inf", "time: Input should be"),
        ("now", "time: Input should be a valid number"),
    ],
)
def test_a_time_out_of_range_is_named(app, ws, time, words):
    visiting.opened(app, "influence", time=time)
    assert words in plain(app.error[0].value)
    assert ws.jobs.list(10) == ()


@pytest.mark.parametrize(
    "view", [{"ridge": "1e-12"}, {"ridge": "1e6"}, {"ridge": "1e-12", "time": "1e-12"}, {"ridge": "0", "time": "1e12"}]
)
def test_the_ends_of_the_ranges_are_shown(twins, view):
    app = visiting.opened(visitor(), "influence", **twins, **view)
    assert not app.exception
    if "time" in view:
        assert titles(app)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("ridge", ["1.0000001", "0.25000001"])
def test_a_ridge_beside_one_of_the_slider_s_is_shown(twins, page, ridge):
    """The slider tells its positions apart by their texts."""
    app = visiting.opened(visitor(), page, **twins, ridge=ridge)
    assert not app.exception and not app.error
    assert widget(app, "select_slider", "Regularisation λ").value == float(ridge)
    options = list(widget(app, "select_slider", "Regularisation λ").proto.options)
    assert len(set(options)) == len(options)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"n": "1500", "test": "20"}, "images would fit"),
        ({"n": "1500", "test": "20", "kernel": "pseudo", "width": "8", "depth": "1"}, "images would fit"),
    ],
)
def test_more_than_fits_cannot_be_started(cache, monkeypatch, page, query, words):
    monkeypatch.setenv("NTK_JOB_MEMORY", str(650 * 2**20))
    settings.cache_clear()
    app = visiting.opened(visitor(), page, **query)
    assert any(words in item.value for item in app.error)
    assert button(app, "Compute").disabled


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("classes", [["3"], ["3", "3"]])
def test_one_class_is_refused(app, ws, page, classes):
    visiting.opened(app, page, classes=classes)
    assert "two different classes" in app.error[0].value
    assert ws.jobs.list(10) == ()
