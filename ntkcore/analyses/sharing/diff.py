"""What differs between two looks at results, such as two saved analyses: choices, answers, and how each image moved in the ranking.

Images are matched by their names in their set, so that other draws of the same set can be held against each other, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses import catalogue
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.learnability import Correlation, spearman_interval
from ntkcore.permalink import ADDRESSES, Change
from ntkcore.specs import Spec
from ntkcore.specs.compare import CompareSpec
from ntkcore.specs.influence import InfluenceSpec

SCORES: Mapping[str, str] = {"learnability": "k_xx", "influence": "influence", "information": "information", "map": "k_xx"}
"""By the name of an analysis, the column of its table that ranks the images."""
_LEAST = 3  # images in both, from which on rankings are held against each other


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    Attributes:
        name: of the analysis.
        spec, view: of its page.
        title: in words.
    """

    name: str
    spec: Spec
    view: Spec
    title: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs.

    Attributes:
        sides: A and B.
        changes: names whose values differ, A's before B's; () where the two are of different pages.
        answers: of each.
        moved: a row for each image in both, those first that rank higher in B: id, label, a, b, ranks (1 the largest) and ``moved``; None
            where there is no ranking of images to hold against each other.
        agreement: of the two rankings; None where there is none.
        why: why not, a sentence; "" where there is one.
        compare: the address of the page that compares both kernels, from its server's root; "" where that cannot be.
    """

    sides: tuple[Side, Side]
    changes: tuple[Change, ...]
    answers: tuple[tuple[str, ...], tuple[str, ...]]
    moved: pd.DataFrame | None
    agreement: Correlation | None
    why: str
    compare: str


def side(name: str, spec: Spec, view: Spec, ws: Workspace) -> Side:
    """One of the two, with its own title."""
    analysis = catalogue.named(name)
    return Side(name, spec, view, analysis.title(analysis.asked(spec, view, ws), ws))


def differ(one: Side, two: Side, ws: Workspace) -> Diff:
    """What differs between two stored results.

    Raises:
        StoreError: one is not stored.
        CorruptArtifact: a tile of one is damaged.
        SpecError: a view names what its result has not.
    """
    (answer, first), (other, second) = (_told(each, ws) for each in (one, two))
    same = ADDRESSES[one.name].page == ADDRESSES[two.name].page
    changes = ADDRESSES[one.name].changes((two.spec, two.view), (one.spec, one.view)) if same else ()
    moved, why = _moved(one, two, first, second)
    agreement = None if moved is None else spearman_interval(moved["a"], moved["b"])
    return Diff((one, two), changes, (answer, other), moved, agreement, why, _compare(one.spec, two.spec))


def _told(each: Side, ws: Workspace) -> tuple[tuple[str, ...], pd.DataFrame]:
    analysis = catalogue.named(each.name)
    result = analysis.open(analysis.asked(each.spec, each.view, ws), ws)
    if problem := analysis.missing(result, each.view):
        raise SpecError(problem, "Choose something that is there.")
    return analysis.answer(result, each.view, ws), analysis.table(result, each.view, ws)


def _moved(one: Side, two: Side, first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame | None, str]:
    """The images in both with their ranks, and why there are none."""
    columns = SCORES.get(one.name), SCORES.get(two.name)
    if None in columns or columns[0] != columns[1]:
        return None, "They do not rank images by the same number."
    column = str(columns[0])
    chosen = [rows.loc[rows[column].notna(), ["image", "id", "label", column]] for rows in (first, second)]
    if any(rows["id"].duplicated().any() for rows in chosen):
        return None, "Names of images are not unique in their set."
    both = chosen[0].merge(chosen[1][["id", column]], on="id", suffixes=("_a", "_b"))
    if len(both) < _LEAST:
        return None, f"They have {len(both)} images in common, too few to rank."
    ranks = {side: both[f"{column}_{side}"].rank(ascending=False, method="average") for side in "ab"}
    found = pd.DataFrame(
        {
            "image": both["image"],
            "id": both["id"],
            "label": both["label"],
            "a": both[f"{column}_a"],
            "b": both[f"{column}_b"],
            "rank_a": ranks["a"],
            "rank_b": ranks["b"],
            "moved": ranks["a"] - ranks["b"],
        }
    )
    return found.sort_values("moved", ascending=False, kind="stable").reset_index(drop=True), ""


def _compare(one: Spec, two: Spec) -> str:
    """The compare page of two regressions on the same images."""
    if not (isinstance(one, InfluenceSpec) and isinstance(two, InfluenceSpec)):
        return ""
    alone = [InfluenceSpec.model_validate({name: getattr(spec, name) for name in InfluenceSpec.model_fields}) for spec in (one, two)]
    if alone[0].dataset != alone[1].dataset or alone[0].test != alone[1].test:
        return ""
    try:
        address = ADDRESSES["compare"]
        return f"/{address.page}?{urlencode(address.write(CompareSpec.of(*alone)), doseq=True)}"
    except ValidationError:
        return ""
