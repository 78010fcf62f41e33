"""What is known of every image from what is stored: the same numbers as on their own pages; filters; one card of an image."""

import numpy as np
import pytest
from recording import Recording
from seeded import rate

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views as information
from ntkcore.analyses.learnability import alike
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.numbers import card, filters, known
from ntkcore.analyses.numbers.stored import Stored, stored_beside, stored_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError
from ntkcore.influence.self_influence import self_influence
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from ntkcore.specs.map import MapSpec

DATA = {"classes": ("3", "5", "8"), "n": 40}
MODEL = {"width": 8, "depth": 1}
INFLUENCED = InfluenceSpec.model_validate({"dataset": DATA, "test": 8, "kernel": "pseudo", "model": MODEL})
LEARNED = LearnabilitySpec.model_validate({"dataset": DATA, "model": MODEL, "training": {"epochs": 3}})


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    rate(folder)
    made = Workspace(Settings(cache_dir=folder))
    INFLUENCE.compute(INFLUENCED, made, Recording())
    LEARNABILITY.compute(LEARNED, made, Recording())
    return made


def test_what_is_stored_is_found_from_either_side(ws):
    assert stored_of(INFLUENCED, ws) == stored_beside(LEARNED, ws) == Stored(INFLUENCED, LEARNED)
    other = INFLUENCED.model_copy(update={"dataset": INFLUENCED.dataset.model_copy(update={"seed": 3})})
    assert stored_of(other, ws) == Stored(None, None)
    assert known.available(Stored(None, None)) == ()
    with pytest.raises(DataError, match="not known"):
        known.values("loss", Stored(None, LEARNED), 0.1, ws)


def test_they_are_the_numbers_of_their_pages(ws):
    stored, result = stored_of(INFLUENCED, ws), INFLUENCE.open(INFLUENCED, ws)
    look = Look.of(result, 0.1, None, ws)
    expected = {
        "k-xx": information.diagonal(result),
        "learned": LEARNABILITY.open(LEARNED, ws).learned,
        "loss": information.judged(look).loss,
        "margin": information.judged(look).margin,
        "information": information.scores(look),
        "self": self_influence(look.regression()),
        "influence": information.influence(look),
    }
    assert known.available(stored) == tuple(known.NUMBERS)
    for name in known.NUMBERS:
        found = known.values(name, stored, 0.1, ws)
        assert found.shape == (40,)
        if name in expected:
            np.testing.assert_array_equal(found, expected[name])


def test_ranges_keep_those_within_and_an_image_without_a_number_is_in_none():
    values = {"a": np.array([1.0, 2.0, np.nan, 4.0]), "b": np.array([0.0, 1.0, 2.0, np.inf])}
    found = filters.passing(("a~1.5~",), values.__getitem__, 4)
    np.testing.assert_array_equal(found, [False, True, False, True])
    np.testing.assert_array_equal(filters.passing(("a~1.5~", "b~~1.0"), values.__getitem__, 4), [False, True, False, False])
    np.testing.assert_array_equal(filters.order_by("b", {"b": ""}, values.__getitem__), [3, 2, 1, 0])
    np.testing.assert_array_equal(filters.order_by("-a", {"a": ""}, values.__getitem__), [0, 1, 3, 2])
    assert filters.order_by("c", {"a": ""}, values.__getitem__) is None


def test_a_histogram_counts_every_finite_value_once():
    draw = np.random.default_rng(0)
    for values in (draw.standard_normal(500), np.exp(3 * draw.standard_normal(500)), np.r_[draw.standard_normal(50), np.inf, np.nan]):
        found = filters.histogram(values)
        finite = values[np.isfinite(values)]
        assert found is not None and found.counts.sum() == len(finite)
        assert found.edges[0] == finite.min() and found.edges[-1] == finite.max() and (np.diff(found.edges) > 0).all()
    assert filters.histogram(np.full(10, 3.0)) is None and filters.histogram(np.full(3, np.inf)) is None


def test_a_card_has_an_image_by_its_name_in_every_draw_of_its_set(ws):
    ids = INFLUENCE.open(INFLUENCED, ws).ids
    fewer = MapSpec.model_validate({"dataset": DATA | {"n": 30, "label_noise": 0.1}, "test": 6})
    MAP.compute(fewer, ws, Recording())
    there = MAP.open(fewer, ws).ids
    both = ids[17]
    assert there[17] == both  # draws are nested, so the place is the same, but it is found by the name
    found = card.sources(INFLUENCED.dataset, ids.index(both), both, ws)
    assert [(source.analysis.name, source.image, source.same) for source in found] == [
        ("learnability", ids.index(both), True),
        ("influence", ids.index(both), True),
        ("map", there.index(both), False),
    ]
    rows = [dict(card.facts(source, 0.1, ws)) for source in found]
    assert "epoch learned" in rows[0] and "unique information F-SI, nats" in rows[1] and "cosine with the most similar" in rows[2]
    alone = ids[35]
    assert [source.same for source in card.sources(INFLUENCED.dataset, ids.index(alone), alone, ws)] == [True, True]


def test_likeness_in_the_learnability_kernel_is_by_its_cosine(ws):
    result = LEARNABILITY.open(LEARNED, ws)
    assert alike.known(result, ws)
    kernel = ws.store.open("kernel", next(entry.key for entry in ws.store.entries("kernel"))).read("kernel").astype(np.float64)
    root = np.sqrt(np.diagonal(kernel))
    cosine = kernel / root[:, None] / root
    np.fill_diagonal(cosine, np.inf)
    for image in (0, 17):
        np.testing.assert_array_equal(alike.alike_first(result, image, ws)[:8], np.argsort(-cosine[image], kind="stable")[:8])
