"""Kernels as matrices: the order (sample, output), symmetric parts, pieces."""

import numpy as np
import pytest

from ntkcore.errors import ComputationError
from ntkcore.kernels import matrices
from ntkcore.kernels.matrices import checked_kernel, checked_square, flat, row_blocks, symmetrised


def test_the_row_of_sample_i_and_output_o_is_i_k_plus_o():
    kernel = np.random.default_rng(0).standard_normal((3, 4, 2, 2))
    matrix = flat(kernel)
    assert matrix.shape == (6, 8)
    for (i, j, o, p), value in np.ndenumerate(kernel):
        assert matrix[i * 2 + o, j * 2 + p] == value
    y = np.arange(8.0).reshape(4, 2)
    np.testing.assert_allclose((matrix @ y.ravel()).reshape(3, 2), np.einsum("ijop,jp->io", kernel, y))
    assert flat(kernel[:, :, 0, 0]).shape == (3, 4)


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("k", [1, 3])
def test_the_symmetric_part(k, pieces, monkeypatch):
    if pieces:
        monkeypatch.setattr(matrices, "BLOCK", 30)
        monkeypatch.setattr(matrices, "_TILE", 4)
    kernel = np.random.default_rng(1).standard_normal((5, 5, k, k)).astype(np.float32)
    matrix = flat(kernel.astype(np.float64))
    found = symmetrised(kernel)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, matrix / 2 + matrix.T / 2)
    again = np.full_like(found, np.nan)
    assert symmetrised(kernel, again) is again
    np.testing.assert_array_equal(again, found)
    np.testing.assert_array_equal(symmetrised(found), found)


def test_blocks_cover_the_rows_and_are_copies(monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK", 9)
    kernel = np.arange(20.0).reshape(5, 4)
    seen = list(row_blocks(kernel))
    assert [(rows.start, rows.stop) for rows, _ in seen] == [(0, 2), (2, 4), (4, 5)]
    np.testing.assert_array_equal(np.concatenate([block for _, block in seen]), kernel)
    seen[0][1][:] = -1.0
    assert kernel[0, 0] == 0.0
    assert list(row_blocks(np.empty((0, 4)))) == []


def test_wrong_shapes_and_values():
    for shape in [(3,), (2, 2, 2), (2, 2, 2, 3), (0, 0)]:
        with pytest.raises(ValueError, match="theta: expected shape"):
            checked_kernel(np.zeros(shape), "theta")
    with pytest.raises(ValueError, match="as many columns"):
        checked_square(np.zeros((2, 3)))
    for bad in (np.nan, np.inf):
        with pytest.raises(ComputationError, match="NaN or infinite"):
            symmetrised(np.array([[1.0, bad], [0.0, 1.0]]))
