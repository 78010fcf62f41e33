"""The strategies beside scikit-activeml, on the same probabilities, features and draws, and beside their definitions."""

from functools import partial

import lookahead_oracle as oracle
import numpy as np
import pytest
from numpy.typing import NDArray
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Badge, CoreSet, MaxHerding, UncertaintySampling
from skactiveml.utils import check_random_state

from ntkcore.active import (
    LookAhead,
    at_random,
    badge,
    calibrated_temperature,
    core_set,
    entropy,
    herding,
    highest,
    least_confident,
    margin,
    max_herding,
    normalised_kernel,
    one_by_one,
    raw_gap,
    simplex,
    smallest_distance,
    softmax,
    unsure_weights,
)
from ntkcore.errors import DataError

SIZE, LABELLED, CLASSES = 60, 8, 5


class Known(SkactivemlClassifier):
    """Says the probabilities that it was given, to whoever asks for the unlabelled samples."""

    def __init__(self, p: NDArray | None = None, classes=None, missing_label=np.nan, cost_matrix=None, random_state=None) -> None:
        super().__init__(classes, missing_label, cost_matrix, random_state)
        self.p = p

    def fit(self, X, y, sample_weight=None):
        return self

    def predict_proba(self, X):
        return self.p


def drawn(seed: int = 0) -> tuple[NDArray, NDArray, NDArray]:
    """Probabilities (60, 5) and features (60, 7) of the pool, features (8, 7) of the labelled."""
    generator = np.random.default_rng(seed)
    p = softmax(2 * generator.standard_normal((SIZE, CLASSES)))
    return p, generator.standard_normal((SIZE, 7)), generator.standard_normal((LABELLED, 7))


def asked(strategy, count: int, h: NDArray, h_labelled: NDArray, p: NDArray | None = None) -> NDArray:
    """What the peer asks for, as numbers within the pool, which comes first."""
    x = np.concatenate([h, h_labelled])
    y = np.r_[np.full(len(h), np.nan), np.arange(len(h_labelled)) % CLASSES]
    known = {} if p is None else {"clf": Known(p, classes=range(CLASSES)), "fit_clf": False}
    return np.asarray(strategy.query(x, y, batch_size=count, **known))


@pytest.mark.parametrize("seed", range(3))
def test_uncertainty_is_the_peers(seed: int) -> None:
    p, h, h_labelled = drawn(seed)
    for method, scores in (("entropy", entropy(p)), ("least_confident", least_confident(p)), ("margin_sampling", -margin(p))):
        theirs = asked(UncertaintySampling(method=method, random_state=0), 10, h, h_labelled, p)
        np.testing.assert_array_equal(highest(scores, 10), theirs)


@pytest.mark.parametrize("seed", range(5))
def test_badge_is_the_peers(seed: int) -> None:
    """Where no gradient is nearer to 0 than to another: the peer counts 0 as chosen, which the definition does not."""
    generator = np.random.default_rng(seed)
    p = softmax(0.01 * generator.standard_normal((SIZE, CLASSES)) + 0.3 * (np.arange(CLASSES) == 2))
    h = 30 + generator.standard_normal((SIZE, 7))
    gradients = ((p - np.eye(CLASSES)[p.argmax(1)])[:, :, None] * h[:, None, :]).reshape(SIZE, -1)
    squared = np.square(gradients[:, None] - gradients).sum(2)
    assert squared.max() < np.square(gradients).sum(1).min()
    peer = check_random_state(seed, SIZE + 1)  # as the peer seeds itself anew: by the number of samples without a label
    np.testing.assert_array_equal(badge(p, h, 12, peer), asked(Badge(random_state=seed), 12, h, np.zeros((0, 7)), p))


@pytest.mark.parametrize("seed", range(3))
def test_badge_is_its_definition(seed: int) -> None:
    """With the gradients formed, and the same draws."""
    p, h, _ = drawn(seed)
    gradients = ((p - np.eye(CLASSES)[p.argmax(1)])[:, :, None] * h[:, None, :]).reshape(SIZE, -1)
    generator, chosen = np.random.default_rng(seed), [int(np.square(gradients).sum(1).argmax())]
    while len(chosen) < 15:
        nearest = np.square(gradients[:, None] - gradients[chosen]).sum(2).min(1)
        chosen.append(int(np.searchsorted(np.cumsum(nearest) / nearest.sum(), generator.random(), side="right")))
    np.testing.assert_array_equal(badge(p, h, 15, np.random.default_rng(seed)), chosen)


