"""What is chosen on the convergence page."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView
from pages.shared.choice import Choice, Link


def _same_points(held: Choice[ConvergenceSpec, ConvergenceView], spec: ConvergenceSpec) -> ConvergenceView:
    """Epoch and width stay where they exist; an opened kernel closes, for it was another one."""
    view = held.view
    kept = {"epoch": view.epoch if view.epoch in spec.looks else None, "width": view.width if view.width in spec.widths else None}
    return view.model_copy(update=kept | {"point": None})


LINK: Link[ConvergenceSpec, ConvergenceView] = Link("convergence", ADDRESSES["convergence"], _same_points)
