"""Every score from one factorisation is that of refitting for every candidate and every label."""

import lookahead_oracle as oracle
import numpy as np
import pytest
from soaked import soaked

from ntkcore.active import LookAhead, label_targets, simplex, softmax
from ntkcore.errors import ComputationError

SMALL = [(k, blocks) for k in (1, 3, 10) for blocks in (False, True)]
WHOLE = [(k, blocks, ridge) for k, blocks in SMALL for ridge in (0.0, 1e-6, 1.0)]


def require_scores(given: oracle.Problem, state: LookAhead) -> None:
    p = softmax(given.outputs[given.labelled :])
    expected = oracle.scores(given, p)
    found = {
        "change": state.change(),
        "printed": state.change(reference="network"),
        "expected_change": state.expected_change(p),
        "expected_printed": state.expected_change(p, reference="network"),
        "simplex_error": state.expected_error(p),
        "softmax_error": state.expected_error(p, of="softmax"),
    }
    for name, values in found.items():
        oracle.require_close(values, getattr(expected, name), expected.conditions)
    assert (np.abs(state.flips() - expected.flips) <= expected.ties).all()


def require_outputs(given: oracle.Problem, state: LookAhead) -> None:
    """f^lin of the pool, relative to the largest output: single ones may be as near 0 as they like."""
    expected, kappa = oracle.fitted(given)
    assert np.abs(state.outputs - expected[0]).max() <= oracle.tolerance(kappa) * np.abs(expected).max()


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize(("k", "blocks"), SMALL)
def test_scores_are_those_of_refitting(k: int, blocks: bool, ridge: float) -> None:
    given = oracle.problem(9, 8, k, blocks, ridge)
    require_scores(given, LookAhead(**given.arguments()))


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_scores_from_several_tiles_are_those_of_refitting(k: int, blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntkcore.active.schur._NUMBERS", 5 * 5 * 9)  # some of the tiles are ragged
    given = oracle.problem(9, 17, k, blocks, 1e-3)
    require_scores(given, LookAhead(**given.arguments()))


@pytest.mark.soak
@pytest.mark.parametrize(("k", "blocks", "ridge"), WHOLE)
def test_scores_of_a_whole_pool_are_those_of_refitting(k: int, blocks: bool, ridge: float) -> None:
    given = oracle.problem(100, 300, k, blocks, ridge)
    state = LookAhead(**given.arguments())
    require_scores(given, state)
    require_outputs(given, state)


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_scores_where_the_kernel_is_nearly_singular(k: int, blocks: bool, ridge: float) -> None:
    """At λ = 0 the condition is 1e10 and more, and the tolerance what it leaves."""
    given = oracle.problem(8, 8, k, blocks, ridge, smooth=True, seed=1)
    require_scores(given, LookAhead(**given.arguments()))


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize(("k", "blocks"), SMALL)
@pytest.mark.parametrize(("labelled", "pooled", "steps"), soaked([(9, 12, 4), (100, 300, 20)], (9, 12, 4)))
def test_labels_one_after_another_are_a_refit(labelled: int, pooled: int, steps: int, k: int, blocks: bool, ridge: float) -> None:
    """The state after some labels has the outputs, scores and predictions of a state made anew with them."""
    given = oracle.problem(labelled, pooled, k, blocks, ridge)
    generator = np.random.default_rng(3)
    asked = generator.permutation(pooled)[:steps]
    targets = oracle.codes(k)[generator.integers(0, max(k, 2), steps)]
    state = LookAhead(**given.arguments())
    for candidate, target in zip(asked, targets, strict=True):
        state = state.with_label(int(np.flatnonzero(state.pool == candidate)[0]), target)
    after = given.asked(asked, targets)
    np.testing.assert_array_equal(state.pool, np.setdiff1d(np.arange(pooled), asked))
    require_outputs(after, state)
    if pooled < 100:
        require_scores(after, state)
    else:
        anew, p = LookAhead(**after.arguments()), simplex(after.outputs[after.labelled :])
        kappa = np.full(after.pooled, oracle.fitted(after)[1])
        oracle.require_close(state.change(), anew.change(), kappa)
        oracle.require_close(state.expected_change(p), anew.expected_change(p), kappa)
        oracle.require_close(state.expected_error(p), anew.expected_error(p), kappa)
    predicted = state.predict(after.kernel[after.labelled :][:, : after.labelled], after.outputs[after.labelled :])
    np.testing.assert_allclose(predicted, state.outputs, rtol=0, atol=oracle.tolerance(oracle.fitted(after)[1]) * np.abs(predicted).max())


@pytest.mark.parametrize("function", [False, True])
@pytest.mark.parametrize(("k", "blocks"), SMALL)
def test_rows_that_labels_added_enter_the_kernel(k: int, blocks: bool, function: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state whose kernel was written anew twice, and a row more, is that of refitting; those before it stay what they were."""
    monkeypatch.setattr("ntkcore.active.schur._BESIDE", 2)
    given = oracle.problem(9, 12, k, blocks, 1e-6)
    arguments, asked, targets = given.arguments(), np.array([7, 0, 11, 3, 4]), oracle.codes(k)[[0, 1, 1, 0, 1]]
    if function:
        kernel = arguments["k_pool"]
        arguments["k_pool"] = lambda rows, columns: kernel[np.ix_(rows, columns)]
    states = [LookAhead(**arguments)]
    for candidate, target in zip(asked, targets, strict=True):
        states.append(states[-1].with_label(int(np.flatnonzero(states[-1].pool == candidate)[0]), target))
    for count, state in enumerate(states):
        after = given.asked(asked[:count], targets[:count])
        require_outputs(after, state)
        require_scores(after, state)


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_what_a_label_moves(k: int, blocks: bool) -> None:
    given = oracle.problem(9, 8, k, blocks, 1e-3)
    state, now = LookAhead(**given.arguments()), oracle.fitted(given)[0][0]
    for i, target in ((0, oracle.codes(k)[0]), (7, oracle.codes(k)[1])):
        after = oracle.fitted(given, i, target[None])[0][0]
        np.testing.assert_allclose(state.moved(i, target), after - now, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_given_labels(k: int, blocks: bool) -> None:
    """±1 where k = 1, else the class; each candidate its own."""
    given = oracle.problem(9, 8, k, blocks, 1e-3)
    state = LookAhead(**given.arguments())
    chosen = np.random.default_rng(5).integers(0, max(k, 2), 8)
    labels = 2 * chosen - 1 if k == 1 else chosen
    now = oracle.fitted(given)[0][0]
    after = np.stack([oracle.fitted(given, i, oracle.codes(k)[[c]])[0][0] for i, c in enumerate(chosen)])
    np.testing.assert_allclose(state.change(labels), np.linalg.norm(after - now, axis=2).sum(1), rtol=1e-9)
    np.testing.assert_array_equal(state.flips(labels), (oracle.classes(after) != oracle.classes(now)).sum(1))
    for bad in (np.full(8, max(k, 2)), np.full(8, 0.5), np.zeros(7, dtype=int)):
        with pytest.raises(ValueError, match="labels"):
            state.change(bad)


def test_centred_targets() -> None:
    """With one-hot targets less 1/k and outputs less 1/k the regression is the same, and so is every score."""
    given = oracle.problem(9, 8, 4, False, 1e-3)
    arguments = given.arguments()
    plain = LookAhead(**arguments)
    for name in ("targets", "f_labelled", "f_pool"):
        arguments[name] = arguments[name] - 1 / 4
    centred = LookAhead(**arguments, coding="centred")
    p = softmax(given.outputs[9:])
    np.testing.assert_allclose(centred.change(), plain.change(), rtol=1e-10)
    np.testing.assert_allclose(centred.expected_change(p), plain.expected_change(p), rtol=1e-10)
    np.testing.assert_allclose(centred.expected_error(p), plain.expected_error(p), rtol=1e-9)
    np.testing.assert_allclose(label_targets([2, 0], 4, "centred"), np.eye(4)[[2, 0]] - 1 / 4)


def test_mean_entropy_on_some_points() -> None:
    given = oracle.problem(9, 8, 3, False, 1e-3)
    state, p = LookAhead(**given.arguments()), np.full((8, 3), 1 / 3)
    parts = state.expected_error(p, points=[0, 1, 5]) + state.expected_error(p, points=[2, 3, 4, 6, 7])
    np.testing.assert_allclose(parts, state.expected_error(p), rtol=1e-12)


class Recorded:
    """A kernel as a function, which remembers the largest tile that it was asked for."""

    def __init__(self, x: np.ndarray, k: int = 0) -> None:
        self.x, self.largest, self.mixed = x, 0, np.eye(k) + 0.3 if k else None

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        tile = self.x[rows] @ self.x[columns].T
        found = tile if self.mixed is None else tile[:, :, None, None] * self.mixed
        self.largest = max(self.largest, found.size)
        return found


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_a_function_gives_what_the_array_gives(k: int, blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntkcore.active.schur._NUMBERS", 7 * 7 * 9)  # several tiles, some of them ragged
    given = oracle.problem(9, 31, k, blocks, 1e-3)
    arguments = given.arguments()
    p, values = softmax(given.outputs[9:]), arguments["k_pool"]
    held = LookAhead(**arguments)
    tiled = LookAhead(**arguments | {"k_pool": lambda rows, columns: values[np.ix_(rows, columns)]})
    for _ in range(3):
        np.testing.assert_allclose(tiled.outputs, held.outputs, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(tiled.change(), held.change(), rtol=1e-10)
        np.testing.assert_allclose(tiled.change(reference="network"), held.change(reference="network"), rtol=1e-10)
        np.testing.assert_allclose(tiled.expected_change(p), held.expected_change(p), rtol=1e-10)
        np.testing.assert_allclose(tiled.expected_error(p), held.expected_error(p), rtol=1e-9)
        np.testing.assert_array_equal(tiled.flips(), held.flips())
        target = oracle.codes(k)[0]
        np.testing.assert_allclose(tiled.moved(4, target), held.moved(4, target), rtol=1e-9, atol=1e-12)
        held, tiled, p = held.with_label(4, target, held.ahead(4)), tiled.with_label(4, target), np.delete(p, 4, 0)


@pytest.mark.parametrize(("u", "k"), soaked([(6_000, 0), (50_000, 0), (2_000, 3)], (6_000, 0), (2_000, 3)))
def test_a_large_pool_is_bounded_by_the_tile(u: int, k: int) -> None:
    from ntkcore.kernels.matrices import BLOCK

    x = np.random.default_rng(0).standard_normal((u + 20, 5))
    function = Recorded(x[20:], k)
    labelled = Recorded(x, k)
    first, rest = np.arange(20), np.arange(20, u + 20)
    f = np.random.default_rng(1).standard_normal((u + 20, k or 2))
    targets = np.eye(k or 2)[np.arange(20) % 2]
    state = LookAhead(labelled(first, first), labelled(rest, first), function, f[:20], f[20:], targets, 0.1)
    state = state.with_label(int(state.change().argmax()), targets[0])
    assert state.change().shape == (u - 1,)
    assert 0 < function.largest <= BLOCK


@pytest.mark.parametrize("blocks", [False, True])
def test_a_repeated_image_moves_nothing_at_zero_ridge(blocks: bool) -> None:
    """The limit of small λ: S(x', x') = 0 makes S(·, x') = 0, by Cauchy and Schwarz."""
    given = oracle.problem(9, 8, 3, blocks, 0.0)
    order = np.r_[:9, 4, 9:17]  # the first of the pool is a labelled one again
    given = oracle.Problem(given.kernel[np.ix_(order, order)], given.outputs[order], given.targets, 0.0)
    state = LookAhead(**given.arguments())
    np.testing.assert_array_equal(state.repeats, [True] + [False] * 8)
    assert state.change()[0] == 0 and state.flips()[0] == 0 and (state.change()[1:] > 0).all()
    after = state.with_label(0, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(after.outputs, state.outputs[1:])
    np.testing.assert_allclose(after.change(), state.change()[1:], rtol=1e-9)
    kernel = given.kernel[10:][:, list(range(10))]
    np.testing.assert_allclose(after.predict(kernel, given.outputs[10:]), after.outputs, rtol=1e-9, atol=1e-9)
    almost = LookAhead(**given.arguments() | {"ridge": 1e-9})
    np.testing.assert_allclose(almost.change()[1:], state.change()[1:], rtol=1e-5)


def test_everything_labelled_leaves_an_empty_pool() -> None:
    given = oracle.problem(5, 2, 3, False, 0.1)
    state = LookAhead(**given.arguments())
    for _ in range(2):
        state = state.with_label(0, np.array([1.0, 0, 0]))
    assert state.change().shape == state.flips().shape == (0,)
    with pytest.raises(ValueError, match="candidate"):
        state.with_label(0, np.array([1.0, 0, 0]))


def test_arguments_are_checked() -> None:
    given = oracle.problem(5, 4, 3, False, 0.1)
    arguments = given.arguments()
    wrong = {
        "k_pool_labelled": np.ones((4, 4)),
        "k_pool": np.ones((4, 5)),
        "f_pool": np.ones((3, 3)),
        "f_labelled": np.ones((5, 2)),
        "targets": np.ones((4, 3)),
        "ridge": -1.0,
        "coding": "binary",
    }
    for name, value in wrong.items():
        with pytest.raises(ValueError, match=name):
            LookAhead(**arguments | {name: value})
    state = LookAhead(**arguments)
    for p in (np.ones((4, 3)), np.full((4, 2), 0.5), np.array([[1.5, -0.5, 0.0]] * 4)):
        with pytest.raises(ValueError, match="p:"):
            state.expected_change(p)
    for i in (-1, 4):
        with pytest.raises(ValueError, match="candidate"):
            state.with_label(i, np.zeros(3))
    with pytest.raises(ValueError, match="target"):
        state.with_label(0, np.zeros(2))
    with pytest.raises(ValueError, match="reference"):
        state.change(reference="none")
    with pytest.raises(ValueError, match="of:"):
        state.expected_error(np.full((4, 3), 1 / 3), of="none")


def test_what_cannot_be_answered_says_what_to_do() -> None:
    given = oracle.problem(5, 4, 3, False, 0.0)
    twice = given.kernel[np.ix_(*[[0, 0, 1, 2, 3]] * 2)]
    with pytest.raises(ComputationError, match="Choose λ"):
        LookAhead(**given.arguments() | {"k_labelled": twice})
    broken = given.arguments()["k_pool"].copy()
    broken[0, 1] = np.nan
    with pytest.raises(ComputationError, match="NaN"):
        LookAhead(**given.arguments() | {"k_pool": broken})
    with pytest.raises(ComputationError, match="NaN"):
        LookAhead(**given.arguments() | {"k_pool": lambda rows, columns: broken[np.ix_(rows, columns)]}).change()


def test_it_can_be_given_up() -> None:
    class Enough(Exception):
        pass

    def waiting() -> None:
        raise Enough

    with pytest.raises(Enough):
        LookAhead(**oracle.problem(5, 4, 3, False, 0.1).arguments(), waiting=waiting)
