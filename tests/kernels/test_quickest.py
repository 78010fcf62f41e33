"""The quickest ways are chosen by a measurement, once."""

import pytest
import torch

from ntkcore.kernels import quickest
from ntkcore.kernels.quickest import chosen, measured
from ntkcore.kernels.ways import Ways


def test_a_way_must_be_clearly_quicker_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that is told."""
    now = [0.0]
    monkeypatch.setattr(quickest.time, "thread_time", lambda: now[0])

    def taking(seconds: float, value: float = 1.0) -> object:
        def work() -> torch.Tensor:
            now[0] += seconds
            return torch.tensor(value)

        return work

    def failing() -> torch.Tensor:
        raise RuntimeError("not built in")

    assert quickest._timed(taking(1.0), taking(0.5)) == (1.0, 0.5)
    assert quickest._timed(taking(1.0), taking(0.5, value=2.0)) == (1.0, float("inf"))
    assert quickest._timed(taking(1.0), failing) == (1.0, float("inf"))
    assert chosen((1.0, 0.5, 1.0, 0.95)) == Ways("onednn", "windows")
    assert chosen((1.0, float("inf"), 1.0, 0.5)) == Ways("blas", "grouped")


def test_right_means_every_number_in_its_place() -> None:
    drawn = torch.randn(6, 5)
    assert quickest._timed(lambda: drawn, lambda: drawn + 1e-6)[1] < float("inf")
    assert quickest._timed(lambda: drawn, lambda: drawn.flip(0))[1] == float("inf")
    assert quickest._timed(lambda: drawn, lambda: drawn.T)[1] == float("inf")
    for plain, other in (quickest._products(), quickest._weights()):
        torch.testing.assert_close(plain(), other(), rtol=1e-3, atol=1e-3)


def test_the_choice_is_made_once_and_leaves_the_threads() -> None:
    before = torch.get_num_threads()
    assert measured() is measured()
    assert torch.get_num_threads() == before
