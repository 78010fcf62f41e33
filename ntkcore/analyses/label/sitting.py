"""A labelling session at work: what is asked next, what an answer keeps, and when another network is due.

The library holds what was decided, the store the networks; nothing else is remembered, so that a reload, another server and another
person all see the same.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from ntkcore.analyses.label import rounds
from ntkcore.analyses.label.desk import Change, Moment, desk, given
from ntkcore.analyses.label.network import KIND, LabelNetwork, forecast, given_of, is_ready, key, load_items, open_network, request
from ntkcore.analyses.label.rounds import network_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import SpecError
from ntkcore.jobs import JobState
from ntkcore.library import Decision, Labels, Session, Standing
from ntkcore.specs.label import LabelNetworkSpec, LabelSpec

_RECENT = 10  # answers that say how things go
_SAME = 1e-5  # of the sum of two entries of a float32 kernel
_PAUSE = 120.0  # seconds without an answer that are no labelling


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session as it stands now.

    Attributes:
        session: as the library has it.
        network: the one that suggests.
        standing: what was decided.
        moment: the network with the labels of now.
    """

    session: Session
    network: LabelNetwork
    standing: Standing
    moment: Moment

    @property
    def spec(self) -> LabelSpec:
        """What is labelled."""
        return self.network.spec.session

    @property
    def left(self) -> int:
        """Items that nobody decided."""
        return self.network.n - len(given(self.network)) - len(self.standing.final - given(self.network).keys())

    @property
    def counts(self) -> tuple[int, ...]:
        """Labels of each class, those the items came with included."""
        labels = np.array(list(self.moment.labels.values()), dtype=np.int64)
        return tuple(np.bincount(labels, minlength=len(self.network.class_names)).tolist())


def begin(spec: LabelSpec, author: str, ws: Workspace) -> str:
    """Begin a session and ask for its first network; the session's id.

    Raises:
        AtlasError: the data or the network cannot be had, or do not fit on this machine.
    """
    items = load_items(spec, ws)
    if len(items.class_names) < 2:
        raise SpecError("There are fewer than two classes to label into.", "Name the classes.")
    if spec.practise and (items.labels < 0).any():
        raise SpecError("To practise, every label must be known.", "Choose a set in which all have one.")
    known = given_of(spec, items.labels)
    if not (known < 0).any():
        raise SpecError("Everything in this set has a label.", "Practise with hidden labels, or choose a set with unlabelled images.")
    network = network_of(spec, {item: int(known[item]) for item in np.flatnonzero(known >= 0).tolist()})
    if refusal := forecast(network, ws).refusal:
        raise SpecError(refusal, "Choose fewer images, or a smaller network.")
    title = describe_dataset(spec.dataset, ws.settings) + (" (practice)" if spec.practise else "")
    session = Labels(ws.library).begin("label", title, spec.model_dump(mode="json"), author, network.model_dump(mode="json"))
    if not is_ready(network, ws):
        request(network, ws)
    return session


def suggesting(session: Session) -> LabelNetworkSpec:
    """The network that suggests in a session."""
    return LabelNetworkSpec.model_validate(session.network)


def sit(session: Session, ws: Workspace) -> Sitting:
    """The session as it stands now; its network is stored.

    Raises:
        StoreError, CorruptArtifact: it is not, or is damaged.
        LibraryError: the library is damaged or cannot be reached.
    """
    network = open_network(suggesting(session), ws)
    first = network_of(network.spec.session, given(network))
    if is_ready(first, ws):  # used, too: what was used last is the last to go for want of room
        ws.store.open(KIND, key(first, ws))
    standing = Labels(ws.library).standing(session.id)
    return Sitting(session, network, standing, desk(network, ws).at(rounds.usable(standing, network.n, len(network.class_names))))


def order(sitting: Sitting) -> list[int]:
    """Items to ask for, the first one first; those put off come last, in the order in which they were."""
    off = set(sitting.standing.skipped)
    final = sitting.standing.final
    return [i for i in sitting.moment.order if i not in off and i not in final] + [i for i in sitting.standing.skipped if i not in final]


def claim(sitting: Sitting, wished: int | None, holder: str, author: str, ws: Workspace) -> int | None:
    """The item that is put before a person now, which nobody else gets meanwhile; None: there is none left for them.

    Args:
        wished: the one they have before them already.
    """
    asked = order(sitting)
    if wished in set(asked):
        asked.insert(0, wished)
    return Labels(ws.library).claim(sitting.session.id, asked, holder, author)


def prepare(sitting: Sitting, item: int, ws: Workspace) -> None:
    """Begin with what a label of an item takes, while somebody looks at it."""
    if item not in sitting.moment.labels:
        desk(sitting.network, ws).prepare(sitting.moment, item)


def answer(
    sitting: Sitting, item: int, label: int, author: str, ws: Workspace, *, seen: int | None, shown: bool = True
) -> tuple[int, Change | None]:
    """Keep a label, with what was suggested and what it changed.

    Args:
        seen: id of what held of the item when it was decided.
        shown: whether the suggestion was shown.

    Returns:
        The decision's id, and what the label changed; None: the item had a label before, and the kernel is fitted anew.

    Raises:
        Taken: somebody else decided it meanwhile.
    """
    told, change = told_of(sitting, item, label, ws, shown=shown)
    kept = Labels(ws.library).decide(sitting.session.id, item, "label", author, seen=seen, label=label, told=told)
    return kept, change


