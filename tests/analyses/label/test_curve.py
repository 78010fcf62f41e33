"""The curve against kernel regression done by hand; what is drawn at random is drawn from what is known."""

import numpy as np
import pytest
from label_networks import drawn, said

from ntkcore.analyses.label.curve import DRAWS, at_random, curve
from ntkcore.analyses.label.desk import Moment, given
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import Workspace
from ntkcore.library import Decision, Session, Standing


def sitting(network, labels):
    decisions = tuple(Decision(i + 1, item, "label", label, "", {}, "Ann", 0.0) for i, (item, label) in enumerate(labels.items()))
    return Sitting(Session("s", "label", "", {}, {}, "Ann", 0.0), network, Standing(decisions), Moment(network, given(network) | labels))


@pytest.mark.parametrize("k", [1, 4])
def test_it_ends_where_the_session_stands(cache, k):
    network = drawn(k, n=30, held=11, given=(2, 3))
    labels = {item: int(network.truth[item]) for item in (5, 9, 1, 0, 4, 22, 17, 8, 29, 12, 13)}
    found = curve(network, now := sitting(network, labels), Workspace(cache))
    assert found.held and found.counts[0] == 3 and found.counts[-1] == 13 and found.random.shape == (DRAWS, len(found.counts))
    assert found.asked[-1] == pytest.approx(now.moment.right)
    first = said(network, given(network) | {5: labels[5]})[30:]
    answers = (first[:, 0] > 0).astype(int) if k == 1 else first.argmax(1)
    assert found.asked[0] == pytest.approx(np.mean(answers == network.truth[30:]))
    assert len(found.table()) == len(found.counts) and "With 13 labels" in found.answer()
    assert curve(network, sitting(network, dict(list(labels.items())[:9])), Workspace(cache)) is None


def test_all_labels_at_random_are_the_labels_as_asked(cache):
    """When everything known is labelled, both end with the same labels."""
    network = drawn(3, n=15, held=40)
    labels = {item: int(network.truth[item]) for item in reversed(range(15))}
    found = curve(network, sitting(network, labels), Workspace(cache))
    np.testing.assert_allclose(found.random[:, -1], found.asked[-1], atol=1e-12)


def test_the_forecast_at_random(cache):
    network, ws = drawn(3, n=15, held=40), Workspace(cache)
    everything = {item: int(network.truth[item]) for item in range(15)}
    answers = said(network, everything)[15:].argmax(1)
    assert at_random(network, 15, ws) == pytest.approx(np.mean(answers == network.truth[15:]))
    assert at_random(network, 4, ws) is None and at_random(drawn(3, n=15, held=0), 15, ws) is None
    assert at_random(network, 9, ws) == at_random(network, 5, ws)


def test_without_a_truth_the_labels_judge(cache):
    network = drawn(3, n=40, held=0)
    labels = {item: int(network.truth[item]) for item in range(20)}
    found = curve(network, sitting(network, labels), Workspace(cache))
    assert not found.held and found.counts[-1] == 14 and "left out in turns" in found.answer()
    np.testing.assert_allclose(found.random[:, -1].mean(), found.asked[-1], atol=1e-12)  # the same labels in the end
