"""The hot cache: bounded in bytes, least recently used first, one building per key."""

import threading
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from ntkcore.errors import Cancelled
from ntkcore.store import DeviceCache, size_of


@dataclass(frozen=True)
class Result:
    kernel: np.ndarray
    weights: torch.Tensor
    name: str = "abc"


def test_sizes_of_arrays_tensors_and_what_holds_them():
    kernel, weights = np.zeros((10, 10)), torch.zeros(7, dtype=torch.float32)
    assert size_of(kernel) == 800 and size_of(weights) == 28
    assert size_of((kernel, [weights], {"k": kernel})) == 800 + 28 + 1
    assert size_of(Result(kernel, weights)) == 800 + 28 + 3
    assert size_of(None) == size_of(3) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=60))
def test_it_never_holds_more_than_its_limit_and_agrees_with_a_plain_model(calls):
    cache, model = DeviceCache(100), []
    sizes = {}
    for key, size in calls:
        sizes.setdefault(key, size)
        assert cache.get(key, lambda key=key: np.full(sizes[key], key, np.uint8))[0] == key
        if key in model:
            model.remove(key)
        model.append(key)
        while sum(sizes[held] for held in model) > 100:
            model.pop(0)
        assert cache.stats().bytes == sum(sizes[held] for held in model) <= 100
        assert cache.stats().items == len(model)


def test_hits_misses_and_what_is_too_large():
    cache = DeviceCache(100)
    first = cache.get("a", lambda: np.zeros(10))
    assert cache.get("a", lambda: pytest.fail("built twice")) is first
    assert cache.get("big", lambda: np.zeros(1000)).size == 1000
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.bytes, stats.items, stats.limit) == (1, 2, 80, 1, 100)
    assert cache.get("told", lambda: object(), lambda _: 15) is not None
    assert cache.stats().bytes == 95


def test_dropping_by_prefix_predicate_and_all():
    cache = DeviceCache(1000)
    for key in [("x", 1), ("x", 2), ("y", 1), "z"]:
        cache.get(key, lambda: np.zeros(1))
    assert cache.drop(("x",)) == 2 and cache.stats().bytes == 16
    assert cache.drop(lambda key: key == "z") == 1
    cache.clear()
    assert cache.stats().bytes == cache.stats().items == 0


def together(count, action):
    """Results, or exceptions, of ``count`` threads that run ``action``."""
    results = [None] * count

    def run(at):
        try:
            results[at] = action()
        except BaseException as error:
            results[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_many_threads_build_once():
    cache, built, inside = DeviceCache(10**6), [], threading.Event()

    def build():
        built.append(1)
        inside.wait(0.2)
        return np.ones(5)

    results = together(8, lambda: cache.get("k", build))
    assert len(built) == 1 and all(result is results[0] for result in results)


def test_a_failing_build_reaches_all_waiters_and_is_not_kept():
    cache, gate = DeviceCache(100), threading.Event()

    def fail():
        gate.wait(0.2)
        raise ValueError("no")

    assert all(isinstance(result, ValueError) for result in together(4, lambda: cache.get("k", fail)))
    assert cache.get("k", lambda: 5) == 5


def test_when_the_builder_is_cancelled_the_next_caller_builds():
    cache, turns, lock = DeviceCache(100), [], threading.Lock()

    def build():
        with lock:
            turns.append(1)
            first = len(turns) == 1
        threading.Event().wait(0.1)
        if first:
            raise Cancelled
        return 7

    results = together(4, lambda: cache.get("k", build))
    assert sum(isinstance(result, Cancelled) for result in results) == 1 and results.count(7) == 3 and len(turns) == 2


def test_an_item_dropped_while_it_is_built_is_not_kept():
    cache = DeviceCache(100)

    def build():
        cache.drop(("k",))
        return np.zeros(1)

    cache.get(("k", 1), build)
    assert cache.stats().items == 0


def test_an_item_that_needs_itself_is_refused_and_one_that_needs_another_is_built():
    cache = DeviceCache(100)
    with pytest.raises(RuntimeError, match="asks for"):
        cache.get("k", lambda: cache.get("k", lambda: 1))
    assert cache.get("a", lambda: cache.get("b", lambda: 1) + 1) == 2
