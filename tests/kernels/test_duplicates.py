"""Parallel gradients are found by brute force, too; what makes a kernel singular two by two is named."""

import itertools

import numpy as np
import pytest

from ntkcore.kernels import duplicates
from ntkcore.kernels.doctor import KernelDoctor, examine
from ntkcore.kernels.duplicates import dependent_pairs, groups_of, parallel_pairs, silent


def gradients(k=None, seed=0):
    """Of nine samples: 4 is 1 again, 7 is twice 1, 8 is 2 again, 5 is without any."""
    shape = (9, 40) if k is None else (9, k, 40)
    made = np.random.default_rng(seed).standard_normal(shape)
    made[4], made[7], made[8], made[5] = made[1], 2 * made[1], made[2], 0
    return made


def kernel_of(jacobian):
    return jacobian @ jacobian.T if jacobian.ndim == 2 else np.einsum("iop,jqp->ijoq", jacobian, jacobian)


@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("block", [2**22, 40])
def test_pairs_are_those_of_brute_force(k, block, monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", block)  # several tiles
    jacobian = gradients(k)
    flat = jacobian.reshape(9, -1)
    own = np.linalg.norm(flat, axis=1)
    for cosine in (0.2, 0.999):
        expected = [
            (i, j) for i, j in itertools.combinations(range(9), 2) if own[i] * own[j] > 0 and flat[i] @ flat[j] >= cosine * own[i] * own[j]
        ]
        assert sorted(map(tuple, parallel_pairs(kernel_of(jacobian), cosine).tolist())) == expected
    found = dependent_pairs(kernel_of(jacobian), 1e-10)
    assert sorted(map(tuple, found.tolist())) == [(1, 4), (1, 7), (2, 8), (4, 7)]
    assert groups_of(found, 9) == ((1, 4, 7), (2, 8)) and silent(kernel_of(jacobian), 1e-10).tolist() == [5]
    with pytest.raises(ValueError, match="cosine"):
        parallel_pairs(kernel_of(jacobian), 0.0)


def test_nothing_is_found_among_samples_that_differ():
    made = np.random.default_rng(1).standard_normal((6, 40))
    assert not len(dependent_pairs(made @ made.T, 1e-10)) and groups_of(np.empty((0, 2), dtype=int), 6) == ()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [None, 2])
def test_the_doctor_names_what_makes_a_kernel_singular(k, dtype):
    found = examine(kernel_of(gradients(k)).astype(dtype))
    assert found.copies == ((1, 4, 7), (2, 8)) and found.silent == (5,) and found.sound
    (said,) = found.findings
    assert "no output reacts to any weight on image 5" in said and "images 1, 4 and 7; images 2 and 8: leave out all but one" in said
    assert KernelDoctor.from_json(found.to_json()) == found
    before = {name: value for name, value in found.to_json().items() if name not in ("copies", "silent")}
    assert "images may be duplicates" in KernelDoctor.from_json(before).findings[0]  # stored by an earlier version


def test_the_doctor_says_where_no_two_samples_are_to_blame():
    made = np.random.default_rng(1).standard_normal((6, 3))  # six samples, three weights
    assert "no two images are the same" in examine(made @ made.T).findings[0]
    assert examine(kernel_of(gradients()[:3])).copies is None


def test_many_copies_are_counted():
    made = np.random.default_rng(1).standard_normal((30, 60))[np.arange(180) % 30]
    (said,) = examine(made @ made.T).findings
    assert "images 0, 30, 60, 90 and 2 more; images 1, 31," in said and "and 26 more groups" in said
