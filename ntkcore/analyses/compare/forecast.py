"""What a comparison will need: the sides that are not stored, one after the other, then both kernels beside each other."""

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import checked, influence_stages, needs
from ntkcore.analyses.progress import Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.compare import CompareSpec
from ntkcore.specs.influence import InfluenceSpec

SIDES = ("A", "B")
KERNELS = "Both kernels"
_SECONDS = 3e-8  # a pair of images: read twice, centred, multiplied
_COPIES = 5  # n² float64: both kernels as they are stored, and centred, and a product's


def forecast_compare(spec: CompareSpec, ws: Workspace) -> Forecast:
    """Forecast one comparison from this machine's measured rates; measures a rate it has never seen.

    Raises:
        AtlasError: one of the sides cannot be had at all.
    """
    return _needs(spec, ws).forecast(lambda: compare_stages(spec, ws), ws)


def compare_refusal(spec: CompareSpec, ws: Workspace) -> str:
    """Why it cannot fit on this machine, or "".

    Raises:
        AtlasError: one of the sides cannot be had at all.
    """
    return _needs(spec, ws).refusal(ws)[0]


def compare_stages(spec: CompareSpec, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of the job, with their expected seconds."""
    stages = [
        stage._replace(name=f"{side}: {stage.name}")
        for side, chosen in _missing(spec, ws)
        for stage in influence_stages(chosen, checked(chosen, ws), ws)
    ]
    n = spec.dataset.n
    return (*stages, Stage(KERNELS, "kernels", 2, 0.05 + _SECONDS * n * n))


def _missing(spec: CompareSpec, ws: Workspace) -> list[tuple[str, InfluenceSpec]]:
    """The sides that are not stored; once where both are the same."""
    return [
        (side, chosen) for side, chosen in zip(SIDES, dict.fromkeys((spec.one, spec.two)), strict=False) if not INFLUENCE.ready(chosen, ws)
    ]


def _needs(spec: CompareSpec, ws: Workspace) -> Needs:
    for chosen in (spec.one, spec.two):
        checked(chosen, ws)  # also what is stored: its data may be gone
    sides = [needs(chosen, checked(chosen, ws), ws) for _, chosen in _missing(spec, ws)]

    def memory(n: int) -> int:
        return max(BASE_MEMORY + 8 * _COPIES * n * n, *(side.memory(n) for side in sides), 0)

    def disk(n: int) -> int:
        return sum(side.disk(n) for side in sides) + 8 * n + 2**16

    more = next((side.more for side in sides if side.more), "")
    return Needs(spec.dataset.n, memory, disk, more)
