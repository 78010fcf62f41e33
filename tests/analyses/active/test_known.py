"""F-SI of a study's images is that of the Information page, where it has computed the same network's kernel on the same images."""

import numpy as np
from active_study import small
from recording import Recording

from ntkcore.analyses.active.known import unique_information
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.information import functional_information
from ntkcore.specs.influence import InfluenceSpec


def test_it_is_known_for_the_network_of_the_repeat_alone(cache):
    ws, spec = Workspace(cache), small()
    study = Pieces(spec, "key", {}, "2026-01-01T00:00:00+00:00", 1.0, "cpu")
    assert unique_information(study, 3, 1, ws) is None
    model = spec.model.model_copy(update={"seed": spec.model.seed + 1})
    asked = InfluenceSpec(dataset=spec.dataset, test=20, kernel="pseudo", model=model)
    INFLUENCE.compute(asked, ws, Recording())
    result = INFLUENCE.open(asked, ws)
    values = functional_information(result.regression.with_ridge(1e-2), result.k_test)
    found = unique_information(study, 3, 1, ws)
    np.testing.assert_allclose([found.value, found.below], [values[3], np.mean(values < values[3])], rtol=1e-9)
    assert found.ridge == 1e-2 and unique_information(study, 3, 0, ws) is None
