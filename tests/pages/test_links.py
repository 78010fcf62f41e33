"""The address and the session: who wins, and when."""

from types import SimpleNamespace

import pytest

from ntkcore.permalink import learnability_query
from ntkcore.specs import LearnabilitySpec
from pages.parts import links


class Query(dict):
    """st.query_params as the module uses it."""

    def get_all(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]

    def from_dict(self, values):
        self.clear()
        self.update(values)


@pytest.fixture
def browser(monkeypatch):
    """A session whose address a test can set; the clock stands still until it is moved."""
    fake = SimpleNamespace(session_state={}, query_params=Query(), clock=100.0)
    monkeypatch.setattr(links, "st", fake)
    monkeypatch.setattr(links, "time", SimpleNamespace(monotonic=lambda: fake.clock))
    return fake


def with_n(n):
    return LearnabilitySpec.model_validate({"dataset": {"n": n}})


def test_the_address_follows_the_choice(browser):
    links.opened()
    links.choose(with_n(50))
    assert browser.query_params == {"dataset": "digits", "n": "50"}
    links.look(gallery="all", basket=(1, 2))
    assert browser.query_params == {"dataset": "digits", "n": "50", "show": "all", "basket": "1-2"}


def test_a_late_address_does_not_undo_quick_changes(browser):
    links.opened()
    links.choose(with_n(50))
    late = dict(browser.query_params)
    links.choose(with_n(60))
    browser.query_params.from_dict(late)
    assert links.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_the_back_button_goes_back(browser):
    links.opened()
    links.choose(with_n(50))
    browser.clock += 60
    links.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict({"dataset": "digits", "n": "50"})
    before = links.current().revision
    assert links.opened().spec.dataset.n == 50
    assert links.current().revision > before  # the widgets are set anew


def test_back_to_the_defaults(browser):
    links.opened()
    browser.clock += 60
    links.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict(learnability_query(LearnabilitySpec()))
    assert links.opened().spec == LearnabilitySpec()


def test_an_empty_address_after_a_page_switch_restores_the_choice(browser):
    links.opened()
    links.choose(with_n(60))
    browser.query_params.clear()
    assert links.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_other_images_start_a_new_view(browser):
    links.opened()
    links.look(basket=(1,), hard=20.0)
    links.choose(with_n(60))
    assert links.current().view.basket == ()
    assert links.current().view.hard == 20.0
