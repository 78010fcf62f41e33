"""Several batches at once: the same numbers, what goes wrong in a thread is said, and a caller can stop all of them."""

import threading
import time

import pytest
import torch
from torch import nn

from ntkcore.errors import Cancelled, ModelError
from ntkcore.kernels import empirical_ntk, engine, ntk_diagonal
from ntkcore.kernels.engine import Batches, Engine
from ntkcore.kernels.workers import run_all, twin

X = torch.randn(40, 2, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def two(monkeypatch):
    """Two processors, whatever this machine has, and threads for the smallest work."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(engine, "_WORTH", 0)
    yield
    assert torch.get_num_threads() == 2  # as it was found
    torch.set_num_threads(before)


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        layers = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Softplus(), nn.Conv2d(4, 3, 3), nn.Flatten(), nn.PReLU(), nn.Linear(75, 3)
        return nn.Sequential(*layers).double().eval()


@pytest.mark.parametrize("outputs", ["pseudo", "first", "mean", "full"])
@pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")  # PReLU
def test_threads_give_the_same_kernel(two, outputs: str) -> None:
    model = network()
    assert Engine(model, X, outputs=outputs).pair_batches(len(X), None).at_once == 2
    found = empirical_ntk(model, X, outputs=outputs).values
    again = empirical_ntk(model, X, outputs=outputs, batch_size=7).values
    torch.set_num_threads(1)
    alone = empirical_ntk(model, X, outputs=outputs).values
    torch.set_num_threads(2)
    # sums of at most a few thousand products in another order, in float64
    torch.testing.assert_close(torch.from_numpy(found), torch.from_numpy(alone), rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(torch.from_numpy(again), torch.from_numpy(alone), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("n", "step", "at_once"), [(200, 12, 2), (9, 1, 2), (5, 7, 1), (7, 2, 3), (256, 128, 2)])
def test_even_batches_give_each_processor_as_many_samples(n: int, step: int, at_once: int) -> None:
    cut = Batches(n, step, at_once, even=True).slices()
    sizes = [piece.stop - piece.start for piece in cut]
    assert [i for piece in cut for i in range(piece.start, piece.stop)] == list(range(n))
    assert max(sizes) <= step
    assert min(sizes) >= max(1, max(sizes) - 1)
    assert len(cut) % at_once == 0 or len(cut) == n


@pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")
def test_threads_give_the_same_diagonal_and_count_their_samples(two) -> None:
    model, told = network(), []
    found = ntk_diagonal(model, X, batch_size=8, progress=lambda done, total: told.append((done, total)))
    kernel = empirical_ntk(model, X, outputs="mean").values
    torch.testing.assert_close(torch.from_numpy(found), torch.from_numpy(kernel).diagonal(), rtol=1e-11, atol=0)
    assert told == [(8 * step, 40) for step in range(1, 6)]


class Turns(nn.Module):
    """Refuses a batch that holds a certain value: what can only be seen in the midst of the work."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) == 4 and float(x.abs().max()) > 50:
            raise ValueError("too large a number")
        return self.linear(x)


def test_an_error_in_a_thread_is_the_callers(two) -> None:
    x = torch.randn(40, 2)
    x[33] = 99
    with pytest.raises(ValueError, match="too large"):
        ntk_diagonal(Turns().eval(), x, batch_size=4)


def test_a_caller_can_stop_all_threads(two) -> None:
    begun: list[int] = []
    planned = Engine(nn.Linear(2, 2), torch.randn(3, 2))._plans[0]
    other = twin(planned)
    assert other is not None

    def work(_planned: object, batch: int) -> None:
        begun.append(batch)
        time.sleep(0.001)

    def stop(batch: int) -> None:
        raise Cancelled

    before = threading.active_count()
    with pytest.raises(Cancelled):
        run_all(list(range(10_000)), [planned, other], work, stop)
    assert len(begun) < 10_000
    assert threading.active_count() == before


def test_a_network_that_cannot_be_copied_runs_without_threads(two) -> None:
    class Guarded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 2)
            self.lock = threading.Lock()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with self.lock:
                return self.linear(x)

    model, x = Guarded().eval(), torch.randn(12, 2)
    expected = 2 / 2 * (x @ x.T + 1)  # each output's weight gradient is x itself
    torch.testing.assert_close(torch.from_numpy(empirical_ntk(model, x).values), expected.detach())


def test_the_model_keeps_its_hooks_and_weights(two) -> None:
    model = network()[:1].append(nn.Flatten()).append(nn.Linear(196, 2)).double()
    hooks = [len(module._forward_hooks) for module in model.modules()]
    before = [parameter.clone() for parameter in model.parameters()]
    empirical_ntk(model, X)
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    with pytest.raises(ModelError):
        empirical_ntk(model, X[:, :, :5])
