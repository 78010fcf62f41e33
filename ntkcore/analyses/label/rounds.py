"""The networks of a session's rounds: which it needs now, and that those of earlier rounds go when a later one is there.

Every few labels another network is trained, with the kernel of everything in the session: 64 MB for 4,000 items. A session needs the one
that suggests; the first one, by which asking is judged against chance; and the one that is due, which somebody may say to use.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from pydantic import ValidationError

from ntkcore.analyses.label.network import KIND, compute, given_of, key
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import LibraryError, StoreError
from ntkcore.jobs import JobContext
from ntkcore.library import Labels, Session, Standing
from ntkcore.specs.label import LabelNetworkSpec, LabelSpec


def network_of(spec: LabelSpec, labels: Mapping[int, int]) -> LabelNetworkSpec:
    """The network trained on these labels."""
    return LabelNetworkSpec(session=spec, labelled=tuple(sorted(labels.items())))


def due(suggesting: LabelNetworkSpec, start: Mapping[int, int], labels: Mapping[int, int]) -> LabelNetworkSpec | None:
    """The network that should be trained by now: on every tenth label (as the session says) more than the one that suggests; else None.

    Args:
        suggesting: the one that suggests.
        start: the labels that items came with.
        labels: those that were given, in the order in which they were.
    """
    spec, fresh = suggesting.session, [item for item in labels if item not in start]
    count = len(fresh) // spec.every * spec.every
    wanted = network_of(spec, dict(start) | {item: labels[item] for item in fresh[:count]})
    return wanted if len(wanted.labelled) > len(suggesting.labelled) else None


def usable(standing: Standing, items: int, classes: int) -> dict[int, int]:
    """Item to class, in the order in which they were labelled, of items and classes that there are."""
    return {item: label for item, label in standing.labels.items() if item < items and label < classes}


def session_of(network: LabelNetworkSpec, ws: Workspace) -> str | None:
    """The session that a network was trained for; of several on the same items the last one whose labels it was trained on.

    Raises:
        LibraryError: the library is damaged or cannot be reached.
    """
    same = _sessions(network.session, ws)
    for session, suggesting in same:
        if set(network.labelled) <= {*suggesting.labelled, *Labels(ws.library).standing(session.id).labels.items()}:
            return session.id
    return same[0][0].id if same else None


def tidy(network: LabelNetworkSpec, ws: Workspace) -> None:
    """Remove the networks of the same items that no session needs any more, but this one, and those that somebody pinned.

    Raises:
        StoreError: this network is not stored.
        LibraryError: the library is damaged or cannot be reached; nothing is removed.
    """
    spec = network.session
    own = ws.store.open(KIND, key(network, ws))
    known = given_of(spec, own.read("truth"))
    start, classes = {int(item): int(known[item]) for item in np.flatnonzero(known >= 0)}, len(own.json("items")["class_names"])
    needed = {own.key}
    for session, suggesting in _sessions(spec, ws):
        labels = usable(Labels(ws.library).standing(session.id), len(known), classes)
        wanted = (suggesting, network_of(spec, start), due(suggesting, start, labels))
        needed |= {key(one, ws) for one in wanted if one is not None}
    identity = spec.model_dump(mode="json")
    for entry in ws.store.entries(KIND):
        same = entry.spec.get("session") == identity
        if same and not entry.pinned and entry.key not in needed:
            with suppress(StoreError):  # being computed: its own end looks again
                ws.store.remove(KIND, entry.key)


def handle(ws: Workspace, payload: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """The job that makes a network."""
    spec = LabelNetworkSpec.model_validate(payload["spec"])
    compute(spec, ws, context)
    with suppress(LibraryError):  # nothing is known of any session, so that nothing goes
        tidy(spec, ws)
    return {}


def _sessions(spec: LabelSpec, ws: Workspace) -> list[tuple[Session, LabelNetworkSpec]]:
    """The sessions of these items, the last one first, each with the network that suggests in it."""
    found = []
    for session in Labels(ws.library).sessions("label"):
        with suppress(ValidationError):  # of another version
            suggesting = LabelNetworkSpec.model_validate(session.network)
            if suggesting.session == spec:
                found.append((session, suggesting))
    return found
