"""What each analysis shows in a report, and what its numbers mean, by its name; one that is not here shows its answer and its tables."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ntkcore.analyses.active.explain import explainer as of_active
from ntkcore.analyses.compare.explain import explainer as of_compare
from ntkcore.analyses.convergence.explain import explainer as of_convergence
from ntkcore.analyses.duplicates.explain import explainer as of_duplicates
from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.influence.explain import explainer as of_influence
from ntkcore.analyses.information.explain import explainer as of_information
from ntkcore.analyses.learnability.explain import explainer as of_learnability
from ntkcore.analyses.map.explain import explainer as of_map
from ntkcore.analyses.reliability.explain import explainer as of_reliability
from ntkcore.analyses.workspace import Workspace
from ntkcore.report.exhibits import active, compare, convergence, duplicates, influence, information, learnability, map, reliability
from ntkcore.report.parts import Exhibit


class Shown(NamedTuple):
    """What a page shows of a result in a view, and what its numbers mean."""

    exhibit: Callable[[Any, Any, Workspace], Exhibit]
    explainer: Callable[[Any], Explainer]


EXHIBITS: Mapping[str, Shown] = {
    "learnability": Shown(learnability.exhibit, of_learnability),
    "convergence": Shown(convergence.exhibit, of_convergence),
    "influence": Shown(influence.exhibit, of_influence),
    "compare": Shown(compare.exhibit, of_compare),
    "reliability": Shown(reliability.exhibit, of_reliability),
    "information": Shown(information.exhibit, of_information),
    "map": Shown(map.exhibit, of_map),
    "active": Shown(active.exhibit, of_active),
    "duplicates": Shown(duplicates.exhibit, of_duplicates),
}
