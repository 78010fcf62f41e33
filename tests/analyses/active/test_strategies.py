"""Every strategy on a small choice, and looking ahead beside regressions that are solved anew for each candidate."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.analyses.active.cycle import Cycle, Rules
from ntkcore.analyses.active.strategies import REGISTRY, Size
from ntkcore.models import train
from ntkcore.specs import TrainingSpec
from ntkcore.specs.active import STRATEGIES

LABELLED, POOL, SIDE, RIDGE = 14, 25, 6, 0.3
RULES = Rules(RIDGE, "linear", "simplex", 12, False, "float64")


def network(outputs: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(SIDE, 9), nn.ReLU(), nn.Linear(9, outputs)).double().eval()


def trained(x: np.ndarray, y: np.ndarray) -> nn.Module:
    module = network(y.shape[1])
    for _ in train(module, x, y, TrainingSpec(epochs=20, learning_rate=0.05, batch_size=4)):
        pass
    return module


@pytest.fixture(scope="module", params=[1, 3], ids=["two classes", "three"])
def choice(request) -> Callable[..., Cycle]:
    """A small choice with other rules, and a generator of its own."""
    k = request.param
    generator = np.random.default_rng(k)
    classes = np.arange(LABELLED + POOL) % max(2, k)
    x = generator.standard_normal((len(classes), SIDE)) + 1.5 * np.eye(SIDE)[classes]
    y = 2.0 * classes[:, None] - 1 if k == 1 else np.eye(k)[classes]
    module = trained(x[:LABELLED], y[:LABELLED])

    def make(rules: Rules = RULES, count: int = 4, seed: int = 0) -> Cycle:
        return Cycle(
            module=module,
            inputs=x[:LABELLED],
            candidates=x[LABELLED:],
            labels=classes[:LABELLED],
            targets=y[:LABELLED],
            count=count,
            generator=np.random.default_rng(seed),
            rules=rules,
            reveal=lambda number: y[LABELLED + number],
            train=trained,
            waiting=lambda: None,
        )

    return make


def test_there_is_one_for_each_name() -> None:
    assert list(REGISTRY) == list(STRATEGIES)


@pytest.mark.parametrize("name", REGISTRY)
def test_it_chooses_so_many_different_candidates_and_again_the_same(choice, name) -> None:
    found = REGISTRY[name].choose(choice())
    assert found.shape == (4,) and len(set(found.tolist())) == 4 and found.min() >= 0 and found.max() < POOL
    np.testing.assert_array_equal(REGISTRY[name].choose(choice()), found)
    everything = REGISTRY[name].choose(choice(count=POOL))
    assert sorted(everything.tolist()) == list(range(POOL))


@pytest.mark.parametrize("name", REGISTRY)
def test_more_candidates_take_no_less(name) -> None:
    small, large = Size(10, 100, 5, 3, 20, 50), Size(20, 400, 10, 3, 20, 50)
    strategy = REGISTRY[name]
    assert 0 < strategy.units(small) < strategy.units(large) and 0 <= strategy.memory(small) <= strategy.memory(large)


def jacobian(cycle: Cycle, x: np.ndarray) -> np.ndarray:
    """(n, k, P) by reverse mode, one output of one sample at a time."""
    rows = []
    for one in torch.from_numpy(x):
        outputs = cycle.module(one[None])[0]
        gradients = [torch.autograd.grad(value, list(cycle.module.parameters()), retain_graph=True) for value in outputs]
        rows.append([torch.cat([part.flatten() for part in each]).numpy() for each in gradients])
    return np.array(rows)


def changes(cycle: Cycle, form: str) -> np.ndarray:
    """MLMOC of every candidate from ridge regressions with and without it, no Schur complement (Thesis eqs. 2.12, 2.13)."""
    x = np.concatenate([cycle.inputs, cycle.candidates])
    full = jacobian(cycle, x)
    n, k, _ = full.shape
    with torch.no_grad():
        f = cycle.module(torch.from_numpy(x)).numpy()
    if form == "full":
        kernel = np.einsum("iop,jqp->iojq", full, full).reshape(n * k, n * k)
    else:
        one = full.sum(1) / np.sqrt(k) if form == "pseudo" else full[:, 0]
        kernel = np.kron(one @ one.T, np.eye(k))

    def fitted(known: list[int], y: np.ndarray) -> np.ndarray:
        rows = (np.array(known)[:, None] * k + np.arange(k)).ravel()
        square = kernel[np.ix_(rows, rows)] + cycle.rules.ridge * np.eye(len(rows))
        return f + (kernel[:, rows] @ np.linalg.solve(square, (y - f[known]).ravel())).reshape(n, k)

    first = list(range(LABELLED))
    before = fitted(first, cycle.targets)
    guess = np.sign(f) if k == 1 else np.eye(k)[f.argmax(1)]
    after = [fitted([*first, i], np.vstack([cycle.targets, guess[i]])) for i in range(LABELLED, n)]
    return np.array([np.linalg.norm((one - before)[LABELLED:], axis=1).sum() for one in after])


@pytest.mark.parametrize(("name", "form"), [("lookahead", "pseudo"), ("lookahead-first", "first"), ("lookahead-full", "full")])
def test_looking_ahead_is_the_regression_solved_anew(choice, name, form) -> None:
    """The scores are apart by more than either way's rounding, so the order must be the same."""
    cycle = choice(count=POOL)
    scores = changes(cycle, form)
    assert np.diff(np.sort(scores)).min() > 1e-9 * scores.max()
    np.testing.assert_array_equal(REGISTRY[name].choose(cycle), np.argsort(-scores))


def test_told_each_label_at_once_it_is_the_choice_of_the_next_from_one_label_more(choice) -> None:
    cycle = choice(Rules(RIDGE, "linear", "simplex", 12, True, "float64"))
    asked = REGISTRY["lookahead"].choose(cycle)
    state = cycle.look_ahead()
    for number in asked:
        place = int(state.change().argmax())
        assert state.pool[place] == number
        state = state.with_label(place, cycle.reveal(int(number)))
    assert REGISTRY["lookahead"].sequential and not REGISTRY["margin"].sequential


def test_the_last_layers_inputs_are_the_hidden_units(choice) -> None:
    cycle = choice()
    hidden = torch.relu(cycle.module[0](torch.from_numpy(cycle.candidates))).detach().numpy()
    np.testing.assert_allclose(cycle.h_pool, hidden, rtol=1e-12)
