"""What a click on the compare page does: another pair, an image looked at closely, some selected, some in the basket."""

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import InfluenceSpec
from pages.shared.charts import forget_selection, selected
from pages.shared.choice import Choice, Link

CHART = "compare"


def _same_images(held: Choice[CompareSpec, CompareView], spec: CompareSpec) -> CompareView:
    """What is compared stays; chosen images belong to the data they were chosen on."""
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return held.view
    return CompareView(ridge=held.view.ridge, b_ridge=held.view.b_ridge, score=held.view.score, ranks=held.view.ranks)


LINK: Link[CompareSpec, CompareView] = Link("compare", ADDRESSES["compare"], _same_images)


def swap() -> None:
    """A becomes B."""
    held = LINK.current()
    forget_selection(CHART)
    LINK.take(held.spec.swapped)
    LINK.look(elsewhere=True, **held.view.swapped.model_dump(include={"ridge", "b_ridge"}))


def against(two: InfluenceSpec) -> None:
    """Another B."""
    LINK.take(CompareSpec.of(LINK.current().spec.one, two))


def inspect(image: int) -> None:
    """Open the inspector on an image."""
    LINK.look(image=image)


def close_inspector() -> None:
    """No image is looked at closely."""
    LINK.look(image=None)


def brushed() -> None:
    """A lasso, a box or a click in the scatter selects; a double click selects all again."""
    points = selected(CHART).get("points") or []
    LINK.look(picked=tuple(sorted({int(point["customdata"]) for point in points if point.get("customdata") is not None})))


def show_all() -> None:
    """All images again."""
    forget_selection(CHART)
    LINK.look(picked=(), elsewhere=True)


def undo() -> None:
    """Take back the last selection."""
    forget_selection(CHART)
    LINK.undo()
