"""Compare without a browser: the answer, its controls, swapping, what B could be, the inspector, bad addresses."""

import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.compare.analysis import COMPARE
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.compare import CompareSpec, CompareView

NETWORK = {"kernel": "pseudo", "model": {"width": 8, "depth": 1}}
SPEC = CompareSpec.model_validate(
    NETWORK
    | {
        "dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2},
        "test": 12,
        "other": NETWORK | {"model": {"width": 8, "depth": 1, "seed": 0}, "training": {"epochs": 3}},
    }
)
ADDRESS = ADDRESSES["compare"]


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which a pair is compared; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        COMPARE.compute(SPEC, ws, Recording())
        yield ws


def opened(spec=SPEC, **fields):
    return visiting.opened(visitor(), "compare", **ADDRESS.write(spec, CompareView.model_validate({"ridge": 1.0} | fields)))


def plainly(app):
    return said(app).replace("<b>", "").replace("</b>", "")


def asked(app):
    """What the address says."""
    return ADDRESS.read({name: app.query_params.get(name) for name in app.query_params})


def test_it_answers_and_marks_what_differs(computed):
    app = opened(b_ridge=0.1)
    first, _, last = COMPARE.answer(COMPARE.open(SPEC, computed), CompareView(ridge=1.0, b_ridge=0.1), computed)
    assert first in plainly(app) and last in plainly(app) and not app.error and not app.info
    assert titles(app)[:3] == ["A against B", "Moved up most", "Moved down most"]
    summaries = [block.proto.popover.label for block in app.get("popover")]
    marked = [label for label in summaries if "≠" in label]
    assert marked == ["After 3 epochs of training :orange[**≠**]", "λ = 0.1 :orange[**≠**]"]
    assert "epochs before the kernel is taken</th><td>0</td><td>3</td>" in said(app)


def test_number_ranks_and_classes_are_in_the_address(computed):
    app = opened()
    widget(app, "selectbox", "Compared by").set_value("k-xx").run()
    assert app.query_params["score"] == "k-xx" and "By k(x,x) A and B rank" in plainly(app)
    widget(app, "toggle", "Ranks").set_value(True).run()
    assert app.query_params["ranks"] == "1" and not app.exception
    widget(app, "multiselect", "Classes shown").set_value(["3"]).run()
    assert app.query_params["only"] == "3" or app.query_params["only"] == ["3"]
    assert not app.exception and not app.error


def test_each_side_has_its_own_regularisation(computed):
    app = opened()
    widget(app, "number_input", "Regularisation λ of B").set_value(0.1).run()
    assert app.query_params["b-ridge"] == "0.1" and "λ</th><td>1</td><td>0.1</td>" in said(app)
    widget(app, "number_input", "Regularisation λ of B").set_value(1.0).run()
    assert "b-ridge" not in app.query_params


def test_swapped_a_is_b(computed):
    app = opened(b_ridge=0.1)
    button(app, "Swap").click().run()
    spec, view = asked(app)
    assert spec == SPEC.swapped and view.ridges == (0.1, 1.0)
    assert any(b.label == "Compute" for b in app.button)  # the sides are stored: a moment
    button(app, "Swap").click().run()
    assert asked(app)[0] == SPEC and not app.exception


def test_b_becomes_what_is_often_asked_or_stored(computed):
    app = opened()
    button(app, "Another seed").click().run()
    spec, _ = asked(app)
    assert spec.one == SPEC.one and spec.two.model.seed == 1 and spec.two.training is None
    stored = next(b for b in app.button if "epochs before the kernel is taken" in b.label)
    stored.click().run()
    assert asked(app)[0] == SPEC and not app.exception


def test_the_bars_change_their_side(computed):
    app = opened()
    widgets = [w for w in app.get("number_input") if w.label == "Epochs before the kernel is taken"]
    assert [w.value for w in widgets] == [0, 3]
    widgets[1].set_value(5).run()
    assert asked(app)[0].two.training.epochs == 5 and asked(app)[0].one == SPEC.one
    next(w for w in app.get("number_input") if w.label == "Images drawn").set_value(30).run()
    spec, _ = asked(app)
    assert spec.one.dataset.n == spec.two.dataset.n == 30 and not app.exception


def test_the_same_twice_is_said(computed):
    same = CompareSpec.of(SPEC.one, SPEC.one)
    COMPARE.compute(same, computed, Recording())
    app = opened(same)
    assert "the same choice" in app.info[0].value and "In nothing." in " ".join(c.value for c in app.caption)


def test_a_number_that_one_side_has_not_is_said(computed):
    app = opened(score="learned")
    assert "not known" in app.info[0].value.replace("\\", "") and "By k(x,x) A and B rank" in plainly(app) and not app.error


def test_what_a_link_names_that_is_not_there_is_said(computed):
    app = opened(image=4000, only=("bird",), picked=(4000,))
    told = app.warning[0].value.replace("\\", "")
    assert all(words in told for words in ("no training image 4,000", "no class bird", "do not exist"))


def test_the_inspector_has_every_number_of_both(computed):
    app = opened(image=5, basket=(7,))
    assert "unique information F-SI" in said(app) and "Most alike to it in B" in said(app)
    button(app, "Put in the basket").click().run()
    assert visiting.basket(computed, SPEC.one.dataset) == (5, 7) and not app.exception
    widget(app, "toggle", "This image on every page").set_value(True).run()
    assert INFLUENCE.title(SPEC.one, computed) in said(app)
    button(app, "Map").click().run()
    assert app.title[0].value == "Map" and "basket" not in app.query_params and app.query_params["n"] == "40"


def test_selected_images_and_all_again(computed):
    app = opened(picked=(1, 2, 3))
    next(b for b in app.button if "Of the 3 selected" in b.label).click().run()
    assert "picked" not in app.query_params and not app.exception


@pytest.mark.parametrize(
    ("query", "words"), [({"b-kernel": "round"}, "b-kernel"), ({"b-size": "5"}, "b-size"), ({"b-ridge": "-1"}, "b-ridge")]
)
def test_a_wrong_address_is_explained(app, query, words):
    visiting.opened(app, "compare", **(ADDRESS.write(SPEC) | query))
    assert words in app.error[0].value.replace("\\", "")
    button(app, "Start from the defaults").click().run()
    assert not app.error


@pytest.mark.parametrize("page", ["influence", "information", "map", "reliability"])
def test_other_pages_lead_here_with_what_they_show(computed, page):
    app = visiting.opened(visitor(), page, **ADDRESSES[page].write(ADDRESSES[page].spec.model_validate(SPEC.one.model_dump())), ridge="0.5")
    button(app, "Compare with …").click().run()
    assert app.title[0].value == "Compare" and not app.exception
    spec, view = asked(app)
    assert spec.one == SPEC.one and spec.two.model.seed == 1 and view.ridges == (0.5, 0.5)


def test_more_like_this_shows_who_is_alike_in_each(computed):
    app = opened(image=5)
    button(app, "More like this").click().run()
    assert app.query_params["like"] == "5" and titles(app)[1:3] == ["Most alike in A", "Most alike in B"] and not app.exception
    assert visiting.shown(app, "compare_up")[0] == visiting.shown(app, "compare_down")[0] == 5
    button(app, "Sort as before").click().run()
    assert "like" not in app.query_params and titles(app)[1:3] == ["Moved up most", "Moved down most"]


def test_one_of_a_link_that_is_not_there_is_said(computed):
    app = opened(like=4000)
    assert "no training image 4,000" in app.warning[0].value.replace("\\", "") and "Moved up most" in titles(app) and not app.exception
