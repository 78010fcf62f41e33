"""Leading principal coordinates, for which a density estimate is that on the data."""

import numpy as np
import pytest

from ntkcore.errors import DataError
from ntkcore.influence import kde_density
from ntkcore.influence.projection import principal_coordinates


@pytest.mark.parametrize(("n", "d"), [(80, 300), (300, 80), (30, 5)])
def test_a_density_on_the_coordinates_is_that_on_the_data(n: int, d: int) -> None:
    x = np.random.default_rng(2).standard_normal((n, d)) @ np.random.default_rng(3).standard_normal((d, d))
    found, shares = principal_coordinates(x, 10)
    for dimension in (1, 4, min(10, d)):
        expected = kde_density(x, dimension, "silverman")
        given = kde_density(found[:, :dimension], dimension, "silverman")
        np.testing.assert_allclose(given.log_density, expected.log_density, rtol=1e-10)
        assert given.bandwidth == pytest.approx(expected.bandwidth, rel=1e-12)
        assert shares[dimension - 1] == pytest.approx(expected.explained, rel=1e-10)
    np.testing.assert_array_equal(principal_coordinates(x, 10)[0], found)


def test_what_has_no_coordinates_is_refused() -> None:
    for x in (np.ones((5, 3)), np.ones((1, 3)), np.full((4, 2), np.nan)):
        with pytest.raises(DataError):
            principal_coordinates(x, 2)
    found, _ = principal_coordinates(np.outer(np.arange(6.0), np.ones(4)), 3)
    assert found.shape == (6, 1)  # on a line
