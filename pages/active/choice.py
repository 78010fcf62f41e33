"""What is chosen on the active learning page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.active import ActiveSpec, ActiveView
from pages.shared.choice import Choice, Link


def _same_level(held: Choice[ActiveSpec, ActiveView], spec: ActiveSpec) -> ActiveView:
    """The accuracy that labels are counted for stays with the images; cycle and repeat where they exist."""
    view = held.view
    kept = {
        "level": view.level if spec.dataset == held.spec.dataset else None,
        "cycle": view.cycle if view.cycle is not None and view.cycle <= spec.protocol.cycles else None,
        "only": tuple(name for name in view.only if name in spec.strategies),
        "repeat": view.repeat if view.repeat < spec.seeds else 0,
        "image": None,
    }
    return view.model_copy(update=kept)


Chosen = Choice[ActiveSpec, ActiveView]
LINK: Link[ActiveSpec, ActiveView] = Link("active", ADDRESSES["active"], _same_level)
