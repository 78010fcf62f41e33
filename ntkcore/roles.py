"""What people of a server may do: one table of roles and actions, by which pages, routes, callbacks and the job queue decide alike.

Roles are ordered, each may do what those before it may; an action names those that may, so that a role beside the order can be added.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Role = Literal["viewer", "labeller", "analyst", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the one that may least."""

Action = Literal[
    "open",
    "export",
    "note",
    "token",
    "own data",
    "label",
    "tag",
    "train",
    "save",
    "compute",
    "import",
    "upload",
    "cancel",
    "forget",
    "check",
    "remove set",
    "cancel others",
    "remove others' sets",
    "start workers",
    "keep results",
    "remove results",
    "tidy",
    "people",
]


def _from(least: Role) -> frozenset[Role]:
    return frozenset(ROLES[ROLES.index(least) :])


ALLOWED: Mapping[Action, frozenset[Role]] = MappingProxyType(
    {
        "open": _from("viewer"),  # pages of analyses, images, what others saved for the team
        "export": _from("viewer"),
        "note": _from("viewer"),
        "token": _from("viewer"),  # make one, that programs of theirs read with
        "own data": _from("viewer"),  # take it away, delete it
        "label": _from("labeller"),  # and review
        "tag": _from("labeller"),
        "train": _from("labeller"),  # the network of a labelling session
        "save": _from("analyst"),
        "compute": _from("analyst"),
        "import": _from("analyst"),  # and look inside, download
        "upload": _from("analyst"),
        "cancel": _from("labeller"),  # a job of one's own
        "forget": _from("analyst"),
        "check": _from("analyst"),  # the tiles of a stored result
        "remove set": _from("analyst"),  # of one's own images
        "start workers": _from("analyst"),
        "cancel others": _from("administrator"),
        "remove others' sets": _from("administrator"),
        "keep results": _from("administrator"),
        "remove results": _from("administrator"),
        "tidy": _from("administrator"),  # damaged files that were moved aside
        "people": _from("administrator"),
    }
)


def may(role: Role | None, action: Action) -> bool:
    """Whether a role allows an action; nobody's allows none."""
    return role in ALLOWED[action]


def least(action: Action) -> Role:
    """The role that allows an action and the fewest others."""
    return next(role for role in ROLES if role in ALLOWED[action])


SAID: Mapping[Role, str] = MappingProxyType(
    {
        "viewer": "open pages and what others saved for the team, write notes, take tables and charts away",
        "labeller": "label and review, tag, train the network of a labelling session",
        "analyst": "compute, import, upload, save analyses, cancel your own jobs and remove your own sets",
        "administrator": "give roles, and decide over others’ jobs and sets and over stored results",
    }
)
"""What a role may, beside what those before it may."""

JOB_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"import": "import", "preview": "import", "download": "import", "weights": "import", "label-network": "train"}
)
"""What starting a job of a kind is; every other kind is a computation."""


def starting(kind: str) -> Action:
    """The action that starting a job of a kind is."""
    return JOB_ACTIONS.get(kind, "compute")
