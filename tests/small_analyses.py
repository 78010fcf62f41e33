"""A small analysis of each name, as the query of its address: seconds to compute."""

import pytest

from ntkcore.analyses.convergence import timing
from ntkcore.analyses.information.believe import retraining

_PAIR = {"dataset": "digits", "classes": ["3", "8"], "n": "30", "test": "12"}
_NETWORK = _PAIR | {"kernel": "pseudo", "model": "fcn", "width": "8", "depth": "1"}
SMALL = {
    "learnability": {"dataset": "digits", "classes": ["3", "8"], "n": "30", "width": "8", "depth": "1", "epochs": "2"},
    "convergence": {"dataset": "digits", "classes": ["3", "5", "8"], "n": "15", "test": "8", "widths": "4,8", "looks": "0", "seeds": "1"},
    "influence": _PAIR,
    "reliability": _PAIR | {"ridge": "1.0"},
    "information": _PAIR,
    "verification": _PAIR | {"ridge": "1.0", "time": "0.2", "verify": "16"},
    "addition": _PAIR | {"ridge": "1.0", "picked": "0-2"},
    "network-ihvp": _PAIR | {"ridge": "4.0", "time": "0.2", "verify": "16", "runs": "2", "steps": "5"},
    "detection": _PAIR | {"ridge": "0.1", "labels-share": "0.2", "labels-seeds": "2"},
    "summary": _PAIR | {"ridge": "0.1", "drop-seeds": "1", "drop-shares": "50"},
    "sources": _PAIR | {"ridge": "0.1", "sources-n": "20", "sources-test": "10", "sources-repeats": "1"},
    "subclass": {"dataset": "digits", "n": "40", "test": "12", "ridge": "0.1", "groups-count": "4", "groups-counts": "4,8"}
    | {"groups-common-count": "15", "groups-other-count": "15", "groups-test": "9", "groups-repeats": "1"},
    "adversarial": _NETWORK
    | {"ridge": "0.1", "groups-study": "adversarial", "groups-epochs": "2", "groups-repeats": "1"}
    | {"groups-epsilon": "0.3", "groups-share": "0.3"},
    "retraining": _NETWORK | {"time": "0.002", "believe-removals": "2", "believe-ridge": "0.0"},
    "agreement": _NETWORK | {"ridge": "0.1", "believe-show": "agreement", "believe-seeds": "2"},
    "map": _PAIR,
    "compare": _NETWORK | {"b-model": "fcn", "b-width": "8", "b-depth": "1", "ridge": "1.0"},
    "active": {"dataset": "digits", "classes": ["3", "5", "8"], "n": "60", "test": "20", "width": "8", "depth": "1", "epochs": "4"}
    | {"labelled": "6", "query": "4", "cycles": "2", "pool": "20", "strategies": ["random", "margin", "lookahead"], "seeds": "2"},
    "duplicates": _PAIR,
}
"""The query of a small analysis of each name."""


def quickly(patch: pytest.MonkeyPatch) -> None:
    """With fewer steps of each training and estimate, and fewer networks timed, than a result that is believed takes."""
    patch.setattr(timing, "OUTPUTS", (1, 3))
    patch.setattr(timing, "DEPTHS", (1, 2))
    patch.setattr(retraining, "DEPTH", 30)
    patch.setattr(retraining, "FEWEST", 200)
