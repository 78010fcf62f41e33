"""Threads of NumPy's and SciPy's linear algebra, in processes of their own: they are set for good."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from ntkcore import cores

_THREADS = """
    from threadpoolctl import ThreadpoolController
    import numpy as np
    import scipy.linalg
    from ntkcore import cores
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    libraries = {"numpy" if "numpy.libs" in one.filepath else "scipy": one for one in found}
    for one in libraries.values():
        one.set_num_threads(2)
    threads = lambda: tuple(libraries[name].num_threads for name in ("numpy", "scipy"))
    class Asked(np.ndarray):
        def __matmul__(self, other):
            seen.append(threads())
            return np.asarray(self) @ np.asarray(other)
    seen, small, cores._LARGE = [], np.eye(3).view(Asked), 20
"""


def said(lines: str) -> list[str]:
    """What a process of its own prints."""
    text = textwrap.dedent(_THREADS) + textwrap.dedent(lines)
    return subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout.split("\n")[:-1]


def test_small_products_take_one_thread_and_large_ones_all_until_they_end():
    lines = """
        cores.share_cores()
        print(threads())
        cores.product(small[:2], small), cores.product(small, small)
        print(seen, threads())
    """
    assert said(lines) == ["(1, 1)", "[(1, 1), (2, 1)] (1, 1)"]


def test_where_two_are_under_way_the_last_that_ends_gives_the_cores_back():
    lines = """
        cores.share_cores()
        cores._WIDE.change(1)
        cores.product(small, small)
        print(threads())
        cores._WIDE.change(-1)
        print(threads())
    """
    assert said(lines) == ["(2, 1)", "(1, 1)"]


@pytest.mark.parametrize(("threads", "large"), [(0, "(2, 1)"), (1, "(1, 1)")])
def test_a_large_product_has_at_most_the_threads_of_the_settings_also_when_asked_twice(threads, large):
    lines = f"""
        cores.share_cores({threads})
        cores.share_cores({threads})
        cores.product(small, small)
        print(seen[0], threads())
    """
    assert said(lines) == [f"{large} (1, 1)"]


def test_a_product_that_fails_gives_the_cores_back():
    lines = """
        cores.share_cores()
        def fails(self, other):
            seen.append(threads())
            raise MemoryError
        Asked.__matmul__ = fails
        try:
            cores.product(small, small)
        except MemoryError:
            print(seen, threads())
    """
    assert said(lines) == ["[(2, 1)] (1, 1)"]


def test_a_product_is_the_products():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(3, 4)), rng.normal(size=(4, 5))
    np.testing.assert_array_equal(cores.product(left, right), left @ right)
