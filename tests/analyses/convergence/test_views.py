"""What the convergence page shows of a result, against definitions written out again; the answer's rules one by one."""

from dataclasses import replace

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.workspace import Workspace
from ntkcore.settings import Settings
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView

SPEC = ConvergenceSpec.model_validate(
    {
        "dataset": {"classes": ("3", "5", "8"), "n": 12},
        "test": 10,
        "depth": 1,
        "widths": (16, 32, 64),
        "seeds": 2,
        "looks": (0, 2),
        "training": {"batch_size": 4, "learning_rate": 0.01},
        "dtype": "float64",
    }
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    ws = Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1, 3))
        patch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1, 2))
        CONVERGENCE.compute(SPEC, ws, Recording())
        return CONVERGENCE.open(SPEC, ws)


def with_points(result, **changes):
    """The result with fields of every comparison replaced; a function is given the comparison."""

    def changed(point):
        return replace(point, **{name: value(point) if callable(value) else value for name, value in changes.items()})

    return replace(result, points=tuple(changed(point) for point in result.points))


@pytest.mark.parametrize("name", views.QUANTITIES)
@pytest.mark.parametrize("over", ["width", "epoch"])
@pytest.mark.parametrize("kernel", ["pseudo", "first"])
def test_every_chart_shows_its_networks_and_their_means(result, name, over, kernel):
    quantity = views.QUANTITIES[name]
    found = views.curves(result, ConvergenceView(over=over, kernel=kernel, epoch=2), quantity)
    assert found.quantity is quantity and found.over == over and found.series
    for line in found.series:
        for x, y, index in zip(line.point_x, line.point_y, line.point_id, strict=True):
            point = result.points[index]
            assert x == (point.width if over == "width" else point.epoch)
            if line.name != "end":  # of two comparisons: below
                assert y == quantity.values(point, kernel)[line.name]
            assert point.epoch == 2 if over == "width" else point.width == line.width
        for at, mean, low, high in zip(line.x, line.mean, line.low, line.high, strict=True):
            values = line.point_y[line.point_x == at]
            error = np.sqrt(((values - values.mean()) ** 2).sum() / (len(values) - 1)) / np.sqrt(len(values)) if len(values) > 1 else np.nan
            assert mean == pytest.approx(values.mean())
            assert high == pytest.approx(mean + error, nan_ok=True)
            expected = values.min() if quantity.log and mean - error <= 0 else mean - error
            assert low == pytest.approx(expected, nan_ok=True)
    names = {line.name for line in found.series}
    assert names <= {"on", "off", "full", kernel, "network", "now", "end"}


def test_the_numbers_of_the_metrics(result):
    point, m = result.points[0], views.QUANTITIES
    assert m["largest"].values(point, "first") == {
        "first": pytest.approx(abs(point.largest["first"] - point.largest["full"]) / point.largest["full"])
    }
    assert m["rank"].values(point, "pseudo") == {"full": point.rank["full"], "pseudo": 3 * point.rank["pseudo"]}
    assert m["time"].values(point, "pseudo")["full"] == pytest.approx(1e6 * point.seconds["full"] / (12 * 13 / 2))
    assert set(m["accuracy"].values(point, "first")) == {"full", "first", "network"}
    singular = replace(point, condition=point.condition | {"full": np.inf})
    assert np.isnan(m["condition"].values(singular, "pseudo")["pseudo"])
    assert all(quantity.title and quantity.axis and quantity.note.endswith(".") for quantity in m.values())


@pytest.mark.parametrize("kernel", ["pseudo", "first"])
def test_gains_are_against_the_network_then_and_at_the_last_epoch(result, kernel):
    found = views.curves(result, ConvergenceView(epoch=0, kernel=kernel), views.QUANTITIES["gain"])
    then = {(p.width, p.seed): p.accuracy["network"] for p in result.points if p.epoch == 0}
    last = {(p.width, p.seed): p.accuracy["network"] for p in result.points if p.epoch == 2}
    assert then != last
    assert [line.name for line in found.series] == ["now", "end"]
    for line, networks in zip(found.series, (then, last), strict=True):
        assert len(line.point_id) == 6
        for y, index in zip(line.point_y, line.point_id, strict=True):
            point = result.points[index]
            assert y == pytest.approx(100 * (point.accuracy[kernel] - networks[point.width, point.seed]))
    alone = replace(result, spec=result.spec.model_copy(update={"looks": (0,)}), points=tuple(p for p in result.points if p.epoch == 0))
    assert [line.name for line in views.curves(alone, ConvergenceView(), views.QUANTITIES["gain"]).series] == ["now"]
    early = replace(result, points=tuple(p if p.epoch == 0 else None for p in result.points))
    assert [line.name for line in views.curves(early, ConvergenceView(), views.QUANTITIES["gain"]).series] == ["now"]


