"""Every strategy on a small choice, and looking ahead beside regressions that are solved anew for each candidate."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.active import LossTraining, predicted, train_loss_predictor
from ntkcore.analyses.active.cycle import Cycle, Rules
from ntkcore.analyses.active.peers import begin
from ntkcore.analyses.active.strategies import REGISTRY, Size
from ntkcore.architecture import Chain, Dense, Relu
from ntkcore.kernels import infinite_ntk
from ntkcore.models import evaluate, train
from ntkcore.specs import TrainingSpec
from ntkcore.specs.active import STRATEGIES

LABELLED, POOL, SIDE, RIDGE = 14, 25, 6, 0.3
RULES = Rules(RIDGE, "linear", "simplex", 12, False, "float64", 6, 5)

TRAINING = TrainingSpec(epochs=20, learning_rate=0.05, batch_size=4)


def layers(outputs: int) -> Chain:
    return Chain((Dense(9), Relu(), Dense(outputs)))


def network(outputs: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(SIDE, 9), nn.ReLU(), nn.Linear(9, outputs)).double().eval()


def trained(x: np.ndarray, y: np.ndarray) -> nn.Module:
    module = network(y.shape[1])
    for _ in train(module, x, y, TRAINING):
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
            training=TRAINING,
            judge=lambda one: float((predicted(evaluate(one, x[LABELLED:])) == classes[LABELLED:]).mean()),
            infinite=lambda given: infinite_ntk(layers(k), given),
            waiting=lambda: None,
            beside=begin(network(k), x[:LABELLED], y[:LABELLED], np.random.default_rng(0)),
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
    small, large = Size(10, 100, 5, 3, 20, 50, 8, 6), Size(20, 400, 10, 3, 20, 50, 8, 6)
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
    if form in ("infinite", "gp"):
        kernel, f = np.kron(infinite_ntk(layers(k), x), np.eye(k)), f * (form == "infinite")
    elif form == "full":
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
    taken = before if form == "gp" else f
    guess = np.sign(taken) if k == 1 else np.eye(k)[taken.argmax(1)]
    after = [fitted([*first, i], np.vstack([cycle.targets, guess[i]])) for i in range(LABELLED, n)]
    return np.array([np.linalg.norm((one - before)[LABELLED:], axis=1).sum() for one in after])


FORMS = [("lookahead", "pseudo"), ("lookahead-first", "first"), ("lookahead-full", "full"), ("infinite", "infinite"), ("gp", "gp")]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_looking_ahead_is_the_regression_solved_anew(choice, name, form) -> None:
    """The scores are apart by more than either way's rounding, so the order must be the same."""
    cycle = choice(count=POOL)
    scores = changes(cycle, form)
    assert np.diff(np.sort(scores)).min() > 1e-9 * scores.max()
    np.testing.assert_array_equal(REGISTRY[name].choose(cycle), np.argsort(-scores))


def test_told_each_label_at_once_it_is_the_choice_of_the_next_from_one_label_more(choice) -> None:
    cycle = choice(replace(RULES, sequential=True))
    asked = REGISTRY["lookahead"].choose(cycle)
    state = cycle.look_ahead()
    for number in asked:
        place = int(state.change().argmax())
        assert state.pool[place] == number
        state = state.with_label(place, cycle.reveal(int(number)))
    assert REGISTRY["lookahead"].sequential and not REGISTRY["margin"].sequential


def test_naive_retraining_is_a_training_with_each_drawn_candidate(choice) -> None:
    cycle, drawn = choice(), np.random.default_rng(0).permutation(POOL)[: RULES.drawn]
    k = cycle.targets.shape[1]
    outputs = evaluate(cycle.module, cycle.candidates)
    guess = np.where(outputs > 0, 1.0, -1.0) if k == 1 else np.eye(k)[outputs.argmax(1)]
    before = evaluate(trained(cycle.inputs, cycle.targets), cycle.candidates)
    np.testing.assert_array_equal(before, outputs)  # the same start, schedule and draws
    scores = []
    for i in drawn:
        after = trained(np.vstack([cycle.inputs, cycle.candidates[i][None]]), np.vstack([cycle.targets, guess[i]]))
        scores.append(np.linalg.norm(evaluate(after, cycle.candidates) - before, axis=1).sum())
    np.testing.assert_array_equal(REGISTRY["naive"].choose(cycle), drawn[np.argsort(-np.array(scores))][:4])


def test_the_oracle_is_the_best_of_random_batches_with_their_labels(choice) -> None:
    cycle, draws = choice(), np.random.default_rng(0)
    batches = [draws.permutation(POOL)[:4] for _ in range(RULES.batches)]
    right = []
    for batch in batches:
        targets = np.stack([cycle.reveal(int(i)) for i in batch])
        right.append(cycle.judge(trained(np.vstack([cycle.inputs, cycle.candidates[batch]]), np.vstack([cycle.targets, targets]))))
    np.testing.assert_array_equal(REGISTRY["oracle"].choose(cycle), batches[int(np.argmax(right))])


def test_one_step_is_that_of_the_training_on_each_candidate(choice) -> None:
    cycle, points = choice(), np.random.default_rng(0).permutation(POOL)[: RULES.points]
    x, before, scores = torch.from_numpy(cycle.candidates), evaluate(cycle.module, cycle.candidates)[points], []
    guess = np.where(cycle.f_pool > 0, 1.0, -1.0) if cycle.targets.shape[1] == 1 else np.eye(3)[cycle.f_pool.argmax(1)]
    for i in range(POOL):
        other = copy.deepcopy(cycle.module)
        for _ in train(other, x[[i]], guess[[i]], TrainingSpec(epochs=1, learning_rate=0.05, batch_size=1)):
            pass
        scores.append(np.linalg.norm(evaluate(other, cycle.candidates)[points] - before, axis=1).sum())
    np.testing.assert_array_equal(REGISTRY["step"].choose(cycle), np.argsort(-np.array(scores))[:4])


def test_predicted_losses_are_of_a_network_that_is_trained_beside_the_head(choice) -> None:
    cycle = choice()
    seed = int(np.random.default_rng(0).integers(2**31))
    start = network(cycle.targets.shape[1])
    found = train_loss_predictor(start, cycle.inputs, cycle.targets, LossTraining(20, 0.05, 4, TRAINING.momentum, seed=seed))
    np.testing.assert_array_equal(REGISTRY["loss-prediction"].choose(cycle), np.argsort(-found.losses(cycle.candidates))[:4])


def test_the_last_layers_inputs_are_the_hidden_units(choice) -> None:
    cycle = choice()
    hidden = torch.relu(cycle.module[0](torch.from_numpy(cycle.candidates))).detach().numpy()
    np.testing.assert_allclose(cycle.h_pool, hidden, rtol=1e-12)
