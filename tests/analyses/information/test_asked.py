"""What the page's choice asks of each study, and the choice that shows what was asked: inverse to each other."""

import pytest
from group_sets import negatives

from ntkcore.analyses.information.believe.agreement import AGREEMENT
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.information.drop.study import SUMMARY
from ntkcore.analyses.information.groups.adversarial import ADVERSARIAL
from ntkcore.analyses.information.groups.sources import SOURCES
from ntkcore.analyses.information.groups.subclass import SUBCLASS
from ntkcore.analyses.information.labels.study import DETECTION
from ntkcore.analyses.workspace import Workspace
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

CLOSED = {"dataset": {"n": 40, "seed": 3}, "test": 12}
OWN = {"kernel": "pseudo", "model": {"width": 6, "depth": 1, "seed": 4}, "dtype": "float64"}
PAIR = {"dataset": {"classes": ("3", "8"), "n": 24, "label_noise": 0.1}, "test": 8}
NETWORK = {"model": {"width": 8, "depth": 1, "seed": 2}, "training": {"epochs": 3}, "retrained": (50,)}
ROLES = {"rare": "4", "common": "7", "other": "1", "counts": (3, 9), "count": 5, "held": "equal", "repeats": 2}
ATTACK = {"study": "adversarial", "epsilon": 0.2, "share": 0.25, "epochs": 4, "batch": 8}


@pytest.mark.parametrize("time", [None, 0.25])
@pytest.mark.parametrize(
    ("study", "spec", "view"),
    [
        (DETECTION, PAIR, {"labels": {"share": 0.25, "seeds": 2}}),
        (DETECTION, CLOSED, {}),
        (SUMMARY, PAIR, {"drop": {"test": 9, "shares": (20, 50), "step": 2.5, "seeds": 2}}),
        (SUMMARY, CLOSED | OWN, {"drop": NETWORK}),
        (SOURCES, PAIR, {"sources": {"n": 10, "test": 6, "repeats": 1}}),
        (SOURCES, CLOSED | OWN, {}),
        (SUBCLASS, CLOSED, {"groups": ROLES}),
        (SUBCLASS, CLOSED | OWN, {}),
        (ADVERSARIAL, PAIR, {"groups": ATTACK}),
        (ADVERSARIAL, PAIR | OWN, {"groups": {"study": "adversarial"}}),
        (ADVERSARIAL, PAIR | OWN, {"groups": ATTACK | {"network": "cnn3", "weights": "random", "rate": 0.3}}),
        (ADVERSARIAL, PAIR, {"groups": ATTACK | {"network": "resnet20", "weights": "pretrained"}}),
        (RETRAINING, PAIR | OWN, {"believe": {"removals": 5, "seed": 7, "ridge": 10.0}}),
        (RETRAINING, CLOSED | OWN | {"kernel": "full"}, {"believe": {"removals": 3, "ridge": 0.0}}),
        (AGREEMENT, PAIR | OWN, {"believe": {"others": ("fcn-2", "cnn3"), "seeds": 1}}),
        (AGREEMENT, PAIR | OWN, {}),
    ],
)
def test_what_is_shown_asks_for_the_same(cache, tmp_path, study, spec, view, time):
    ws = Workspace(cache)
    if study is SOURCES:
        others = {"others": (f"own:{negatives(tmp_path, cache)}",)}
        view = view | {"sources": view.get("sources", {}) | others}
    wanted = study.asked(InfluenceSpec.model_validate(spec), InformationView.model_validate(view | {"ridge": 0.5, "time": time}), ws)
    shown = study.shown(wanted)
    assert study.asked(*shown, ws) == wanted
    address = ADDRESSES["information"]
    assert study.asked(*address.read(address.write(*shown)), ws) == wanted  # and so does its link