def jittered(result, *seeds):
    """The result with a jitter on the full kernel's regressions of these seeds."""
    return with_points(result, jitter=lambda p: p.jitter | {"full": 1e-9 if p.seed in seeds else 0.0})


def test_what_rests_on_a_jitter_is_marked_and_does_not_count_unless_asked_for(result):
    one, m = jittered(result, 1), views.QUANTITIES
    assert list(views.table(one)["rests_on_jitter"]) == ["full" if p.seed == 1 else "" for p in result.points]
    for name, solved in (("prediction", True), ("agreement", True), ("accuracy", True), ("gain", False), ("frobenius", False)):
        (found, *_), (every, *_) = (
            [
                line
                for line in views.curves(one, ConvergenceView(jittered=counted), m[name]).series
                if line.name in ("pseudo", "full", "now")
            ]
            for counted in (False, True)
        )
        ours = np.array([result.points[i].seed == 1 for i in found.point_id])
        np.testing.assert_array_equal(found.jittered, ours if solved else np.zeros_like(ours))
        np.testing.assert_array_equal(every.point_y, found.point_y)
        kept = ~ours if solved else np.ones_like(ours)
        np.testing.assert_allclose(found.mean, [found.point_y[(found.point_x == x) & kept].mean() for x in found.x])
        np.testing.assert_allclose(every.mean, [every.point_y[every.point_x == x].mean() for x in every.x])
    networks = next(line for line in views.curves(one, ConvergenceView(), m["accuracy"]).series if line.name == "network")
    assert not networks.jittered.any()


def test_fits_leave_out_what_rests_on_a_jitter(result):
    found = views.curves(jittered(result, 1), ConvergenceView(), views.QUANTITIES["prediction"])
    (line,) = found.series
    kept = np.array([result.points[i].seed == 0 for i in line.point_id])
    assert found.law.n == 3
    assert found.law.slope == pytest.approx(np.polyfit(np.log(line.point_x[kept]), np.log(line.point_y[kept]), 1)[0])
    assert views.curves(jittered(result, 1), ConvergenceView(jittered=True), views.QUANTITIES["prediction"]).law.n == 6
    none = views.curves(jittered(result, 0, 1), ConvergenceView(), views.QUANTITIES["prediction"])
    assert np.isnan(none.series[0].mean).all() and not none.law.defined and not len(none.law_y) and len(none.series[0].point_y) == 6


def test_the_answer_speaks_of_what_does_not_rest_on_a_jitter(result):
    widest = [p for p in result.points if (p.width, p.epoch) == (64, 0)]
    found = views.verdict(jittered(result, 1), ConvergenceView())
    assert found.left_out == 1 and not found.singular and found.full == widest[0].accuracy["full"]
    said = " ".join(views.answer(jittered(result, 1), ConvergenceView()))
    assert "1 of 2 seeds left out, as they rest on a jitter" in said and "of this one network" in said and "cannot be said" not in said
    for of, view in ((jittered(result, 1), ConvergenceView(jittered=True)), (jittered(result, 0, 1), ConvergenceView())):
        assert views.verdict(of, view).singular == ("full",) and views.verdict(of, view).left_out == 0
        assert "cannot be said here" in views.answer(of, view)[-1]


def test_why_nothing_is_drawn(result):
    assert views.gap(result, 64, 0) == "Not defined here."
    assert views.gap(replace(result, points=(None,) * 12), None, 0) == "Not computed yet."
    lost = with_points(result, diverged=lambda p: "Training diverged." if p.epoch == 2 else "", spectra={})
    assert "failed" in views.gap(lost, None, 2)
    assert views.gap(lost, 64, None) == "Not defined here."
    assert views.spectra(with_points(result, spectra={"full": np.zeros(36), "pseudo": np.zeros(12)}), ConvergenceView()) is None


