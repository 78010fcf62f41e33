"""Going to an image by number or file name among all images, whatever the gallery shows."""

from types import SimpleNamespace

import visiting
from recording import Recording
from visiting import visitor

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from pages.shared.seek import place_of, seeker

IDS = ("train/cat_1.png", "train/dog_12.png", "train/Dog_7.png")


def test_a_number_goes_before_a_name_and_case_does_not_count():
    assert place_of("2", IDS) == 2
    assert place_of(" 12 ", IDS) == 1  # no image 12, but a name that has it
    assert place_of("dog_7", IDS) == 2
    assert place_of("", IDS) is None is place_of("bird", IDS)


def test_what_no_card_has_is_opened_or_said(monkeypatch):
    opened, told = [], []
    monkeypatch.setattr("pages.shared.seek.st", SimpleNamespace(toast=lambda text, icon: told.append(text)))
    sought = seeker(IDS, opened.append)
    sought("cat_1")
    assert opened == [0] and not told
    sought("bird")
    assert opened == [0] and "No image has the number or the name" in told[0]


def test_galleries_that_show_some_images_go_to_any(tmp_path):
    spec = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 40}, "test": 8})
    with visiting.kept_cache(tmp_path) as ws:
        INFLUENCE.compute(spec, ws, Recording())
        app = visiting.opened(visitor(), "information", **ADDRESSES["information"].write(spec))
        assert visiting.sent(app, "information_most")["seek"] and not visiting.sent(app, "information_least")["seek"]
        assert visiting.sent(app, "information_most")["tools"]  # though its cards are few
        app = visiting.opened(visitor(), "influence", **ADDRESSES["influence"].write(spec))
        assert all(visiting.sent(app, f"{name}_gallery")["seek"] for name in ("held", "training"))
        assert all(visiting.sent(app, f"{name}_gallery")["undo"] for name in ("held", "training", "group"))
