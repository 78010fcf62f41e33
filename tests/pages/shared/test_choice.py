"""The address and the session: who wins, and when."""

from types import SimpleNamespace

import pytest

from ntkcore.permalink import ADDRESSES
from ntkcore.specs import DatasetSpec
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from pages.convergence.choice import LINK as CONVERGENCE_LINK
from pages.influence.choice import LINK as INFLUENCE_LINK
from pages.learnability.choice import LINK as LEARNABILITY_LINK
from pages.shared import choice as links


class Query(dict):
    """st.query_params as the module uses it."""

    def get_all(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]

    def from_dict(self, values):
        self.clear()
        self.update(values)


@pytest.fixture
def browser(monkeypatch, cache):
    """A session whose address a test can set; the clock stands still until it is moved."""
    fake = SimpleNamespace(session_state={}, query_params=Query(), clock=100.0, toasts=[])
    fake.toast = fake.toasts.append
    monkeypatch.setattr(links, "st", fake)
    monkeypatch.setattr(links, "time", SimpleNamespace(monotonic=lambda: fake.clock))
    return fake


def with_n(n):
    return LearnabilitySpec.model_validate({"dataset": {"n": n}})


def test_the_address_follows_the_choice(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(with_n(50))
    assert browser.query_params == {"dataset": "digits", "n": "50"}
    LEARNABILITY_LINK.look(gallery="all", picked=(1, 2))
    assert browser.query_params == {"dataset": "digits", "n": "50", "show": "all", "picked": "1-2"}


def test_a_late_address_does_not_undo_quick_changes(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(with_n(50))
    late = dict(browser.query_params)
    LEARNABILITY_LINK.choose(with_n(60))
    browser.query_params.from_dict(late)
    assert LEARNABILITY_LINK.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_the_back_button_goes_back(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(with_n(50))
    browser.clock += 60
    LEARNABILITY_LINK.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict({"dataset": "digits", "n": "50"})
    before = LEARNABILITY_LINK.current().revision
    assert LEARNABILITY_LINK.opened().spec.dataset.n == 50
    assert LEARNABILITY_LINK.current().revision > before  # the widgets are set anew


def test_back_to_the_defaults(browser):
    LEARNABILITY_LINK.opened()
    browser.clock += 60
    LEARNABILITY_LINK.choose(with_n(60))
    browser.clock += 60
    browser.query_params.from_dict(ADDRESSES["learnability"].write(LearnabilitySpec()))
    assert LEARNABILITY_LINK.opened().spec == LearnabilitySpec()


def test_an_empty_address_after_a_page_switch_restores_the_choice(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(with_n(60))
    browser.query_params.clear()
    assert LEARNABILITY_LINK.opened().spec.dataset.n == 60
    assert browser.query_params["n"] == "60"


def test_other_images_start_a_new_view(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.look(basket=(1,), picked=(2,), hard=20.0)
    LEARNABILITY_LINK.choose(LearnabilitySpec.model_validate({"dataset": {"seed": 1}}))
    assert LEARNABILITY_LINK.current().view.basket == () == LEARNABILITY_LINK.current().view.picked
    assert LEARNABILITY_LINK.current().view.hard == 20.0


def test_each_page_has_its_own_choice(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(with_n(60))
    browser.query_params.clear()  # another page of the same session
    CONVERGENCE_LINK.opened()
    CONVERGENCE_LINK.choose(ConvergenceSpec(seeds=2))
    assert browser.query_params == {"dataset": "digits", "seeds": "2"}
    assert LEARNABILITY_LINK.current().spec == with_n(60)
    browser.query_params.clear()
    assert LEARNABILITY_LINK.opened().spec == with_n(60)
    assert browser.query_params == {"dataset": "digits", "n": "60"}


def test_other_points_keep_what_exists_of_the_view(browser):
    CONVERGENCE_LINK.opened()
    CONVERGENCE_LINK.look(epoch=5, width=128, kernel="first", point=(128, 0, 5))
    before = CONVERGENCE_LINK.current().revision
    CONVERGENCE_LINK.choose(ConvergenceSpec(widths=(64, 128), looks=(0, 20)))
    view = CONVERGENCE_LINK.current().view
    assert (view.epoch, view.width, view.kernel, view.point) == (None, 128, "first", None)
    assert CONVERGENCE_LINK.current().revision > before  # the slider is set anew


def test_a_run_by_the_clock_does_not_take_an_old_address_for_a_link(browser):
    CONVERGENCE_LINK.opened()
    CONVERGENCE_LINK.look(epoch=5)
    old = dict(browser.query_params)
    browser.clock += 60  # the browser was busy
    CONVERGENCE_LINK.look(epoch=20)
    browser.clock += 60
    browser.rerun = lambda: None
    links.rerun()
    browser.query_params.from_dict(old)
    assert CONVERGENCE_LINK.opened().view.epoch == 20
    assert browser.query_params["epoch"] == "20"
    browser.query_params.from_dict(old)
    assert CONVERGENCE_LINK.opened().view.epoch == 5  # the next one is the back button


def test_a_run_by_the_clock_of_a_page_without_a_choice_says_nothing_to_the_next_page(browser, monkeypatch):
    CONVERGENCE_LINK.opened()
    browser.clock += 60
    browser.rerun = lambda: None
    monkeypatch.setattr(links, "_shown", lambda: "jobs")
    links.rerun()
    monkeypatch.setattr(links, "_shown", lambda: "convergence")
    browser.query_params.from_dict({"dataset": "digits", "epoch": "5"})
    assert CONVERGENCE_LINK.opened().view.epoch == 5


def test_the_sidebar_keeps_images_network_and_basket(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.choose(LearnabilitySpec.model_validate({"dataset": {"n": 60, "classes": ("3", "8")}, "model": {"width": 32}}))
    LEARNABILITY_LINK.look(basket=(1, 59))
    browser.query_params.clear()
    influence = INFLUENCE_LINK.opened()
    assert influence.spec.dataset == with_classes(60) and influence.spec.model.width == 32 and influence.view.basket == (1, 59)
    assert "basket" not in browser.query_params
    INFLUENCE_LINK.look(basket=(1,))
    INFLUENCE_LINK.choose(influence.spec.model_copy(update={"dataset": with_classes(50)}))
    INFLUENCE_LINK.look(basket=(2,))
    browser.query_params.clear()
    back = LEARNABILITY_LINK.opened()
    assert back.spec.dataset == with_classes(50) and back.view.basket == (2,)


def test_a_link_and_what_was_not_chosen_take_nothing_over(browser):
    LEARNABILITY_LINK.opened()
    browser.query_params.clear()
    assert INFLUENCE_LINK.opened().spec == InfluenceSpec()
    INFLUENCE_LINK.choose(InfluenceSpec(dataset=with_classes(50)))
    browser.query_params.from_dict({"dataset": "digits", "n": "70"})
    assert LEARNABILITY_LINK.opened().spec.dataset == DatasetSpec(n=70)


def test_selections_and_filters_are_taken_back_one_by_one(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.undo()  # nothing yet
    before = LEARNABILITY_LINK.current()
    LEARNABILITY_LINK.look(basket=(1,))
    LEARNABILITY_LINK.look(gallery="all")  # no selection
    LEARNABILITY_LINK.look(basket=(1, 2))
    LEARNABILITY_LINK.look(filters=("k-xx~1.0~",), picked=(3, 4))
    LEARNABILITY_LINK.undo()
    view = LEARNABILITY_LINK.current().view
    assert (view.basket, view.filters, view.picked, view.gallery) == ((1, 2), (), (), "all")
    LEARNABILITY_LINK.undo()
    assert LEARNABILITY_LINK.current().view.basket == (1,)
    LEARNABILITY_LINK.undo()
    LEARNABILITY_LINK.undo()
    assert LEARNABILITY_LINK.current().view == before.view.model_copy(update={"gallery": "all"})
    assert LEARNABILITY_LINK.current().revision > before.revision  # the ticks are set anew


def tab(browser):
    """Another tab of the same browser: a session of its own."""
    browser.session_state, browser.query_params = {}, Query()
    return browser.session_state, browser.query_params


def switch(browser, to):
    browser.session_state, browser.query_params = to


def test_two_tabs_keep_each_others_ticks(browser):
    one = tab(browser)
    LEARNABILITY_LINK.opened()
    two = tab(browser)
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.look(basket=(5,))
    switch(browser, one)
    before = LEARNABILITY_LINK.current().revision
    assert LEARNABILITY_LINK.look(basket=(3,)).view.basket == (3, 5)
    assert LEARNABILITY_LINK.current().revision > before  # its gallery shows the other tick, too
    switch(browser, two)
    assert LEARNABILITY_LINK.opened().view.basket == (3, 5)
    LEARNABILITY_LINK.look(basket=(3,))
    switch(browser, one)
    quiet = LEARNABILITY_LINK.opened()
    assert quiet.view.basket == (3,) and LEARNABILITY_LINK.opened().revision == quiet.revision


def test_a_link_fills_the_basket_and_undo_brings_ones_own_back(browser):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.look(basket=(1, 2))
    tab(browser)
    browser.query_params.from_dict({"dataset": "digits", "basket": "7"})
    assert LEARNABILITY_LINK.opened().view.basket == (7,) and "basket" not in browser.query_params
    assert len(browser.toasts) == 1
    LEARNABILITY_LINK.undo()
    assert LEARNABILITY_LINK.current().view.basket == (1, 2)
    tab(browser)
    assert LEARNABILITY_LINK.opened().view.basket == (1, 2)


def test_nothing_is_written_without_a_tick(browser, cache):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.look(basket=(), gallery="all")
    assert not (cache.cache_dir / "library.sqlite").exists()


def test_while_the_library_is_damaged_the_address_carries_the_basket(browser, cache):
    LEARNABILITY_LINK.opened()
    LEARNABILITY_LINK.look(basket=(1,))
    file = cache.cache_dir / "library.sqlite"
    file.rename(sound := file.with_name("sound"))
    file.write_bytes(b"no database")
    assert LEARNABILITY_LINK.opened().view.basket == (1,) and LEARNABILITY_LINK.carries
    LEARNABILITY_LINK.look(basket=(1, 4))
    assert browser.query_params["basket"] == "1,4"
    sound.replace(file)
    assert LEARNABILITY_LINK.opened().view.basket == (1, 4)
    assert not LEARNABILITY_LINK.carries and "basket" not in browser.query_params
    tab(browser)
    assert LEARNABILITY_LINK.opened().view.basket == (1, 4)


def with_classes(n):
    return DatasetSpec(n=n, classes=("3", "8"))
