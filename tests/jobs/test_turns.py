"""Turns between people: nobody waits behind all of another's jobs, as many wait as may, and whose a job is stops it."""

import pytest

from ntkcore.errors import AtlasError
from ntkcore.jobs import Asker, Jobs


class Rule:
    """A guard that says who asks as the test has it."""

    def __init__(self) -> None:
        self.asks = Asker("ann", "Ann")

    def start(self, kind):
        return self.asks

    def stop(self, owner, title):
        if owner is None or owner.person != self.asks.person:
            raise AtlasError("Somebody else's.", "")


@pytest.fixture
def rule():
    return Rule()


@pytest.fixture
def jobs(bench, rule):
    bench.jobs.close()
    bench.jobs = Jobs(bench.settings, rule)
    return bench.jobs


def ask(jobs, rule, *titles, waiting=0):
    """Ask for jobs whose titles begin with who asks."""
    for title in titles:
        rule.asks = Asker(title[0], title[0].title(), waiting)
        jobs.submit("steps", title, {"n": 1, "sleep": 0.0}, title)


def order(jobs, last):
    """The titles of what runs before a job, and its own."""
    return [*jobs.waiting(jobs.state(last)).ahead, last]


def test_what_one_person_asks_for_takes_turns_with_others_and_else_keeps_its_order(jobs, rule):
    ask(jobs, rule, *(f"a{number}" for number in range(40)))
    ask(jobs, rule, "b0", "b1", "c0", "b2")
    assert order(jobs, "a39")[:10] == ["a0", "b0", "c0", "a1", "b1", "a2", "b2", "a3", "a4", "a5"]
    assert jobs.state("b1").owner == "b" and jobs.state("b1").owner_name == "B"


def test_the_worker_takes_them_in_that_order(bench, jobs, rule):
    ask(jobs, rule, "a0", "a1", "a2", "a3", "b0", "b1")
    jobs.cancel("b1")  # and asks for it anew: behind what waits of its own turn
    ask(jobs, rule, "c0", "b1")
    bench.start()
    ended = sorted((bench.ended(title) for title in ("a0", "a1", "a2", "a3", "b0", "b1", "c0")), key=lambda state: state.started)
    assert [state.id for state in ended] == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]
    assert all(state.status == "done" for state in ended)


def test_as_many_wait_as_one_person_may_have_and_it_is_said_before(jobs, rule):
    ask(jobs, rule, "a0", "a1", "a2", waiting=3)
    assert "3 jobs of yours are waiting" in jobs.refusal("steps")
    with pytest.raises(AtlasError, match="one person may have"):
        ask(jobs, rule, "a3", waiting=3)
    ask(jobs, rule, "a1", waiting=3)  # the same wish is the same job
    ask(jobs, rule, "b0", waiting=3)
    assert jobs.waiting_of() == {"a": 3, "b": 1} and jobs.state("a3") is None and not jobs.refusal("steps")
    rule.asks = Asker("a", "A", 3)
    jobs.cancel("a2")
    assert not jobs.refusal("steps")


def test_only_whose_it_is_stops_a_job_or_takes_it_off_the_list(jobs, rule):
    ask(jobs, rule, "a0", "b0")
    with pytest.raises(AtlasError, match="Somebody else"):
        jobs.cancel("a0")
    assert jobs.state("a0").status == "queued"
    jobs.cancel("b0")
    assert jobs.state("b0").status == "cancelled"
    ask(jobs, rule, "a1")
    with pytest.raises(AtlasError, match="Somebody else"):
        jobs.forget("b0")
    ask(jobs, rule, "b1")
    jobs.forget("b0")
    assert jobs.state("b0") is None
