"""The start: its cards lead to real analyses, asked for on the way."""

import pytest
from visiting import button

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.specs.influence import InfluenceSpec


@pytest.mark.parametrize(("label", "title"), [("Trace", "Influence"), ("Weigh", "Information"), ("Judge", "Reliability")])
def test_a_card_opens_a_small_analysis_and_asks_for_it(app, ws, label, title):
    app.run()
    button(app, label).click().run()
    assert not app.exception and app.title[0].value == title
    assert [job.id for job in ws.jobs.list(10)] == [INFLUENCE.key(InfluenceSpec(), ws)]
    assert any(b.label == "Cancel" for b in app.button)


def test_every_analysis_has_a_card(app):
    app.run()
    assert {"Compare", "Trace", "Weigh", "Judge"} < {b.label for b in app.button} and not app.exception
