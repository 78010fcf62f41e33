"""What is chosen on the reliability page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView
from pages.shared.choice import Choice, Link


def _same_rules(held: Choice[InfluenceSpec, ReliabilityView], spec: InfluenceSpec) -> ReliabilityView:
    """λ and the settings of the charts stay; chosen images belong to the data they were chosen on, ranges of numbers to the kernel too."""
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return held.view.model_copy(update={"filters": ()})
    return held.view.model_copy(update={"picked": (), "filters": (), "among": (), "target": None})


LINK: Link[InfluenceSpec, ReliabilityView] = Link("reliability", ADDRESSES["reliability"], _same_rules)
