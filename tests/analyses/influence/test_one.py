"""The kernel's neighbours, against the kernel itself."""

import numpy as np
from influence_oracle import each

from ntkcore.analyses.influence import one


@each
def test_neighbours_have_the_largest_cosine(made, name):
    _, result, kernel, _ = made(name)
    traced, test = (np.trace(k, axis1=2, axis2=3) if k.ndim == 4 else k for k in (kernel, result.k_test))
    cosine = traced / np.sqrt(np.outer(np.diag(traced), np.diag(traced)))
    np.fill_diagonal(cosine, -1)
    for image in range(len(kernel)):
        found = one.neighbours(result, image, 5)
        assert image not in found and len(set(found.tolist())) == 5
        np.testing.assert_allclose(cosine[image, found], -np.sort(-cosine[image])[:5], rtol=1e-9)
    assert sorted(one.neighbours(result, 0, 99).tolist()) == list(range(1, len(kernel)))
    for image in range(7):
        near = test[image] / np.sqrt(np.diag(traced))
        np.testing.assert_allclose(near[one.neighbours_held(result, image, 4)], -np.sort(-near)[:4], rtol=1e-9)
