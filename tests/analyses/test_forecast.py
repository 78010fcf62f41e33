"""Where a forecast's seconds are from, as it says."""

import pytest

from ntkcore.analyses import forecast as module
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.rates import Rate
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.influence import InfluenceSpec

NOW = 1e9  # seconds since 1970


def forecast(*rates):
    return Forecast((), 0.0, 0, 0, 0, 0, "", 0, tuple(Rate(1.0, others, NOW - age, 2) for age, others in rates))


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([], ""),
        ([(30, 0)], " just now"),
        ([(119, 0)], " just now"),
        ([(120, 0)], " 2 minutes ago"),
        ([(3600, 0), (5, 0)], " 1 hour ago"),
        ([(50 * 3600, 0)], " 2 days ago"),
        ([(30, 0.6)], " just now while other work ran"),
        ([(30, 0.6), (7200, 0)], " 2 hours ago, in part while other work ran"),
    ],
)
def test_a_forecast_says_how_old_and_how_good_its_rates_are(monkeypatch, rates, said):
    monkeypatch.setattr(module.time, "time", lambda: NOW)
    assert forecast(*rates).source == f"from rates measured on this machine{said}"


def test_what_is_expected_names_the_rates_that_it_is_from(cache):
    ws = Workspace(cache)
    chosen = InfluenceSpec(dataset={"classes": ("3", "8"), "n": 60})
    expected = INFLUENCE.expected(chosen, ws)
    assert expected.rates and not INFLUENCE.forecast(chosen, ws).rates
    assert expected.seconds == INFLUENCE.forecast(chosen, ws).seconds
