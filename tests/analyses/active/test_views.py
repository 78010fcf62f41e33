"""What is said of a study that is known: curves, differences, labels needed, tests and counts beside scipy's and plain loops."""

import numpy as np
import pytest
import scipy.stats

from ntkcore.analyses.active import views
from ntkcore.analyses.active.answer import answer
from ntkcore.analyses.active.run import shapes
from ntkcore.analyses.study import Pieces
from ntkcore.specs.active import ActiveSpec, ActiveView

CLASSES, SEEDS = 3, 4
NAMES = ("random", "margin", "lookahead")


def study(seeds: int = SEEDS, names: tuple[str, ...] = NAMES) -> Pieces[ActiveSpec]:
    """Accuracies that rise with the cycle and the strategy's place, choices drawn at random."""
    spec = ActiveSpec.model_validate({"strategies": names, "seeds": seeds, "start": 10, "query": 5, "cycles": 4, "dataset": {"n": 60}})
    generator = np.random.default_rng(3)
    runs = seeds * len(names)
    found = {name: generator.random((runs, *shape)) for name, shape in shapes(spec, CLASSES).items()}
    place = np.tile(np.arange(len(names)), seeds)[:, None]
    found["accuracy"] = 0.5 + 0.08 * np.arange(5) * (1 + 0.15 * place) + 0.02 * found["accuracy"]
    found["accuracy"][:, 0] = 0.5
    found["picks"] = np.stack([generator.permutation(50)[:20].reshape(4, 5) + 10.0 for _ in range(runs)])
    found["picked"] = found["picks"] % CLASSES
    found["first"] = np.tile([4.0, 6.0, 0.0], (runs, 1))
    return Pieces(spec, "key", found, "2026-01-01T00:00:00+00:00", 1.0, "cpu")


def test_pieces_are_all_strategies_of_a_seed_after_each_other():
    found = study()
    for place in range(3):
        for seed in range(SEEDS):
            np.testing.assert_array_equal(views.by_strategy(found, "picks")[place, seed], found["picks"][3 * seed + place])


def test_curves_and_differences_are_means_of_seeds():
    found = study()
    values = views.by_strategy(found, "accuracy")
    for place, curve in enumerate(views.curves(found)):
        np.testing.assert_allclose(curve.means.value, values[place].mean(0), rtol=1e-14)
        assert curve.labels == (10, 15, 20, 25, 30)
    for place, curve in enumerate(views.differences(found), 1):
        apart = values[place] - values[0]
        low, high = scipy.stats.t.interval(0.95, SEEDS - 1, apart[:, 4].mean(), scipy.stats.sem(apart[:, 4]))
        np.testing.assert_allclose([curve.means.low[4], curve.means.high[4]], [low, high], rtol=1e-10)


def test_rows_are_scipys_tests_of_areas_with_holms_correction():
    found = study()
    values = views.by_strategy(found, "accuracy")
    areas = np.trapezoid(values, [10, 15, 20, 25, 30], axis=2) / 20
    raw = [scipy.stats.ttest_rel(areas[place], areas[0]).pvalue for place in (1, 2)]
    rows = views.rows(found, 0.75)
    assert np.isnan([rows[0].p, rows[0].alone]).all()
    np.testing.assert_allclose([row.alone for row in rows[1:]], raw, rtol=1e-10)
    np.testing.assert_allclose(sorted(row.p for row in rows[1:]), sorted([2 * min(raw), max(2 * min(raw), max(raw))]), rtol=1e-10)
    for place, row in enumerate(rows):
        np.testing.assert_allclose(row.areas, areas[place], rtol=1e-12)
        assert row.needed == pytest.approx(np.interp(0.75, values[place].mean(0), [10, 15, 20, 25, 30]), rel=1e-12)
    friedman = scipy.stats.friedmanchisquare(*areas)
    assert views.overall(found).p == pytest.approx(friedman.pvalue, rel=1e-10)


