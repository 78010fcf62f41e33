"""Predictions, errors and group means against loops."""

import numpy as np

from ntkcore.learnability import correctness, error_norms, group_accuracy, group_error, group_mean, predictions, split_groups


def test_one_output_decides_by_its_sign_and_zero_is_the_second_class():
    assert predictions(np.array([[-0.1], [0.0], [2.0]])).tolist() == [0, 1, 1]


def test_several_outputs_decide_by_the_largest():
    assert predictions(np.array([[0.1, 0.3, 0.2], [5.0, 1.0, 1.0]])).tolist() == [1, 0]
    assert predictions(np.zeros((4, 5, 2))).shape == (4, 5)
    assert predictions(np.zeros((5, 2))).dtype == np.int64


def test_curves_are_those_of_a_loop():
    generator = np.random.default_rng(0)
    for k in (1, 3):
        outputs, targets = generator.standard_normal((4, 30, k)), generator.standard_normal((30, k))
        labels = generator.integers(2 if k == 1 else k, size=30)
        groups = split_groups(generator.random(30), 20, 10)
        accuracy, error = group_accuracy(outputs, labels, groups), group_error(outputs.astype(np.float32), targets, groups)
        assert accuracy.shape == error.shape == (4, 3)
        for t in range(4):
            for g, members in enumerate(groups.members()):
                right = [(outputs[t, i, 0] >= 0) == labels[i] if k == 1 else outputs[t, i].argmax() == labels[i] for i in members]
                norms = [np.sqrt(((outputs[t, i] - targets[i]) ** 2).sum()) for i in members]
                assert accuracy[t, g] == np.mean(right)
                np.testing.assert_allclose(error[t, g], np.mean(norms), rtol=1e-6)  # the outputs were rounded to float32


def test_correctness_and_errors_of_one_epoch():
    outputs, targets = np.array([[1.0], [-2.0]]), np.array([[1.0], [1.0]])
    assert correctness(outputs, [1, 1]).tolist() == [True, False]
    assert error_norms(outputs, targets).tolist() == [0.0, 3.0]


def test_an_empty_group_has_no_mean():
    means = group_mean(np.ones((2, 4)), split_groups(np.arange(4), 0, 50))
    assert np.isnan(means[:, 0]).all()
    assert (means[:, 1:] == 1).all()