def test_badge_where_all_gradients_are_alike() -> None:
    found = badge(np.full((6, 2), 0.5), np.ones((6, 3)), 6, np.random.default_rng(0))
    assert sorted(found) == list(range(6))


@pytest.mark.parametrize("seed", range(3))
def test_core_set_is_the_peers(seed: int) -> None:
    _, h, h_labelled = drawn(seed)
    np.testing.assert_array_equal(core_set(h, h_labelled, 12), asked(CoreSet(random_state=0), 12, h, h_labelled))


def test_core_set_never_asks_twice() -> None:
    assert sorted(core_set(np.ones((4, 2)), np.ones((1, 2)), 4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labelled", [LABELLED, 0])
def test_max_herding_is_the_peers(seed: int, labelled: int) -> None:
    """Each choice is one of the best by the peer's count: two samples that cover only each other are equally good."""
    _, h, h_labelled = drawn(seed)
    peer = MaxHerding(metric_dict={"gamma": 0.5}, random_state=0)
    x = np.concatenate([h, h_labelled[:labelled]])
    y = np.r_[np.full(SIZE, np.nan), np.zeros(labelled)]
    for chosen in max_herding(h, h_labelled[:labelled], 12):
        (worth,) = peer.query(x, y, return_utilities=True)[1]
        assert worth[chosen] >= np.nanmax(worth) * (1 - 1e-12)
        y[chosen] = 0


def test_max_herding_never_asks_twice() -> None:
    """Of samples that lie where others do only one covers anything: the rest are equally useless, those chosen included."""
    h = np.repeat(drawn()[1][:5], 6, axis=0)
    assert sorted(max_herding(h, h[:1], len(h)).tolist()) == list(range(len(h)))


@pytest.mark.parametrize("seed", range(3))
def test_uherding_is_its_definition(seed: int) -> None:
    _, h, h_labelled = drawn(seed)
    outputs = np.random.default_rng(seed).standard_normal((SIZE, CLASSES))
    weights, width = unsure_weights(outputs, 0.5), smallest_distance(h_labelled)
    unit, first = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (h, h_labelled))
    kappa, other = (np.exp(-np.square(unit[:, None] - x).sum(2) / (2 * width**2)) for x in (unit, first))
    np.testing.assert_array_equal(max_herding(h, h_labelled, 10, width, weights), greedy(kappa, other.max(1), weights, 10))
    top = np.sort(softmax(2 * outputs), 1)[:, ::-1]
    np.testing.assert_allclose(weights, 1 - top[:, 0] + top[:, 1], rtol=1e-12)


@pytest.mark.parametrize("k", [0, 3])
def test_herding_by_a_normalised_kernel(k: int) -> None:
    """Also with similarities below 0, and in several pieces."""
    kernel = oracle.problem(4, 30, max(k, 2), k > 0, 0.0).kernel
    diagonal = np.einsum("ii->i", kernel) if not k else np.einsum("iioo->i", kernel) / k
    kappa = normalised_kernel(kernel, diagonal, diagonal)
    np.testing.assert_allclose(np.diagonal(kappa), 1)
    covered = kappa[4:, :4].max(1)
    pool = kappa[4:, 4:]
    found = herding(lambda rows, columns: pool[np.ix_(rows, columns)], covered, 30)
    np.testing.assert_array_equal(found, greedy(pool, covered, np.ones(30), 30))


def greedy(kappa: NDArray, covered: NDArray, weights: NDArray, count: int) -> list[int]:
    """Every candidate's worth anew at every step."""
    chosen: list[int] = []
    for _ in range(count):
        worth = weights @ np.maximum(kappa - covered[:, None], 0)
        worth[chosen] = -np.inf
        chosen.append(int(np.flatnonzero(worth >= worth.max() - 1e-12 * abs(worth.max()))[0]))
        covered = np.maximum(covered, kappa[:, chosen[-1]])
    return chosen


def test_the_temperature_is_that_of_the_outputs() -> None:
    """Labels drawn from softmax(f / 0.4): of 20,000 of them the estimate's standard error is below 0.01."""
    generator = np.random.default_rng(0)
    for k in (1, 4):
        f = generator.standard_normal((20_000, k))
        p = softmax(f / 0.4)
        classes = (generator.random((len(p), 1)) > p.cumsum(1)).sum(1)
        labels = 2 * classes - 1 if k == 1 else classes
        assert abs(calibrated_temperature(f, labels) - 0.4) < 0.03


@pytest.mark.parametrize("blocks", [False, True])
def test_one_by_one_is_a_refit_after_each_label(blocks: bool) -> None:
    given = oracle.problem(9, 12, 3, blocks, 1e-3)
    truth = oracle.codes(3)[np.random.default_rng(4).integers(0, 3, 12)]
    found, state = one_by_one(LookAhead(**given.arguments()), LookAhead.change, lambda i: truth[i], 5)
    chosen: list[int] = []
    for _ in range(5):
        now = given.asked(chosen, truth[chosen])
        rest = np.setdiff1d(np.arange(12), chosen)
        scores = oracle.scores(now, simplex(now.outputs[now.labelled :])).change
        chosen.append(int(rest[scores.argmax()]))
    np.testing.assert_array_equal(found, chosen)
    np.testing.assert_array_equal(state.pool, np.setdiff1d(np.arange(12), chosen))


def test_highest_scores_and_their_ties() -> None:
    np.testing.assert_array_equal(highest([1, 3, 2, 3], 3), [1, 3, 2])
    np.testing.assert_array_equal(highest([1, 3, 2, 3], 3, ties=[0, 5, 0, 4]), [3, 1, 2])
    outputs = np.array([[2.0, 0.0], [1.5, 0.0], [3.0, 0.0]])  # all surely the first class, once projected
    assert (margin(simplex(outputs)) == 1).all()
    np.testing.assert_array_equal(highest(-margin(simplex(outputs)), 3, raw_gap(outputs)), [1, 0, 2])


def test_random_draws() -> None:
    found = at_random(20, 20, np.random.default_rng(0))
    assert sorted(found) == list(range(20))
    np.testing.assert_array_equal(at_random(20, 7, np.random.default_rng(0)), found[:7])


def test_a_pool_smaller_than_the_query_is_refused() -> None:
    p, h, h_labelled = drawn()
    given = oracle.problem(4, 5, 3, False, 0.1)
    state = LookAhead(**given.arguments())
    for choose, size in (
        (partial(at_random, SIZE, generator=np.random.default_rng(0)), SIZE),
        (partial(highest, entropy(p)), SIZE),
        (partial(badge, p, h, generator=np.random.default_rng(0)), SIZE),
        (partial(core_set, h, h_labelled), SIZE),
        (partial(max_herding, h, h_labelled), SIZE),
        (partial(one_by_one, state, LookAhead.change, lambda i: np.eye(3)[0]), 5),
    ):
        with pytest.raises(DataError, match=rf"{size} samples left, fewer than the {size + 1}"):
            choose(count=size + 1)
        with pytest.raises(DataError, match="at least 1"):
            choose(count=0)


def test_arguments_are_checked() -> None:
    p, h, h_labelled = drawn()
    for bad in (np.ones((3, 2)), np.ones((3, 1)), np.array([[1.2, -0.2]])):
        with pytest.raises(ValueError, match="p:"):
            entropy(bad)
    with pytest.raises(ValueError, match="h:"):
        badge(p, h[:-1], 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="h_labelled"):
        core_set(h, h_labelled[:0], 2)
    with pytest.raises(ValueError, match="width"):
        max_herding(h, h_labelled, 2, 0.0)
    with pytest.raises(ValueError, match="temperature"):
        unsure_weights(h, 0.0)
    with pytest.raises(ValueError, match="differ"):
        smallest_distance(np.ones((3, 2)))
    with pytest.raises(ValueError, match="weights"):
        herding(lambda rows, columns: np.ones((len(rows), len(columns))), np.zeros(3), 1, -np.ones(3))
    with pytest.raises(ValueError, match="rows, columns"):
        normalised_kernel(np.ones((2, 2)), [1.0, 0.0], [1.0, 1.0])
