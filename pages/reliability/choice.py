"""What is chosen on the reliability page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView
from pages.shared.choice import Choice, Link


def _same_rules(held: Choice[InfluenceSpec, ReliabilityView], spec: InfluenceSpec) -> ReliabilityView:
    """λ and the settings of the charts stay; chosen images belong to the data that they were chosen on."""
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return held.view
    return held.view.model_copy(update={"picked": (), "target": None})


LINK: Link[InfluenceSpec, ReliabilityView] = Link("reliability", ADDRESSES["reliability"], _same_rules)