def test_how_far_ahead_after_a_cycle():
    found = study()
    said, values = views.apart(found, "lookahead", 3), views.by_strategy(found, "accuracy")[:, :, 3]
    apart = values[2] - values[0]
    assert said.labels == 25 and said.difference == pytest.approx(apart.mean(), rel=1e-12)
    assert said.half == pytest.approx(scipy.stats.t.ppf(0.975, SEEDS - 1) * scipy.stats.sem(apart), rel=1e-10)
    raw = {place: scipy.stats.ttest_rel(values[place], values[0]).pvalue for place in (1, 2)}
    holm = 2 * raw[2] if raw[2] <= raw[1] else max(2 * raw[1], raw[2])
    assert said.p == pytest.approx(holm, rel=1e-9)


def test_classes_and_common_choices_are_counted():
    found = study()
    balance, overlap = views.balance(found, 2), views.overlap(found, 2)
    for place in range(3):
        labels = [views.by_strategy(found, "picked")[place, seed, :2].ravel().tolist() for seed in range(SEEDS)]
        counts = [found["first"][0, c] + np.mean([one.count(c) for one in labels]) for c in range(CLASSES)]
        np.testing.assert_allclose(balance[place], counts, rtol=1e-14)
        for other in range(3):
            sets = [[set(views.by_strategy(found, "picks")[p, seed, :2].ravel()) for p in (place, other)] for seed in range(SEEDS)]
            assert overlap[place, other] == pytest.approx(np.mean([len(a & b) / 10 for a, b in sets]), rel=1e-14)


def test_the_level_is_what_random_reaches_or_what_is_asked():
    found = study()
    last = views.by_strategy(found, "accuracy")[0, :, -1].mean()
    level = views.level_of(found, ActiveView())
    assert level <= last < level + 0.01 and round(100 * level) == pytest.approx(100 * level)
    assert views.level_of(found, ActiveView(level=92.5)) == 0.925
    assert not np.isnan(views.rows(found, level)[0].needed)


def test_the_sentences():
    said = answer(study(), ActiveView(level=75.0))
    assert said[0].startswith("Look-ahead (pNTK) reaches 75 % with ") and "; random needs " in said[0]
    assert "(four seeds, difference " in said[0] and "at 20 labels, p" in said[0]
    assert "the three strategies do equally well has p" in said[1]
    assert "In 4 of 4 repeats no image of some class is labelled at first" in " ".join(said)
    assert "No strategy reaches 99.5 %" in answer(study(), ActiveView(level=99.5))[0]
    (alone, *_) = answer(study(1, ("margin",)), ActiveView(level=75.0))
    assert alone.startswith("Margin reaches 75 % with ") and alone.endswith("labels (one seed).")


def test_random_may_be_the_best():
    found = study(names=("lookahead", "margin", "random"))  # the last is the best of these
    said = answer(found, ActiveView(level=75.0))[0]
    assert said.startswith("Random reaches 75 % with ") and "before all others: " in said and "nan" not in said


def test_who_chose_an_image_and_how_hard_it_is():
    found = study(seeds=2)
    numbers = views.by_strategy(found, "picks")
    for place, seed, cycle, turn in ((0, 0, 0, 0), (2, 1, 3, 4)):
        image = int(numbers[place, seed, cycle, turn])
        picks = views.chosen(found, image)
        assert views.Pick(NAMES[place], seed, cycle + 1, turn + 1) in picks
        assert len(picks) == int((numbers == image).sum()) and len({(one.strategy, one.repeat) for one in picks}) == len(picks)
    # the network before training is that of the repeat, so k(x,x) is an image's own whoever chose it
    found.arrays["norms"][:] = 100.0 - found["picks"]
    image = int(numbers[1, 1, 2, 2])
    value, smaller = views.hardness(found, image, 1)
    others = {int(number) for number in numbers[:, 1].ravel()} - {image}
    assert value == 100.0 - image and smaller == sum(number < image for number in others) / len(others)
    absent = next(number for number in range(60) if number not in numbers[:, 0].astype(int))
    assert views.hardness(found, absent, 0) is None and all(pick.repeat == 1 for pick in views.chosen(found, absent))
