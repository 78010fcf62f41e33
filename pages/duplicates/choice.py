"""What is chosen on the duplicates page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from pages.shared.choice import Choice, Link


def _same_demands(held: Choice[DuplicatesSpec, DuplicatesView], spec: DuplicatesSpec) -> DuplicatesView:
    """How alike copies are stays; a kernel belongs to its images."""
    return held.view.model_copy(update={"kernel": ""})


LINK: Link[DuplicatesSpec, DuplicatesView] = Link("duplicates", ADDRESSES["duplicates"], _same_demands)
