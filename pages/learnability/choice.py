"""What is chosen on the learnability page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from pages.shared.choice import Choice, Link


def _same_images(held: Choice[LearnabilitySpec, LearnabilityView], spec: LearnabilitySpec) -> LearnabilityView:
    """A view of other images says nothing about these, so it starts anew."""
    return held.view if spec.dataset == held.spec.dataset else LearnabilityView(hard=held.view.hard, easy=held.view.easy)


LINK: Link[LearnabilitySpec, LearnabilityView] = Link("learnability", ADDRESSES["learnability"], _same_images)
