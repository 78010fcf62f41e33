"""What `./atlas test` runs of a battery; `./atlas soak` runs all of it."""

from collections.abc import Iterable
from typing import Any

import pytest


def soaked(cases: Iterable[Any], *kept: Any) -> list[Any]:
    """Parameters for ``pytest.mark.parametrize``: those that are not kept are left to the soak."""
    found = list(cases)
    assert set(kept) <= set(found), set(kept) - set(found)
    return [case if case in kept else _soak(case) for case in found]


def _soak(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.soak)