def test_the_slope_is_least_squares_on_logarithms(result):
    found = views.curves(result, ConvergenceView(epoch=0), views.QUANTITIES["frobenius"])
    (line,) = found.series
    slope, intercept = np.polyfit(np.log(line.point_x), np.log(line.point_y), 1)
    assert found.law.slope == pytest.approx(slope) and found.law.n == 6
    assert found.law.low < slope < found.law.high
    np.testing.assert_allclose(found.law_y, np.exp(intercept) * found.law_x**slope)
    np.testing.assert_allclose(found.guide_y * np.sqrt(found.guide_x), found.guide_y[0] * np.sqrt(found.guide_x[0]))
    assert np.log(found.guide_y).mean() == pytest.approx(np.log(line.point_y).mean())
    assert views.curves(result, ConvergenceView(over="epoch"), views.QUANTITIES["frobenius"]).law is None


def test_missing_diverged_and_single_networks_leave_gaps(result):
    points = list(result.points)
    points[0] = None
    points[3] = replace(points[3], diverged="Training diverged.", frobenius={}, accuracy={})
    partial = replace(result, points=tuple(points), timing=None)
    (line,) = views.curves(partial, ConvergenceView(epoch=0), views.QUANTITIES["frobenius"]).series
    assert len(line.point_id) == 4 and not {0, 3} & set(line.point_id)
    assert np.isnan(line.low[:2]).all() and np.isfinite(line.low[2])  # one seed has no bar
    assert views.timing_curves(partial) == ()
    assert len(views.table(partial)) == 11
    nothing = replace(result, points=(None,) * 12, timing=None)
    assert views.curves(nothing, ConvergenceView(), views.QUANTITIES["accuracy"]).series == ()
    assert views.spectra(nothing, ConvergenceView()) is None and views.answer(nothing, ConvergenceView()) == ()
    assert views.table(nothing).empty


def test_spectra_stand_on_one_scale(result):
    found = views.spectra(result, ConvergenceView(width=32, epoch=2))
    assert (found.width, found.epoch) == (32, 2) and found.values["full"].shape == (2, 36) and found.values["pseudo"].shape == (2, 12)
    np.testing.assert_array_equal(found.rank["full"], np.arange(1, 37))
    np.testing.assert_array_equal(found.rank["pseudo"], np.arange(2, 37, 3))  # the middles of 1-3, 4-6, …
    for row, index in enumerate(found.point_id):
        point = result.points[index]
        assert (point.width, point.epoch) == (32, 2)
        np.testing.assert_array_equal(found.values["pseudo"][row], np.sort(point.spectra["pseudo"])[::-1])
    assert views.spectra(result, ConvergenceView()).width == 64


def test_timings_over_outputs_and_depth(result):
    over_outputs, over_depth = views.timing_curves(result)
    assert (over_outputs.over, over_depth.over) == ("outputs", "depth")
    np.testing.assert_array_equal(over_outputs.x, [1, 3])
    np.testing.assert_array_equal(over_depth.x, [1, 2])
    assert set(over_outputs.seconds) == {"pseudo", "full"}


def test_the_table_has_every_number(result):
    rows = views.table(result)
    assert len(rows) == 12 and list(rows["epoch"][:6]) == [0] * 6
    for column, values in (("frobenius_first", "frobenius"), ("accuracy_network", "accuracy"), ("seconds_full", "seconds")):
        name = column.split("_")[1]
        assert list(rows[column]) == [getattr(point, values)[name] for point in result.points]


def test_what_an_address_names_in_vain_is_said(result):
    assert views.missing_from(result, ConvergenceView(epoch=2, width=16, point=(16, 1, 2))) == ""
    said = views.missing_from(result, ConvergenceView(epoch=3, width=17, point=(16, 9, 2)))
    assert "epoch 3" in said and "width 17" in said and "seed 9" in said
    assert views.index_of(result, (16, 1, 0)) == 1 and views.index_of(result, (16, 9, 0)) is None
    assert views.epoch_of(result, ConvergenceView(epoch=3)) == 0 and views.epoch_of(result, ConvergenceView(epoch=2)) == 2


