"""Every analysis takes texts: their kernels, their scores held against deletion, and what a page and a zip show of them."""

import io
import zipfile
from math import inf

import numpy as np
import pandas as pd
import pytest
from recording import Recording
from reviews import REVIEWS, write_reviews

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views as information
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.learnability import views as learnability_views
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.learnability.look import Look as LearnabilityLook
from ntkcore.analyses.materials.thumbnails import sample_thumbnails, thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_texts, load_dataset, open_pack
from ntkcore.errors import ModelError
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

N, M, RIDGE = 28, 12, 0.1
TEXTS = [text for text, _ in REVIEWS]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Settings and the content id of the reviews."""
    from ntkcore.settings import Settings

    folder = tmp_path_factory.mktemp("texts")
    settings = Settings(cache_dir=folder / "cache")
    report = import_texts(write_reviews(folder / "reviews.csv"), settings, name="reviews", dimensions=12)
    return Workspace(settings), report.content_id


def asked(content, **values):
    return InfluenceSpec.model_validate({"dataset": {"name": "own", "own": content, "n": N}, "test": M} | values)


def kernel_of(result):
    """(n, n), put together from its eigenvalues and vectors."""
    values, vectors = result.regression.eigen
    return (vectors * values) @ vectors.T


KERNELS = {
    "two-layer": {"kernel": "two-layer"},
    "infinite": {"kernel": "infinite", "model": {"architecture": "fcn", "depth": 1}},
    "pseudo": {"kernel": "pseudo", "model": {"architecture": "fcn", "depth": 1, "width": 64}},
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_information_of_texts_is_that_of_deletion(own, kernel):
    ws, content = own
    spec = asked(content, **KERNELS[kernel])
    INFLUENCE.forecast(spec, ws)
    INFLUENCE.compute(spec, ws, Recording())
    result = INFLUENCE.open(spec, ws)
    found = information.scores(Look(result, RIDGE, inf, ws))
    k, k_test = kernel_of(result), result.k_test
    y = 2.0 * result.labels[:, None] - 1.0 - result.f_train

    def outputs(kept):
        return k_test[:, kept] @ np.linalg.solve(k[np.ix_(kept, kept)] + RIDGE * np.eye(len(kept)), y[kept])

    whole = outputs(np.arange(N))
    for i in range(N):
        moved = whole - outputs(np.delete(np.arange(N), i))
        assert found[i] == pytest.approx(0.5 * np.mean(np.sum(moved**2, axis=1)), rel=1e-8)


def test_the_two_layer_kernel_sees_directions(own):
    ws, content = own
    spec = asked(content, kernel="two-layer")
    INFLUENCE.compute(spec, ws, Recording())
    result = INFLUENCE.open(spec, ws)
    x = load_dataset(spec.dataset, ws.settings).inputs.astype(np.float64)
    cosine = np.clip((x / np.linalg.norm(x, axis=1, keepdims=True)) @ (x / np.linalg.norm(x, axis=1, keepdims=True)).T, -1, 1)
    np.testing.assert_allclose(kernel_of(result), cosine * (np.pi - np.arccos(cosine)) / (2 * np.pi), atol=1e-7)


def test_training_and_held_out_texts_are_those_of_the_file(own):
    ws, content = own
    spec = asked(content, kernel="two-layer")
    INFLUENCE.compute(spec, ws, Recording())
    result = INFLUENCE.open(spec, ws)
    for pack_id, ids in ((result.pack, result.ids), (result.test_pack, result.test_ids)):
        pack = open_pack(pack_id, ws.settings)
        assert [pack.text(i) for i in range(len(ids))] == [TEXTS[int(name.removeprefix("row/"))] for name in ids]


def test_tables_have_the_texts_and_sentences_call_them_so(own):
    ws, content = own
    spec = asked(content, kernel="two-layer")
    INFLUENCE.compute(spec, ws, Recording())
    result = INFLUENCE.open(spec, ws)
    for analysis in (INFLUENCE, INFORMATION):
        rows = analysis.table(result, analysis.view(), ws)
        assert list(rows["text"]) == [TEXTS[int(name.removeprefix("row/"))] for name in rows["id"]]
    said = " ".join(INFLUENCE.answer(result, INFLUENCE.view(), ws))
    assert "Held-out text" in said and "training text" in said and "image" not in said


@pytest.mark.parametrize("architecture", ["cnn3", "resnet20"])
def test_networks_for_images_are_refused_with_the_one_that_fits(own, architecture):
    ws, content = own
    spec = asked(content, kernel="pseudo", model={"architecture": architecture})
    with pytest.raises(ModelError, match=f"{architecture} needs images, and these data are vectors of 12 numbers") as caught:
        INFLUENCE.forecast(spec, ws)
    assert "Choose the model fcn" in caught.value.remedy


def test_learnability_of_texts_and_their_zip(own):
    ws, content = own
    spec = LearnabilitySpec.model_validate(
        {
            "dataset": {"name": "own", "own": content, "n": 40},
            "model": {"architecture": "fcn", "depth": 1, "width": 32},
            "training": {"epochs": 2},
        }
    )
    LEARNABILITY.compute(spec, ws, Recording())
    result = LEARNABILITY.open(spec, ws)
    look = LearnabilityLook(result, LearnabilityView())
    with zipfile.ZipFile(io.BytesIO(learnability_views.images_zip(look, [3, 1], ws))) as archive:
        listed = pd.read_csv(archive.open("images.csv"))
        for file, name in zip(listed["file"], listed["id"], strict=True):
            assert file.endswith(".txt")
            assert archive.read(file).decode() == TEXTS[int(name.removeprefix("row/"))]
    assert sample_thumbnails(spec.dataset, 3, ws).text(2) in TEXTS
    before = thumbnails(result.pack, spec.dataset, ws).text(7)
    for path in (ws.settings.cache_dir / "thumbnails").rglob("*.pack"):
        path.unlink()
    assert thumbnails(result.pack, spec.dataset, ws).text(7) == before
