"""What an influence analysis cannot be made of is refused before it starts, with a remedy; what merely looks odd is answered."""

from math import inf

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.complexity import groups_of
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.reliability import views as reliability_views
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.data import import_images
from ntkcore.errors import ComputationError, DataError
from ntkcore.settings import settings
from ntkcore.specs.influence import InfluenceSpec


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def own(ws, tmp_path, images, labels, **values):
    """A set of one's own, eight of its images to train on and four held out."""
    np.savez(tmp_path / "set.npz", images=images.astype(np.uint8), labels=labels)
    content = import_images(tmp_path / "set.npz", ws.settings, name="set").content_id
    return InfluenceSpec.model_validate({"dataset": {"name": "own", "own": content, "n": 8}, "test": 4} | values)


def pixels(n):
    return np.random.default_rng(0).integers(1, 256, (n, 8, 8))


def words(spec):
    """The specification as a command line says it."""
    return ["--dataset", "own", "--own", spec.dataset.own, "--n", str(spec.dataset.n), "--test", str(spec.test)]


@pytest.mark.parametrize("command", ["influence", "reliability"])
def test_duplicates_without_a_ridge_name_the_ridge_that_serves(ws, tmp_path, capsys, command):
    twins = own(ws, tmp_path, np.repeat(pixels(3), 4, axis=0), np.arange(12) % 2)
    assert main([command, *words(twins), "--ridge", "0"]) == 1
    said = capsys.readouterr().err
    assert "λ = 0 is singular to rounding" in said and "Traceback" not in said
    enough = said.split("at least ")[1].split(",")[0]
    assert main([command, *words(twins), "--ridge", enough]) == 0
    assert main([command, *words(twins), "--ridge", "1"]) == 0
    if command == "influence":  # a finite time needs none
        capsys.readouterr()
        assert main([command, *words(twins), "--ridge", "0", "--time", "2"]) == 0
        assert "Removing the most helpful training image" in capsys.readouterr().out
        with pytest.raises(ComputationError, match="singular to rounding"):  # the groups are at the end of training
            groups_of(Look(INFLUENCE.open(twins, ws), 0.0, 2.0, ws))


def test_copies_with_one_label_share_their_influence_with_a_ridge(ws, tmp_path):
    """Removing one of several copies moves a prediction little, and all copies alike."""
    images, labels = np.repeat(pixels(3), 4, axis=0), np.repeat([0, 1, 1], 4)
    twins = own(ws, tmp_path, images, labels)
    INFLUENCE.compute(twins, ws, Recording())
    result = INFLUENCE.open(twins, ws)
    copies = [np.flatnonzero(np.ptp(result.k_test - column[:, None], axis=0) == 0) for column in result.k_test.T]
    assert max(len(group) for group in copies) > 1
    for time in (inf, 3.0):
        values = Look(result, 0.1, time, ws).influence(0)
        for column in result.k_test.T:
            alike = np.flatnonzero((result.k_test == column[:, None]).all(0))
            np.testing.assert_allclose(values[alike], values[alike[0]], rtol=1e-7, atol=1e-12)
    assert reliability_views.summary(Look.of(result, 0.1, None, ws)).held == 8 * 4


@pytest.mark.parametrize("command", ["influence", "reliability"])
def test_one_class_is_refused_wherever_it_comes_from(ws, tmp_path, capsys, command):
    with pytest.raises(DataError, match="one class"):
        own(ws, tmp_path, pixels(12), np.zeros(12, int))
    assert main([command, "--classes", "3"]) == 1
    assert "two different classes" in capsys.readouterr().err
    rare = own(ws, tmp_path, pixels(62), np.arange(62) // 60)  # two of sixty-two are of the second class: eight drawn have hardly both
    assert main([command, *words(rare)]) == 1
    said = capsys.readouterr().err
    assert "among the 8 images drawn" in said and "Draw more images" in said
    assert not INFLUENCE.ready(rare, ws)


@pytest.mark.parametrize(
    ("command", "kernel", "n"),
    [
        *((command, kernel, "1500") for command in ("influence", "reliability") for kernel in ("two-layer", "infinite", "pseudo")),
        ("influence", "full", "900"),
    ],
)
def test_more_than_fits_is_refused_before_it_starts_with_what_would(cache, monkeypatch, capsys, command, kernel, n):
    monkeypatch.setenv("NTK_JOB_MEMORY", str({"full": 800, "infinite": 900}.get(kernel, 650) * 2**20))  # jax and its like take 200
    settings.cache_clear()
    network = [] if kernel == "two-layer" else ["--kernel", kernel, "--width", "8", "--depth", "1"]
    assert main([command, "--n", n, "--test", "20", *network]) == 1
    captured = capsys.readouterr()
    assert "images would fit" in captured.err and "Choose fewer images" in captured.err
    assert "done" not in captured.err and not captured.out
    assert not Workspace(settings()).store.entries()
    fits = captured.err.split(" images would fit")[0].split()[-1].replace(",", "")
    spec = InfluenceSpec.model_validate(
        {"dataset": {"n": int(fits)}, "test": 20, "kernel": kernel} | ({} if kernel == "two-layer" else {"model": {"width": 8, "depth": 1}})
    )
    assert not INFLUENCE.forecast(spec, Workspace(settings())).refusal


def test_a_network_that_cannot_tell_its_images_apart_needs_a_ridge(ws):
    """68 parameters, 200 images: the kernel has rank 68 at most."""
    narrow = InfluenceSpec.model_validate(
        {"dataset": {"classes": ("3", "8"), "n": 200}, "test": 6, "kernel": "pseudo", "model": {"width": 1, "depth": 1}}
    )
    INFLUENCE.compute(narrow, ws, Recording())
    result = INFLUENCE.open(narrow, ws)
    with pytest.raises(ComputationError, match="too many for it"):
        Look(result, 0.0, inf, ws).held()
    with pytest.raises(ComputationError, match="too many for it"):
        reliability_views.summary(Look.of(result, 0.0, None, ws))
    assert np.isfinite(Look(result, 0.0, 1e12, ws).influence(0)).all()
