"""What the page shows of a result, against definitions written out again."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
from recording import Recording

from ntkcore.analyses.learnability import views
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.materials.thumbnails import thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.settings import Settings
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

SPEC = LearnabilitySpec.model_validate(
    {
        "dataset": {"classes": ("1", "7"), "n": 120, "label_noise": 0.05},
        "model": {"width": 12, "depth": 1},
        "training": {"epochs": 4, "batch_size": 0, "learning_rate": 0.5},
        "dtype": "float64",
    }
)


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def result(ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    return LEARNABILITY.open(SPEC, ws)


@pytest.fixture(scope="module")
def look(result):
    return Look(result, LearnabilityView())


def shown(result, **view):
    return Look(result, LearnabilityView(**view)).shown


def test_groups_partition_the_images_by_score(result):
    chosen = Look(result, LearnabilityView(hard=10, easy=25)).groups
    assert len(chosen.hard) == 12
    assert len(chosen.easy) == 30
    assert sorted(np.concatenate(chosen.members())) == list(range(120))
    assert result.score[chosen.hard].max() <= result.score[chosen.medium].min()
    assert result.score[chosen.medium].max() <= result.score[chosen.easy].min()
    assert {views.group_of(chosen, int(i)) for i in chosen.hard} == {"hard"}


@pytest.mark.parametrize("epoch", [0, 2])
def test_predicted_curves_are_the_paper_s_equations(ws, epoch):
    spec = SPEC.model_copy(update={"kernel_epoch": epoch})
    LEARNABILITY.compute(spec, ws, Recording())
    result = LEARNABILITY.open(spec, ws)
    curves = views.group_curves(Look(result, LearnabilityView()))
    spectrum = ws.store.open("spectrum", kernel_key(spec.kernel, ws))
    kernel = (spectrum.read("vectors") * spectrum.read("values")) @ spectrum.read("vectors").T
    start = result.outputs[epoch].astype(float) - result.targets
    chosen = Look(result, LearnabilityView()).groups
    for column in (0, 3, len(curves.times) - 1):
        tau = (curves.times[column] - epoch) * SPEC.training.learning_rate / 120
        coupled = np.linalg.norm(scipy.linalg.expm(-kernel * tau) @ start, axis=1)
        alone = np.abs(start[:, 0]) * np.exp(-np.diag(kernel) * tau)
        for row, members in enumerate(chosen.members()):
            # stored in float32: relative rounding 6e-8; the exponentials themselves agree far better
            assert curves.full[row, column] == pytest.approx(coupled[members].mean(), rel=1e-6)
            assert curves.diagonal[row, column] == pytest.approx(alone[members].mean(), rel=1e-9)
    assert (curves.lower <= curves.diagonal + 1e-12).all()
    assert (curves.diagonal <= curves.upper + 1e-12).all()


def test_measured_curves(result):
    curves = views.group_curves(Look(result, LearnabilityView()))
    chosen = Look(result, LearnabilityView()).groups
    for epoch in range(5):
        predicted = (result.outputs[epoch, :, 0] >= 0).astype(int)
        for row, members in enumerate(chosen.members()):
            assert curves.accuracy[row, epoch] == pytest.approx((predicted == result.labels)[members].mean())
            assert curves.error[row, epoch] == pytest.approx(np.abs(result.outputs[epoch] - result.targets)[members].mean())


def test_empty_groups_are_allowed(result):
    curves = views.group_curves(Look(result, LearnabilityView(hard=0, easy=0)))
    assert list(curves.sizes) == [0, 120, 0]
    assert np.isnan(curves.accuracy[0]).all()
    assert set(views.curve_table(curves)["group"]) == {"medium"}


def test_image_curve_is_a_column_of_the_group_curves(result):
    curve = views.image_curve(result, 7)
    np.testing.assert_allclose(curve.error, np.abs(result.outputs[:, 7, 0] - result.targets[7, 0]), rtol=1e-6)
    np.testing.assert_array_equal(curve.full, result.full[:, 7])
    assert curve.diagonal[0] == pytest.approx(curve.error[0])


def test_ranking_filters_and_orders(result, look):
    everything = shown(result, gallery="all")
    assert list(everything) == list(np.argsort(result.score, kind="stable"))
    down = shown(result, gallery="all", order="score-down")
    assert list(result.score[down]) == sorted(result.score, reverse=True)
    easy = shown(result, gallery="easy")
    assert list(result.score[easy]) == sorted(result.score, reverse=True)[: len(easy)]
    wrong = shown(result, gallery="all", judged="wrong")
    assert set(wrong) == set(np.flatnonzero(~look.outcome.correct))
    flipped = shown(result, gallery="all", judged="flipped")
    assert len(flipped) == 6
    seven = shown(result, gallery="all", only=("7",))
    assert set(result.labels[seven]) == {1}
    middle = shown(result, gallery="all", low=40, high=60)
    assert ((look.outcome.percentile[middle] >= 40) & (look.outcome.percentile[middle] <= 60)).all()
    picked = shown(result, gallery="all", picked=(3, 5, 10**6))
    assert set(picked) == {3, 5}


def test_what_a_view_names_in_vain_is_said(result, look):
    view = LearnabilityView(gallery="all", only=("no such class",), basket=(3, 120), image=500)
    assert "120" in views.missing_from(result, view)
    assert "no such class" in views.missing_from(result, view)
    assert len(Look(result, view).shown) == 120
    assert Look(result, LearnabilityView(marked=120)).marked is None
    assert Look(result, LearnabilityView(marked=119)).marked == 119
    assert views.missing_from(result, LearnabilityView(only=("7",), basket=(119,))) == ""


def test_table_and_zip(result, look, ws):
    images = [5, 2, 80]
    table = views.table(look, images)
    assert list(table["image"]) == images
    assert list(table["k_xx"]) == list(result.score[images])
    assert sorted(views.table(look, range(120))["rank_hardest_first"]) == list(range(1, 121))
    with zipfile.ZipFile(io.BytesIO(views.images_zip(look, images, ws))) as archive:
        listed = pd.read_csv(archive.open("images.csv"))
        assert list(listed["image"]) == images
        for file in listed["file"]:
            assert archive.read(file).startswith(b"\x89PNG")


def test_folders_of_classes_named_like_paths_stay_apart():
    names = ["a/b", "a_b", "a\\b", "../a", "..", "A_B", "cat", "=cat"]
    folders = views._folders(names)
    assert folders == ["a_b", "a_b (2)", "a_b (3)", "___a", "__", "A_B (4)", "cat", "_cat"]


def test_thumbnails_are_encoded_again_when_they_are_gone(result, ws):
    before = thumbnails(result.pack, SPEC.dataset, ws).picture(3)
    for path in (ws.settings.cache_dir / "thumbnails").rglob("*.pack"):
        path.unlink()
    assert thumbnails(result.pack, SPEC.dataset, ws).picture(3) == before


def test_percentile_span(result, look):
    low, high = np.quantile(result.score, [0.3, 0.6])
    span = views.percentile_span(look, low, high)
    inside = shown(result, gallery="all", low=span[0], high=span[1])
    assert set(inside) == set(np.flatnonzero((result.score >= low) & (result.score <= high)))
    assert views.percentile_span(look, 1e9, 2e9) is None