def answered(result, agreement=1.0, cheap=0.8, full=0.8, distance=0.1, m=100, view=None):
    changed = with_points(
        result,
        m=m,
        frobenius={"pseudo": distance, "first": distance},
        agreement={"pseudo": agreement, "first": agreement},
        accuracy={"pseudo": cheap, "first": cheap, "full": full, "network": 0.5},
        seconds={"pseudo": 0.5, "first": 0.5, "full": 2.0},
    )
    return views.answer(changed, view or ConvergenceView())


def test_the_answer_names_distance_cost_and_agreement(result):
    distance, cost, predictions, advice = answered(result, agreement=0.97, cheap=0.81)
    assert "width 64, at initialisation" in distance and "10 %" in distance and "2 seeds" in distance
    assert "4 times as long" in cost and "instead of 9" in cost
    assert "97 %" in predictions and "+1.0 points" in predictions
    # d = 3 of 100 images differ: a standard error of at most √(0.03 / 100) = 1.7 points, times 1.96.
    assert "95 % margin ± 3.4" in predictions
    assert "pseudo-NTK: its predictions are the full kernel’s to within 3 %" in advice


def test_the_answer_in_a_line(result):
    changed = with_points(result, seconds={"pseudo": 0.5, "full": 2.0}, frobenius={"pseudo": 0.1}, agreement={"pseudo": 0.97})
    changed = with_points(changed, accuracy={"pseudo": 0.81, "full": 0.8}, m=100)
    assert views.brief(changed, ConvergenceView(epoch=2)) == (
        "Width 64, after epoch 2",
        "10 % ± 0 % from the full kernel",
        "4 times as fast",
        "97 % of the classes the same",
        "accuracy +1.0 ± 3.4 points",
    )
    assert len(views.brief(with_points(result, seconds={}, agreement={}), ConvergenceView())) == 2
    assert views.brief(replace(result, points=(None,) * 12), ConvergenceView()) == ()


def test_the_advice_follows_its_rules(result):
    assert "the full kernel, where it fits" in answered(result, agreement=0.9, cheap=0.7, full=0.8)[-1]
    better = answered(result, agreement=0.9, cheap=0.9, full=0.8, distance=0.7)[-1]
    assert "the more accurate" in better and "no copy" in better
    either = answered(result, agreement=0.9, cheap=0.81, full=0.8)[-1]
    assert "where accuracy is what counts" in either and "no copy" not in either
    assert "first-logit kernel" in answered(result, view=ConvergenceView(kernel="first"))[-1]
    # A gap of 10 points is not measurable on 20 images of which a fifth differ: 1.96 √(0.2 / 20) = 20 points.
    assert "where accuracy is what counts" in answered(result, agreement=0.8, cheap=0.9, full=0.8, m=20)[-1]


def test_the_fall_with_the_width_is_said_only_where_it_is(result):
    def law(power, epoch=0, wiggle=0.0):
        error = lambda p: {"pseudo": p.width**power * np.exp(wiggle * (p.seed - 0.5))}  # noqa: E731
        return views.answer(with_points(result, frobenius=error), ConvergenceView(epoch=epoch))[0]

    assert "to the power −0.50" in law(-0.5, wiggle=0.2) and "as the theory has it" in law(-0.5, wiggle=0.2)
    assert "theory" not in law(-1.0, wiggle=0.1)  # the theory's rate is a bound: a faster fall keeps it
    assert "more slowly than the −0.5 of the theory" in law(-0.2, wiggle=0.1)
    assert "theory" not in law(-0.5, epoch=2, wiggle=0.2)
    assert "no fall with the width" in law(0.1, wiggle=0.5)


def test_the_answer_of_a_part_says_so_and_speaks_of_what_is_there(result):
    points = tuple(None if point.width == 64 else point for point in result.points)
    said = views.answer(replace(result, points=points, timing=None), ConvergenceView())
    assert said[0].startswith("So far 8 of 12") and "width 32" in said[1]
    lost = with_points(result, diverged=lambda p: "Training diverged." if p.width == 64 else "")
    said = views.answer(lost, ConvergenceView())
    assert said[0].startswith("Training diverged at width 64") and "width 32" in said[1]
    interrupted = with_points(result, seconds={"pseudo": 0.5, "full": np.nan})
    assert "not measured in one piece" in views.answer(interrupted, ConvergenceView())[1]
    failed = with_points(result, agreement={}, prediction_difference={}, accuracy={"network": 0.5})
    assert "had no answer" in views.answer(failed, ConvergenceView())[2]
