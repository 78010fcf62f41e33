"""What is chosen on the reliability page."""

from ntkcore.permalink import RELIABILITY
from ntkcore.specs import InfluenceSpec, ReliabilityView
from pages.shared.choice import Choice, Link


def _same_rules(held: Choice[InfluenceSpec, ReliabilityView], spec: InfluenceSpec) -> ReliabilityView:
    """λ and the settings of the charts stay; chosen images belong to the data that they were chosen on."""
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return held.view
    return held.view.model_copy(update={"picked": (), "target": None})


LINK: Link[InfluenceSpec, ReliabilityView] = Link("reliability", RELIABILITY, _same_rules)