def told_of(sitting: Sitting, item: int, label: int, ws: Workspace, *, shown: bool) -> tuple[dict[str, Any], Change | None]:
    """What is kept beside a label, and what the label changes."""
    moment = sitting.moment
    if item in moment.labels:
        return {"network": sitting.network.key}, None
    suggested, chance = moment.suggestion(item)
    change = moment.change(item, label)
    told: dict[str, Any] = {"network": sitting.network.key, "suggested": suggested, "chance": chance, "shown": shown}
    told |= {"expected": moment.expected(item), "changed": change.flips, "most": list(change.most), "left": len(moment.items)}
    labels = dict(sitting.standing.labels) | {item: label}
    told["rank"] = _same_order(moment, desk(sitting.network, ws).at(labels))
    return told, change


def answered(sitting: Sitting) -> list[Decision]:
    """The labels given to items that had none, in order, with what was told of them."""
    return [one for one in sitting.standing.decisions if one.deed == "label" and "suggested" in one.told]


@dataclass(frozen=True, slots=True)
class Pace:
    """How things go, over the last answers.

    Attributes:
        minute: answers a minute of one person; None before there are two.
        right, of: how many suggestions were the answer, of how many.
        moved: share of what was left that an answer let the network call otherwise, in the mean; None before there is an answer.
        rank: mean of Spearman's ρ between the scores before and after an answer; None where it is not known.
    """

    minute: float | None
    right: int
    of: int
    moved: float | None
    rank: float | None


def pace(sitting: Sitting, author: str) -> Pace:
    """The pace of a session; the speed is that of one person."""
    mine = [one.made for one in sitting.standing.decisions if one.author == author and one.deed != "note"][-_RECENT - 1 :]
    gaps = [later - earlier for earlier, later in itertools.pairwise(mine) if later - earlier < _PAUSE]
    last = [one.told for one in answered(sitting)][-_RECENT:]
    labels = [one.label for one in answered(sitting)][-_RECENT:]
    moved = [told["changed"] / max(told["left"] - 1, 1) for told in last]
    ranks = [told["rank"] for told in last if told.get("rank") is not None]
    return Pace(
        minute=60 / max(float(np.mean(gaps)), 0.1) if gaps else None,
        right=sum(told["suggested"] == label for told, label in zip(last, labels, strict=True)),
        of=len(last),
        moved=float(np.mean(moved)) if moved else None,
        rank=float(np.mean(ranks)) if ranks else None,
    )


def due(sitting: Sitting) -> LabelNetworkSpec | None:
    """See :func:`ntkcore.analyses.label.rounds.due`."""
    network = sitting.network
    return rounds.due(network.spec, given(network), rounds.usable(sitting.standing, network.n, len(network.class_names)))


def retrained(sitting: Sitting, ws: Workspace) -> LabelNetwork | JobState | None:
    """The network that is due, when it is there; else its job, which is asked for here; None: none is due."""
    wanted = due(sitting)
    if wanted is None:
        return None
    if is_ready(wanted, ws):
        return open_network(wanted, ws)
    job = ws.jobs.state(key(wanted, ws))
    return request(wanted, ws) if job is None or job.status == "done" else job  # done, and no longer stored: made again


def use(sitting: Sitting, network: LabelNetwork, ws: Workspace) -> None:
    """Let another network suggest from now on, for everybody in the session; the one before goes where nobody needs it."""
    Labels(ws.library).use(sitting.session.id, network.spec.model_dump(mode="json"))
    rounds.tidy(network.spec, ws)


def twin(sitting: Sitting, item: int) -> int | None:
    """A labelled item that the network cannot tell from this one, such as the same image again; None: there is none.

    They are at no distance in the kernel, ``k(x,x) + k(z,z) - 2 k(x,z) = 0``, to the rounding of its float32.
    """
    kernel, known = sitting.network.kernel, np.array([other for other in sitting.moment.labels if other != item], dtype=np.int64)
    own = np.diagonal(kernel)
    apart = own[item] + own[known] - 2 * kernel[item, known]
    same = known[apart <= _SAME * (own[item] + own[known])]
    return int(same[0]) if len(same) else None


def one_class(sitting: Sitting) -> str:
    """What should be known of the labels so far, a sentence; "" when nothing."""
    names, counts = sitting.network.class_names, sitting.counts
    used, without = [n for n, c in zip(names, counts, strict=True) if c], [n for n, c in zip(names, counts, strict=True) if not c]
    if not used:
        return "Nothing has a label yet: the network knows nothing, and its suggestions mean nothing."
    if len(used) == 1:
        return f"All labels so far are of the class {used[0]}: the network cannot tell it from anything yet."
    return f"No label yet is of the class {_listed(without)}, so it is hardly ever suggested." if without else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _same_order(before: Moment, after: Moment) -> float | None:
    """Spearman's ρ of the scores of the items that both moments have; None where that is not defined."""
    kept = np.isin(before.items, after.items)
    ranks = [rankdata(before.scores[kept]), rankdata(after.scores)]
    if len(ranks[0]) < 3 or any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
