"""The address and the session: who wins, and when."""

from types import SimpleNamespace

import pytest

from ntkcore.permalink import LEARNABILITY
from ntkcore.specs import ConvergenceSpec, LearnabilitySpec
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
    links.learnability.opened()
    links.learnability.choose(with_n(50))
    assert browser.query_params == {"dataset": "digits", "n": "50"}
    links.learnability.look(gallery="all", basket=(1, 2))
    assert browser.query_params == {"dataset": "digits", "n": "50", "show": "all", "basket": "1-2"}


def test_a_late_address_does_not_undo_quick_changes(browser):
    links.learnability.opened()
    links.learnability.choose(with_n(50))
    late = dict(browser.query_params)
    links.learnability.choose(with_n(60))
    browser.query_params.from_dict(late)
    assert links.learnability.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_the_back_button_goes_back(browser):
    links.learnability.opened()
    links.learnability.choose(with_n(50))
    browser.clock += 60
    links.learnability.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict({"dataset": "digits", "n": "50"})
    before = links.learnability.current().revision
    assert links.learnability.opened().spec.dataset.n == 50
    assert links.learnability.current().revision > before  # the widgets are set anew


def test_back_to_the_defaults(browser):
    links.learnability.opened()
    browser.clock += 60
    links.learnability.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict(LEARNABILITY.write(LearnabilitySpec()))
    assert links.learnability.opened().spec == LearnabilitySpec()


def test_an_empty_address_after_a_page_switch_restores_the_choice(browser):
    links.learnability.opened()
    links.learnability.choose(with_n(60))
    browser.query_params.clear()
    assert links.learnability.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_other_images_start_a_new_view(browser):
    links.learnability.opened()
    links.learnability.look(basket=(1,), hard=20.0)
    links.learnability.choose(with_n(60))
    assert links.learnability.current().view.basket == ()
    assert links.learnability.current().view.hard == 20.0


def test_each_page_has_its_own_choice(browser):
    links.learnability.opened()
    links.learnability.choose(with_n(60))
    browser.query_params.clear()  # another page of the same session
    links.convergence.opened()
    links.convergence.choose(ConvergenceSpec(seeds=2))
    assert browser.query_params == {"dataset": "digits", "seeds": "2"}
    assert links.learnability.current().spec == with_n(60)
    browser.query_params.clear()
    assert links.learnability.opened().spec == with_n(60)
    assert browser.query_params == {"dataset": "digits", "n": "60"}


def test_other_points_keep_what_exists_of_the_view(browser):
    links.convergence.opened()
    links.convergence.look(epoch=5, width=128, kernel="first", point=(128, 0, 5))
    before = links.convergence.current().revision
    links.convergence.choose(ConvergenceSpec(widths=(64, 128), looks=(0, 20)))
    view = links.convergence.current().view
    assert (view.epoch, view.width, view.kernel, view.point) == (None, 128, "first", None)
    assert links.convergence.current().revision > before  # the slider is set anew


def test_a_run_by_the_clock_does_not_take_an_old_address_for_a_link(browser):
    links.convergence.opened()
    links.convergence.look(epoch=5)
    old = dict(browser.query_params)
    browser.clock += 60  # the browser was busy
    links.convergence.look(epoch=20)
    browser.clock += 60
    browser.rerun = lambda: None
    links.rerun()
    browser.query_params.from_dict(old)
    assert links.convergence.opened().view.epoch == 20
    assert browser.query_params["epoch"] == "20"
    browser.query_params.from_dict(old)
    assert links.convergence.opened().view.epoch == 5  # the next one is the back button
